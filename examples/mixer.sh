#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A generated clip over a live picture, which keeps playing while the generation takes minutes.
#
#   mixer.sh PROMPT [FILE.mkv]
#   mixer.sh "A paper boat on a stream"                in a window
#   mixer.sh "A paper boat on a stream" mixed.mkv      recorded
#
# The key is in AIMLAPI_KEY; AIMLAPI_BASE_URL names another service, such as the emulator.
#
# These are two pipelines. In one, gst-launch-1.0 would not start the live picture until the generation has ended, and the
# clip, whose timestamps begin at 0, would then be minutes late. So the clip comes over RTP, when it is ready and as fast
# as it plays, and whatever happens to the generation happens there. Replace videotestsrc with your camera. The caps after
# the compositor fix its output before a camera has announced its format: otherwise it would begin with one pixel.
set -eu
if [ $# -lt 1 ]; then
  sed -n '3,9s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
prompt=$1
port=${MIXER_PORT:-5004}
if [ $# -gt 1 ]; then
  set -- x264enc tune=zerolatency speed-preset=veryfast ! h264parse ! matroskamux ! filesink location="$2"
else
  set -- autovideosink
fi

gst-launch-1.0 -q -e videotestsrc is-live=true ! video/x-raw,width=640,height=360,framerate=25/1 ! mix.sink_0 \
  udpsrc address=127.0.0.1 port="$port" caps=application/x-rtp,media=video,clock-rate=90000,encoding-name=JPEG ! \
  rtpjitterbuffer latency=100 ! rtpjpegdepay ! jpegdec ! videoconvert ! mix.sink_1 \
  compositor name=mix sink_1::xpos=304 sink_1::ypos=164 sink_1::max-last-buffer-repeat=500000000 ! \
  video/x-raw,format=I420,width=640,height=360,framerate=25/1 ! videoconvert ! "$@" &
live=$!
trap 'kill -INT $live; wait $live' EXIT
trap 'exit 130' INT TERM

gst-launch-1.0 aimlvideosrc prompt="$prompt" ! decodebin ! videoconvert ! videoscale ! videorate ! \
  video/x-raw,format=I420,width=320,height=180,framerate=25/1,pixel-aspect-ratio=1/1 ! jpegenc ! rtpjpegpay ! \
  udpsink host=127.0.0.1 port="$port"
sleep 1 # of the live picture alone
