#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs what is missing, builds, and runs all tests: those of the engine and of the element with the address and
# undefined-behaviour sanitizers, those with several threads with ThreadSanitizer too, and the fuzzers for a moment.
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
  scripts/install-mcp-clients.sh
  scripts/install-axe.sh
  scripts/install-c2pa.sh
else
  scripts/install-packages.sh
fi

# tree FOLDER OPTION...: a build folder for clang, whose sanitizers know threads and libFuzzer
tree() {
  folder=$1
  shift
  [ -f "$folder/build.ninja" ] || CC=clang-19 CXX=clang++-19 meson setup "$folder" -Dwerror=true -Doptimization=0 \
    -Db_pch=true -Db_lundef=false "$@" >/dev/null
}
tree build-address -Db_sanitize=address,undefined -Dfuzzing=enabled
tree build-thread -Db_sanitize=thread -Demulator=disabled
if [ $full = yes ]; then
  BUILD=build scripts/build.sh -Dwerror=true -Db_pch=false # every file includes what it uses
else
  BUILD=build TARGET=programs scripts/build.sh -Dwerror=true
fi

failed=0
# run FOLDER ARGUMENT...: the tests of a build folder, once what they need of it is built. A pipeline of gst-launch-1.0
# may never end when the thread that tells of the preroll is interrupted by the one that it tells
# (docs/operating.md): batch scheduling keeps it from that.
run() {
  folder=$1
  shift
  # most tests wait most of the time
  NINJA_STATUS='' chrt --batch 0 meson test -C "$folder" --print-errorlogs --num-processes "$((2 * $(nproc)))" "$@" || failed=1
}
if [ $full = yes ]; then
  scripts/analyse.sh || failed=1
  run build
  run build --setup valgrind exit job ledger reply request settings spool
  run build-thread --suite unit --suite elements --no-suite full
  run build-address --suite unit --suite elements --suite fuzz --no-suite full
else
  scripts/analyse.sh --quick || failed=1
  while read -r tier; do
    # shellcheck disable=SC2086 # a line is words
    [ "${tier#\#}" != "$tier" ] || run $tier </dev/null
  done <scripts/quick-tier.txt
fi
grep -h ' runs, ' build-address/meson-logs/testlog.txt || true

# the numbers of single checks, out of the logs of Check and of Python's unittest
cat build/meson-logs/testlog.txt build-thread/meson-logs/testlog.txt build-address/meson-logs/testlog.txt | awk '
  /^[0-9]+%: Checks: / { gsub(",", ""); checks += $3; bad += $5 + $7 }
  /^Ran [0-9]+ tests? in / { checks += $2 }
  /^FAILED \(/ { for (i = 1; i <= NF; i++) if (split($i, part, "=") == 2 && part[1] ~ /(failures|errors|successes)$/) bad += part[2] }
  END { printf "%d passed, %d failed\n", checks - bad, bad }'
exit $failed
