#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A prompt to an HLS folder, for any web server: FOLDER/index.m3u8 is the address for the player.
#
#   hls.sh PROMPT FOLDER [PROPERTY=VALUE...]
#   hls.sh "A paper boat on a stream" boat
#   hls.sh "Mona Lisa puts on glasses" mona image=mona.jpg generate-audio=false
#
# The properties are aimlvideosrc's. A clip without sound needs generate-audio=false here; `aimlvideo generate --profile
# hls` detects this itself. The key is in AIMLAPI_KEY; AIMLAPI_BASE_URL names another service, such as the emulator.
set -eu
if [ $# -lt 2 ]; then
  sed -n '3,10s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
prompt=$1
folder=$2
shift 2
mkdir -p "$folder"
case " $* " in
*" generate-audio=false "*) sound= ;;
*) sound="clip. ! queue ! audioconvert ! audioresample ! avenc_aac ! aacparse ! hls.audio" ;;
esac

# A segment begins with a key frame, which hlssink2 asks the encoder for. The whole clip stays in the list.
# shellcheck disable=SC2086 # $sound is meant to be split into words
gst-launch-1.0 -e aimlvideosrc prompt="$prompt" "$@" ! decodebin name=clip \
  clip. ! queue ! videoconvert ! x264enc ! video/x-h264,profile=high ! h264parse ! hls.video $sound \
  hlssink2 name=hls target-duration=2 playlist-length=0 max-files=0 \
  playlist-location="$folder/index.m3u8" location="$folder/%05d.ts"
