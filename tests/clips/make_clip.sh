#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Makes a real MP4 for the tests: make_clip.sh LAYOUT FILE, where LAYOUT is
#   faststart   moov first, 1 s with sound
#   moov-last   moov behind 12 MB of mdat, 5 s: more than a demuxer buffers when it can't seek
#   fragmented  in fragments, 2 s with sound
#   moov-first-large, moov-last-large, fragmented-large
#               18 MB as a generator makes it: 1180x1756, 5 s, a key frame every 2 s, with sound
#   hevc        H.265, moov last, 1 s, without sound
set -eu
video() { echo "videotestsrc num-buffers=$1 pattern=$2 ! video/x-raw,width=$3,height=$4,framerate=24/1"; }
sound="audiotestsrc wave=ticks num-buffers=BUFFERS samplesperbuffer=1000 ! audio/x-raw,rate=48000 ! audioconvert ! avenc_aac ! aacparse"
case $1 in
faststart)
  pipeline="$(video 24 ball 320 180) ! x264enc speed-preset=ultrafast key-int-max=12 ! h264parse ! mux. \
    $(echo "$sound" | sed s/BUFFERS/48/) ! mux. mp4mux name=mux faststart=true"
  ;;
moov-last)
  pipeline="$(video 120 snow 640 480) ! x264enc speed-preset=ultrafast bitrate=20000 key-int-max=24 ! h264parse ! mux. \
    mp4mux name=mux"
  ;;
fragmented)
  pipeline="$(video 48 ball 320 180) ! x264enc speed-preset=ultrafast key-int-max=12 ! h264parse ! mux. \
    $(echo "$sound" | sed s/BUFFERS/96/) ! mux. mp4mux name=mux fragment-duration=500"
  ;;
*-large)
  case $1 in
  moov-first-large) options="faststart=true" ;;
  moov-last-large) options="" ;;
  fragmented-large) options="fragment-duration=2000" ;;
  *) exit 2 ;;
  esac
  pipeline="$(video 120 snow 1180 1756) ! x264enc speed-preset=ultrafast bitrate=29000 key-int-max=48 ! h264parse ! \
    mux. $(echo "$sound" | sed s/BUFFERS/240/) ! mux. mp4mux name=mux $options"
  ;;
hevc)
  pipeline="$(video 24 ball 320 180) ! x265enc speed-preset=ultrafast ! h265parse ! mux. mp4mux name=mux"
  ;;
*)
  echo "unknown layout $1" >&2
  exit 2
  ;;
esac
# shellcheck disable=SC2086 # the pipeline is meant to be split into words
exec gst-launch-1.0 -q $pipeline ! filesink location="$2"
