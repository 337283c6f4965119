#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The fast loop: builds what some tests need, without optimization, and runs them.
#
#   scripts/try.sh            lists the tests
#   scripts/try.sh NAME...    runs these
#
# $BUILD is the folder; one of its own, build-try, if not set.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build-try}
if [ ! -f "$build/build.ninja" ]; then
  if command -v clang++-19 >/dev/null; then
    export CC=clang-19 CXX=clang++-19
  fi
  if command -v mold >/dev/null; then
    export CC_LD=mold CXX_LD=mold
  fi
  meson setup "$build" -Db_pch=true -Doptimization=0 -Ddebug=false >/dev/null
fi
if [ $# = 0 ]; then
  meson test -C "$build" --no-rebuild --list 2>/dev/null | sed 's,.* / ,,' | sort
  exit 0
fi
NINJA_STATUS='' exec meson test -C "$build" --print-errorlogs "$@"
