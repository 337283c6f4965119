#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Builds and runs all benchmarks, and writes their tables and plots to docs/performance.md and docs/performance-*.svg.
# About a quarter of an hour on two cores with nothing else on them.
#
#   scripts/bench.sh                 everything
#   scripts/bench.sh --quick         fewer rounds, smaller numbers, two minutes: to see that all of it works
#   scripts/bench.sh --only NAME     one of them: its table only, docs/ is left alone
#   scripts/bench.sh --before BUILD  with the version of another build folder beside this one, and with the table of
#                                    targets, which takes an hour more
#   scripts/bench.sh --only targets --before BUILD
#
# Needs gstreamer1.0-plugins-bad for the peer curlhttpsrc, node for the service, and 1.5 GB in /var/tmp for clips, which
# are kept there.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
build=${BUILD:-build-bench}
clips=${BENCH_CLIPS:-/var/tmp/aimlvideo-bench-clips}
quick=no
only=
before=
while [ $# -gt 0 ]; do
  case $1 in
  --quick) quick=yes ;;
  --only)
    only=${2:?}
    shift
    ;;
  --before)
    before=$(realpath "${2:?}")
    shift
    ;;
  *)
    sed -n '3,15s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
  esac
  shift
done

# number FULL QUICK: what this run takes
number() {
  if [ $quick = yes ]; then echo "$2"; else echo "$1"; fi
}

[ -e "$build/build.ninja" ] || meson setup "$build" -Doptimization=2 -Db_pch=true
ninja -C "$build" >/dev/null \
  gst-plugin/libgstaimlapi.so tools/aimlvideo/aimlvideo tools/emulator/aimlapi-emulator tests/clips/faststart.mp4 \
  tests/bench/default-trust.so tests/bench/engine-client tests/bench/first-frame tests/bench/ledger-bench tests/bench/many-client tests/bench/poll-schedule \
  tests/bench/start-up tests/bench/state-changes tests/bench/throughput tests/bench/tls-client
if ! tests/bench/make_clips.sh "$clips" >/dev/null; then
  echo "the clips can't be made" >&2
  exit 1
fi

home=$(mktemp -d /var/tmp/aimlvideo-bench-XXXXXX)
trap 'rm -rf "$home"' EXIT
export XDG_STATE_HOME="$home/state" XDG_CACHE_HOME="$home/cache" XDG_DATA_HOME="$home/data"
export GST_PLUGIN_PATH="$root/$build/gst-plugin" GST_REGISTRY="$home/registry" GSETTINGS_BACKEND=memory
export AIMLAPI_KEY= AIMLAPI_BASE_URL= PYTHONDONTWRITEBYTECODE=1
gst-inspect-1.0 aimlvideosrc >/dev/null # fills the registry
results="$root/$build/bench-results"
mkdir -p "$results"
bin="$root/$build/tests/bench"

# bench NAME COMMAND...: runs one, and keeps what it prints
bench() {
  name=$1
  shift
  if [ -n "$only" ] && [ "$only" != "$name" ]; then return; fi
  begun=$(date +%s)
  if "$@" >"$results/$name.md" 2>"$results/$name.log"; then
    echo "$name: $(($(date +%s) - begun)) s" >&2
  else
    echo "$name failed:" >&2
    tail -5 "$results/$name.log" >&2
    rm -f "$results/$name.md"
  fi
  if [ -n "$only" ]; then cat "$results/$name.md"; fi
}

throughput() {
  for clip in "1mb $(number 9 3)" "first $(number 9 3)" "1gb $(number 3 1)"; do
    case $clip in 1gb*) peer=$(command -v node >/dev/null && echo node || true) ;; *) peer= ;; esac
    # shellcheck disable=SC2086 # one word or none
    "$bin/throughput" "$clips/${clip% *}.mp4" "${clip#* }" $peer
    echo
  done
}

bench poll-schedule "$bin/poll-schedule"
bench first-frame "$bin/first-frame" "$clips" "$(number 3 1)" "$(number short first)"
bench throughput throughput
bench many tests/bench/many.py "$build" ${before:+--before "$before"} --rounds 1 \
  --generations "$(number 1000 100)" --seconds "$(number 37 6)"
bench many-tls tests/bench/many.py "$build" ${before:+--before "$before"} --rounds 1 --http2 \
  --generations "$(number 1000 20)" --seconds "$(number 37 6)"
bench ledger "$bin/ledger-bench" "$(number 200 50)"
bench tls tests/bench/tls.py "$build" --count "$(number 200 30)"
bench start-up "$bin/start-up" examples/media/lighthouse.jpg "$(number 9 3)"
bench state-changes "$bin/state-changes" "$(number 20 3)"
if [ -n "$before" ] || [ "$only" = targets ]; then
  if [ $quick = yes ]; then few="--quick --rounds 1"; else few=; fi
  # shellcheck disable=SC2086 # two options or none
  bench targets tests/bench/targets.py "$build" ${before:+--before "$before"} --clips "$clips" $few
fi
bench emulator tests/bench/emulator.py "$build/tools/emulator/aimlapi-emulator" --requests-only

if [ -z "$only" ]; then
  if [ $quick = yes ]; then
    python3 tests/bench/report.py "$results" "$results" --quick
    echo "$results/performance.md" >&2
  else
    python3 tests/bench/report.py "$results" docs
    echo "docs/performance.md" >&2
  fi
fi
