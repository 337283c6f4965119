#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Lets libFuzzer look for inputs that break one parser, beginning with its corpus, and says how many it tried. What it
# finds is left in fuzz-findings/.
#
#   tests/fuzz/run.sh BUILD/tests/fuzz/fuzz-TARGET SECONDS
set -eu
program=$1
seconds=$2
target=${program##*/fuzz-}
here=$(cd "$(dirname "$0")" && pwd)
findings="$here/../../fuzz-findings"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$findings" "$scratch/new"
# new inputs go to the first folder, the second is only read
if UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 nice -n 19 "$program" -max_total_time="$seconds" -timeout=10 \
  -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$findings/$target-" "$scratch/new" \
  "$here/corpus/$target" >"$scratch/log" 2>&1; then
  awk -v target="$target" '/number_of_executed_units/ { runs = $2 } /cov: [0-9]+/ { cover = $0 }
    END { sub(".*cov: ", "", cover); sub(" .*", "", cover)
          printf "%-16s %9d runs, %s edges seen, nothing found\n", target, runs, cover }' "$scratch/log"
else
  echo "$target: found something"
  tail -n 60 "$scratch/log"
  exit 1
fi
