#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs what is missing, builds, and runs all tests; those of the engine and of the element once more with the address
# and undefined-behaviour sanitizers, those with several threads with ThreadSanitizer, and the fuzzers for a moment.
#
#   scripts/test.sh          what every change has to pass
#   scripts/test.sh --full   the long tests as well
set -eu
cd "$(dirname "$0")/.."
full=no
case ${1-} in
'') ;;
--full) full=yes ;;
*)
  sed -n '3,8s/^# \{0,1\}//p' "$0" >&2
  exit 2
  ;;
esac

if [ $full = yes ]; then
  scripts/install-packages.sh scripts/packages-full.txt
else
  scripts/install-packages.sh
fi

# sanitized FOLDER TARGET OPTION...: builds with clang, whose sanitizers know threads and libFuzzer
sanitized() {
  folder=$1
  target=$2
  shift 2
  [ -f "$folder/build.ninja" ] || CC=clang-19 CXX=clang++-19 meson setup "$folder" -Dwerror=true -Doptimization=0 \
    -Db_pch=true -Db_lundef=false "$@" >/dev/null
  ninja -C "$folder" --quiet "$target"
}
if [ $full = yes ]; then
  BUILD=build scripts/build.sh -Dwerror=true -Db_pch=false # every file includes what it uses
  address=build-address
  sanitized $address test-programs -Db_sanitize=address,undefined -Dfuzzing=enabled
  sanitized build-thread test-programs -Db_sanitize=thread -Demulator=disabled
else
  BUILD=build scripts/build.sh -Dwerror=true
  address=build-address-engine # without what takes the longest to compile
  sanitized $address all -Db_sanitize=address,undefined -Dplugin=disabled -Demulator=disabled
fi

failed=0
# run FOLDER ARGUMENT...: the tests of a build folder. A pipeline of gst-launch-1.0 may never end when the thread that
# tells of the preroll is interrupted by the one that it tells (docs/operating.md): batch scheduling keeps it from that.
run() {
  folder=$1
  shift
  # most tests wait most of the time
  chrt --batch 0 meson test -C "$folder" --no-rebuild --print-errorlogs --num-processes "$(($(nproc) + 1))" "$@" || failed=1
}
if [ $full = yes ]; then
  scripts/analyse.sh || failed=1
  run build
  run build --setup valgrind exit job key_memory ledger reply request session settings spool
  run build-thread --num-processes 4 --suite unit --suite elements --no-suite full
else
  scripts/analyse.sh --quick || failed=1
  run build --no-suite full
fi
if [ $full = yes ]; then
  BUILD=$address nice scripts/fuzz.sh --seconds 10 >$address/fuzz.log 2>&1 &
  fuzzing=$!
  run $address --suite unit --suite elements --no-suite full
  wait $fuzzing || failed=1
  cat $address/fuzz.log
else
  run $address --suite unit --no-suite full
fi

# the numbers of single checks, out of the logs of Check and of Python's unittest
logs="build/meson-logs/testlog.txt $address/meson-logs/testlog.txt"
[ $full = no ] || logs="$logs build-thread/meson-logs/testlog.txt"
# shellcheck disable=SC2086
cat $logs | awk '
  /^[0-9]+%: Checks: / { gsub(",", ""); checks += $3; bad += $5 + $7 }
  /^Ran [0-9]+ tests? in / { checks += $2 }
  /^FAILED \(/ { line = $0; gsub("[^0-9 ]", " ", line); n = split(line, parts, " "); for (i = 1; i <= n; i++) bad += parts[i] }
  END { printf "%d passed, %d failed\n", checks - bad, bad }'
exit $failed
