#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# How much of src/ the tests of the engine and of the element reach: lines and branches, file by file. The branches that
# the compiler adds for exceptions do not count. The report to read is build-coverage/coverage.html.
#
#   scripts/coverage.sh [ARGUMENT]...    arguments go to `meson test`, by default the suites unit and elements
set -eu
cd "$(dirname "$0")/.."
build="build-coverage"
[ -f "$build/build.ninja" ] || meson setup "$build" -Db_pch=true -Db_coverage=true -Doptimization=0 >/dev/null
ninja -C "$build" --quiet
[ $# != 0 ] || set -- --no-suite full --suite unit --suite elements
find "$build" -name '*.gcda' -delete
meson test -C "$build" --no-rebuild --print-errorlogs "$@" || echo "some tests failed; the figures are of what ran" >&2
gcovr --root . --filter src/ --exclude-throw-branches --exclude-unreachable-branches --html-details \
  "$build"/coverage.html --txt - --print-summary "$build"
