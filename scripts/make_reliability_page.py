#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Make docs/reliability.md out of the fault matrix that the tests hold.

    scripts/make_reliability_page.py > docs/reliability.md
"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests/reliability"))

from cells import CELLS, TITLES  # noqa: E402

INTRODUCTION = """# What happens when something breaks

Every fault below is produced in the tests, in every phase of a generation where it can happen, to `aimlvideosrc` in
push mode, to `aimlvideosrc` in pull mode, and to `aimlvideo jobs resume`: {meetings} tests of {cells} promises for {faults}
faults. This page is made by `scripts/make_reliability_page.py` from the list that the tests read,
`tests/reliability/cells.py`.

What holds in all of them:

- **Nothing is bought twice.** The column *bought* says how many purchases the service has counted when the run ends; with the
  fault gone, the same line again ends with the clip and one purchase.
- **The clip is whole or there is an error.** What is pushed, up to the [mark](provenance.md) behind it, is compared
  with the file at the service byte for byte, what is pulled by what a demuxer makes of it. An error is one message with the
  true cause, before whatever the pipeline makes of the end of the stream.
- **It ends.** Errors that come "at once" do so within seconds, all others by `timeout`. Nothing waits longer.
- **What is paid for stays in the ledger**, and the next run of the same request resumes it.
- **The key** goes only to the service and is in no message.

*If it passes*: the fault strikes once. *If it lasts*: it strikes each time until the run ends. Where the outcome of a submission
is in doubt, the first says what happens when the service had accepted it, the second when it had not, unless *bought* says
otherwise. A dash: it can't happen, or makes no difference.
"""

PHASES = {
    "submit": ("While it is submitted", "The request that buys. It is sent again only when the service surely did not accept "
               "it; see [what is promised about money](billing.md)."),
    "lookup": ("While a lost submission is looked up", "It is not known whether it was bought, so the account's log is checked."),
    "poll": ("While it is waited for", "It is bought. Nothing that goes wrong here or later buys again."),
    "download": ("While the clip is fetched", "It is bought and made, and stays at the service for the time being."),
}

ADVICE = """## What to do

| error | what it means | what to do |
|---|---|---|
| `OPEN_READ`, exit code 6 | the service was never reached; nothing was bought | check network, `base-url`, proxy, certificates; run again |
| `BUSY`, 6 | the service turns requests away; nothing was bought | run again later |
| `SETTINGS`, 3 | the request or a limit is wrong | change what the error names; what was bought is kept |
| `NOT_AUTHORIZED`, 4 | key or account | check them; what was bought is kept |
| `NOT_FOUND`, 5 | the service knows neither model nor generation | check `model`, `base-url` and the key's account |
| `READ`, 7 or 1 | time was up, or the clip's host sent something else | run the same line again: it resumes at no further cost |
| `FAILED`, 8 | it is not known whether it was bought | run again: it looks first. If that persists, `aimlvideo jobs resolve` |
| `NO_SPACE_LEFT`, 1 | ledger or clip can't be written | make room or repair the folder that is named; run again |

[errors.md](errors.md) has all codes, [operating.md](operating.md) what an unattended chain should do with them.
"""


def outcome(cell):
    if not cell:
        return "-"
    error = f" (`{cell.promise.code}`)" if cell.promise.code else ""
    return cell.promise.says + error


def bought(*cells):
    counts = {cell.promise.purchases for cell in cells if cell}
    return " or ".join(str(count) for count in sorted(counts, reverse=True))


def rows(phase):
    """One for each fault; statuses with the same promises share one."""
    found = {}
    for fault, title in TITLES.items():
        cells = [cell for cell in CELLS if (cell.phase, cell.fault) == (phase, fault)]
        if cells:
            passes = next((cell for cell in cells if not cell.lasts), None)
            lasts = next((cell for cell in cells if cell.lasts), None)
            texts = (outcome(passes), outcome(lasts), bought(passes, lasts))
            kind = title.split()[0] if fault.startswith("status-") else fault
            found.setdefault((kind, texts), []).append(title)
    for (_, texts), titles in found.items():
        title = titles[0] + "".join(", " + other.rsplit(" ", 1)[1] for other in titles[1:])
        yield f"| {title} | {' | '.join(texts)} |"


def main():
    meetings = sum(len(cell.ways) for cell in CELLS)
    print(INTRODUCTION.format(meetings=meetings, cells=len(CELLS), faults=len(TITLES)))
    for phase, (title, text) in PHASES.items():
        print(f"## {title}\n\n{text}\n")
        print("| what goes wrong | if it passes | if it lasts | bought |\n|---|---|---|---|")
        print("\n".join(rows(phase)), end="\n\n")
    print(ADVICE, end="")


if __name__ == "__main__":
    main()
