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

export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p fuzz-findings
failed=0
for target; do
  mkdir "$scratch/$target"
  # new inputs go to the first folder, the second is only read
  if "$build/tests/fuzz/fuzz-$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="fuzz-findings/$target-" "$scratch/$target" "tests/fuzz/corpus/$target" >"$scratch/log" 2>&1; then
    awk -v target="$target" '/number_of_executed_units/ { runs = $2 } /cov: [0-9]+/ { cover = $0 }
      END { sub(".*cov: ", "", cover); sub(" .*", "", cover)
            printf "%-16s %9d runs, %s edges seen, nothing found\n", target, runs, cover }' "$scratch/log"
  else
    failed=1
    echo "$target: found something"
    tail -n 60 "$scratch/log"
  fi
done
exit $failed
