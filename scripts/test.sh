#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs what is missing, builds, and runs all tests; the engine's once more with the address and undefined-behaviour
# sanitizers.
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
BUILD=build scripts/build.sh -Dwerror=true
BUILD=build-asan scripts/build.sh -Dwerror=true -Doptimization=0 -Db_sanitize=address,undefined -Db_lundef=false \
  -Dplugin=disabled -Demulator=disabled

failed=0
# run FOLDER ARGUMENT...: the tests of a build folder
run() {
  folder=$1
  shift
  meson test -C "$folder" --no-rebuild --print-errorlogs "$@" || failed=1
}
if [ $full = yes ]; then
  run build
else
  run build --no-suite full
fi
run build-asan --suite unit --no-suite full

# the numbers of single checks, out of the logs of Check and of Python's unittest
cat build/meson-logs/testlog.txt build-asan/meson-logs/testlog.txt | awk '
  /^[0-9]+%: Checks: / { gsub(",", ""); checks += $3; bad += $5 + $7 }
  /^Ran [0-9]+ tests? in / { checks += $2 }
  /^FAILED \(/ { line = $0; gsub("[^0-9 ]", " ", line); n = split(line, parts, " "); for (i = 1; i <= n; i++) bad += parts[i] }
  END { printf "%d passed, %d failed\n", checks - bad, bad }'
exit $failed
