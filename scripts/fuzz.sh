#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Looks with libFuzzer for inputs that break the parsers of foreign bytes, beginning with the corpus in
# tests/fuzz/corpus. What it finds is left in fuzz-findings/, to be added to the corpus once it is mended.
#
#   scripts/fuzz.sh [--seconds N] [TARGET]...     60 s for each of the targets, or of all
set -eu
cd "$(dirname "$0")/.."
seconds=60
case ${1-} in
--seconds)
  seconds=$2
  shift 2
  ;;
-*)
  sed -n '3,7s/^# \{0,1\}//p' "$0" >&2
  exit 2
  ;;
esac
if [ $# = 0 ]; then
  for corpus in tests/fuzz/corpus/*; do
    set -- "$@" "${corpus##*/}"
  done
fi

build=${BUILD:-build-fuzz}
[ -f "$build/build.ninja" ] || CC=clang-19 CXX=clang++-19 meson setup "$build" -Dfuzzing=enabled -Doptimization=1 \
  -Db_sanitize=address,undefined -Db_lundef=false >/dev/null
# shellcheck disable=SC2046 # a list of words
ninja -C "$build" --quiet $(printf 'tests/fuzz/fuzz-%s ' "$@")

failed=0
for target; do
  tests/fuzz/run.sh "$build/tests/fuzz/fuzz-$target" "$seconds" || failed=1
done
exit $failed
