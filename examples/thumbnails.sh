#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A clip's thumbnails, two per second, and a contact sheet: FOLDER/00.jpg, FOLDER/01.jpg and so on, FOLDER/sheet.jpg.
#
#   thumbnails.sh PROMPT FOLDER [PROPERTY=VALUE...]
#   thumbnails.sh "A paper boat on a stream" boat
#   thumbnails.sh "Mona Lisa puts on glasses" mona image=mona.jpg
#
# The properties are aimlvideosrc's. The key is in AIMLAPI_KEY; AIMLAPI_BASE_URL names another service, such as the
# emulator.
set -eu
if [ $# -lt 2 ]; then
  sed -n '3,10s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
prompt=$1
folder=$2
shift 2
mkdir -p "$folder"
rm -f "$folder"/[0-9][0-9].jpg

gst-launch-1.0 aimlvideosrc prompt="$prompt" "$@" ! decodebin ! videorate ! video/x-raw,framerate=2/1 ! \
  videoconvert ! videoscale ! video/x-raw,width=320,height=180,pixel-aspect-ratio=1/1 ! \
  jpegenc ! multifilesink location="$folder/%02d.jpg"

# the sheet: one branch per thumbnail, four in a row
set --
places=
count=0
for thumbnail in "$folder"/[0-9][0-9].jpg; do
  set -- "$@" filesrc location="$thumbnail" ! jpegdec ! videoconvert ! sheet.sink_$count
  places="$places sink_$count::xpos=$((count % 4 * 328 + 8)) sink_$count::ypos=$((count / 4 * 188 + 8))"
  count=$((count + 1))
done
# shellcheck disable=SC2086 # $places are words
gst-launch-1.0 -q compositor name=sheet background=black $places ! videoconvert ! jpegenc snapshot=true ! \
  filesink location="$folder/sheet.jpg" "$@"
echo "$count thumbnails are in $folder."
