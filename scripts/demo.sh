#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Makes a video: builds, starts the emulator of the service, runs aimlvideosrc in a gst-launch-1.0 pipeline that
# transcodes the clip to WebM with sound, and leaves demo.webm and the contact sheet demo.png.
#
#   scripts/demo.sh [--real] ["PROMPT" [IMAGE]]
#
# Without arguments a picture that comes with the project is brought to life. A prompt alone makes a video from text.
# --real uses the real service with the key in $AIMLAPI_KEY. That costs money, up to several dollars.
set -eu
usage() { sed -n '3,10s/^# \{0,1\}//p' "$0"; }
here=$(pwd)
cd "$(dirname "$0")/.."
real=no
case ${1-} in
-h | --help)
  usage
  exit 0
  ;;
--real)
  real=yes
  shift
  ;;
-*)
  usage >&2
  exit 2
  ;;
esac
if [ $real = yes ] && [ -z "${AIMLAPI_KEY-}" ]; then
  echo "--real needs a key in AIMLAPI_KEY; keys are at https://aimlapi.com/app/keys" >&2
  exit 2
fi
prompt=${1-The beam of the lighthouse sweeps over the evening sea}
image=${2-}
if [ $# = 0 ]; then
  image=examples/media/lighthouse.jpg
fi
# a path is relative to where the user stands
case $image in
'' | /* | *:* | examples/media/lighthouse.jpg) ;;
*) image=$here/$image ;;
esac

scripts/install-packages.sh
BUILD=${BUILD:-build}
export BUILD
TARGET=programs scripts/build.sh
GST_PLUGIN_PATH=$(pwd)/$BUILD/gst-plugin${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}
export GST_PLUGIN_PATH

scratch=$(mktemp -d)
emulator=
cleanup() {
  [ -z "$emulator" ] || kill "$emulator" 2>/dev/null || true
  rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

if [ $real = no ]; then
  "$BUILD/tools/emulator/aimlapi-emulator" --port 0 --generation-time 2 --render-size 960 >"$scratch/address" &
  emulator=$!
  tries=0
  until [ -s "$scratch/address" ]; do
    tries=$((tries + 1))
    if [ $tries -gt 100 ] || ! kill -0 "$emulator" 2>/dev/null; then
      echo "the emulator did not start" >&2
      exit 1
    fi
    sleep 0.1
  done
  AIMLAPI_BASE_URL=$(sed 's/^listening on //' "$scratch/address")
  AIMLAPI_KEY=demo-key-that-buys-nothing
  # what the emulator sells does not belong among the user's purchases
  XDG_STATE_HOME=$scratch/state
  XDG_CACHE_HOME=$scratch/cache
  export AIMLAPI_BASE_URL AIMLAPI_KEY XDG_STATE_HOME XDG_CACHE_HOME
  echo "The service is an emulator at $AIMLAPI_BASE_URL; nothing is bought."
fi

set -- aimlvideosrc "prompt=$prompt" ${image:+"image=$image"} ! decodebin name=clip \
  clip. ! queue max-size-time=0 ! videoconvert ! vp8enc deadline=1 cpu-used=8 threads=4 target-bitrate=2500000 ! \
  queue ! webmmux name=mux ! filesink location=demo.webm \
  clip. ! queue max-size-time=0 ! audioconvert ! audioresample ! opusenc ! queue ! mux.
printf 'gst-launch-1.0 -e'
for word; do
  case $word in
  !) printf ' !' ;;
  *[!A-Za-z0-9_./:=-]*) printf " '%s'" "$word" ;;
  *) printf ' %s' "$word" ;;
  esac
done
printf '\n\n'
gst-launch-1.0 -e "$@"

ffmpeg -nostdin -loglevel error -y -i demo.webm -vf 'fps=8/5,scale=320:-2,tile=4x2:padding=6:margin=6' -frames:v 1 \
  -update 1 demo.png
echo
echo "The video is in $(pwd)/demo.webm, a contact sheet of it in $(pwd)/demo.png."
