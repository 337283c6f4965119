#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Repeats the tests that every change has to pass, every second run with four busy loops beside it, and prints what failed
# how often. Builds nothing: run scripts/test.sh before.
#
#   scripts/flaky.sh [N]            all of them, N times (20)
#   scripts/flaky.sh N TEST...      some tests of the folder build, or of $BUILD
set -eu
cd "$(dirname "$0")/.."
runs=${1:-20}
case $runs in
'' | *[!0-9]*)
  sed -n '3,7s/^# \{0,1\}//p' "$0" >&2
  exit 2
  ;;
esac
[ $# -eq 0 ] || shift

logs=$(mktemp -d)
busy=
rest() {
  # shellcheck disable=SC2086 # process ids
  [ -z "$busy" ] || kill $busy
  busy=
}
trap 'rest; rm -rf "$logs"' EXIT
trap 'exit 130' INT TERM

# run NAME FOLDER ARGUMENT...: as scripts/test.sh does it; the log of each run is kept in FOLDER/meson-logs
run() {
  name=$1
  folder=$2
  shift 2
  chrt --batch 0 meson test -C "$folder" --no-rebuild --logbase "flaky-$name" --num-processes "$((2 * $(nproc)))" "$@" \
    >/dev/null 2>&1 </dev/null || true
  if [ ! -f "$folder/meson-logs/flaky-$name.json" ]; then
    echo "No test ran in $folder: run scripts/test.sh before." >&2
    exit 1
  fi
  mv "$folder/meson-logs/flaky-$name.json" "$logs/$name-$(basename "$folder").json"
}

number=0
while [ "$number" -lt "$runs" ]; do
  number=$((number + 1))
  load=
  if [ $((number % 2)) -eq 0 ]; then
    load=-load
    for _ in 1 2 3 4; do
      while :; do :; done &
      busy="$busy $!"
    done
  fi
  if [ $# -gt 0 ]; then
    run "$number$load" "${BUILD:-build}" "$@"
  else
    while read -r tier; do
      # shellcheck disable=SC2086 # a line is words
      [ "${tier#\#}" != "$tier" ] || run "$number$load" $tier
    done <scripts/quick-tier.txt
  fi
  rest
done

# A line of a log is one test.
python3 - "$logs" <<'END'
import collections, json, pathlib, sys

runs, failures, results = set(), collections.defaultdict(list), collections.Counter()
for log in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
    run = log.stem.split("-")[0] + (" under load" if "-load-" in log.name else "")
    runs.add(run)
    for line in log.read_text().splitlines():
        test = json.loads(line)
        results[test["result"]] += 1
        if test["result"] not in ("OK", "SKIP", "EXPECTEDFAIL"):
            failures[log.stem.split("-", 2 if "-load-" in log.name else 1)[-1] + ": " + test["name"]].append(run)
print(f"{sum(results.values())} tests in {len(runs)} runs:", ", ".join(f"{n} {name}" for name, n in results.most_common()))
for name, where in sorted(failures.items(), key=lambda item: -len(item[1])):
    print(f"{name} failed in {len(where)} of {len(runs)} runs: {', '.join(sorted(where, key=lambda r: int(r.split()[0])))}")
sys.exit(bool(failures) or not results)
END
