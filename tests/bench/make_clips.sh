#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Makes the clips that the benchmarks use, with ffmpeg: make_clips.sh FOLDER [first]. About 2.2 GB; the first one alone
# has 18 MB.
set -eu
folder=${1:?usage: make_clips.sh FOLDER [first]}
mkdir -p "$folder"
cd "$folder"
quiet="-hide_banner -loglevel error -y"
# 18 MB, 5 s, as a generator makes it: 1180x1756, 27 Mbit/s, a key frame every 2 s
[ -e first.mp4 ] || ffmpeg $quiet -f lavfi -i "testsrc2=s=1180x1756:r=24:d=5,noise=alls=60:allf=t" \
  -f lavfi -i "sine=f=440:d=5" -c:v libx264 -preset ultrafast -b:v 26700k -minrate 26700k -maxrate 26700k -bufsize 26700k -g 48 \
  -pix_fmt yuv420p -c:a aac -movflags +faststart first.mp4
if [ "${2:-}" = first ]; then exit; fi
[ -e last.mp4 ] || ffmpeg $quiet -i first.mp4 -c copy last.mp4
[ -e fragments.mp4 ] || ffmpeg $quiet -i first.mp4 -c copy -movflags +frag_keyframe+empty_moov fragments.mp4
[ -e 1mb.mp4 ] || ffmpeg $quiet -f lavfi -i "testsrc2=s=640x360:r=24:d=5,noise=alls=40:allf=t" -c:v libx264 \
  -preset ultrafast -b:v 1600k -pix_fmt yuv420p -movflags +faststart 1mb.mp4
[ -e 1gb.mp4 ] || ffmpeg $quiet -stream_loop 59 -i first.mp4 -c copy -fs 1073741824 1gb.mp4
ls -l
