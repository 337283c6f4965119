#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Puts the tables of the benchmarks into one page, with plots of some of them.

  report.py RESULTS FOLDER [--quick]   RESULTS/*.md -> FOLDER/performance.md and FOLDER/performance-*.svg"""

import html
import os
import pathlib
import platform
import re
import subprocess
import sys
import time

WIDTH, LEFT, RIGHT = 720, 250, 70
COLOURS = ["#1f6fb2", "#d9822b", "#3a9d5d", "#a04fb0", "#8a8a8a", "#c0392b"]

# what is asked, and what the table answers
SECTIONS = [
    ("poll-schedule", "When to ask", "Mean delay until a completion is noticed, and the polls that it takes, simulated on the "
     "documented times of 20 models."),
    ("first-frame", "Time to the first frame", "A clip of 18 MB over a line with 40 ms of latency, from `set_state(PLAYING)` to the "
     "first decoded frame. curl downloads the whole clip before it is played, which counts."),
    ("throughput", "The cost of a clip", "A process that plays a clip from loopback at full speed; its start and GStreamer's are counted "
     "in all rows."),
    ("targets", "Targets", "What this version must reach, next to another program in the same run; `over` "
     "where it does not. Ratios are to the program of the same row: Python asyncio, which writes nothing down and locks nothing; "
     "`fakesrc ! fakesink`; `souphttpsrc`; for the start, a Python script. `tests/bench/targets.py build-bench --rounds 1 "
     "--only NAME` makes the rows of one name alone; with `--before BUILD` the previous version is measured as well "
     "(`docs/testing.md` says how to build it)."),
    ("many", "Many at once", "All in one process, held while all wait; the service is node with `tests/bench/service.js`, a process of "
     "its own on the same machine. The generations take a third of the documented time, the worst case for the schedule, which learns "
     "only when the first have ended. Python's clients write nothing down and lock nothing."),
    ("many-tls", "Many at once, over TLS", "The same over HTTP/2, where the client has it."),
    ("ledger", "The ledger", "Five durable writes and a lock for each generation: what it costs that nothing is bought twice."),
    ("tls", "TLS", "A request with its own HTTP session, next to one with a shared session. The first handshake of a process is left out; later ones resume "
     "its TLS session where the server has TLS 1.3."),
    ("start-up", "Start", "Loading the plugin, and from `set_state(PLAYING)` to the first and the last byte of the submission, which "
     "two syncs of the ledger precede."),
    ("state-changes", "State changes", "What an application waits for in `set_state()` while the service stalls."),
    ("emulator", "The emulator", "What load it can handle."),
]


class Table:
    def __init__(self, lines, title):
        cells = [[cell.strip().strip("*") for cell in line.strip().strip("|").split("|")] for line in lines]
        self.title, self.head, self.rows = title, cells[0], cells[2:]

    def column(self, name):
        index = self.head.index(name)
        return [(row[0], number(row[index])) for row in self.rows]


def number(text):
    """The last number of a cell such as `0.33 / 0.35`; None where there is none."""
    found = re.findall(r"-?\d+(?:\.\d+)?", text)
    return float(found[-1]) if found else None


def tables_in(text):
    tables, lines, title = [], [], ""
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            lines.append(line)
        elif lines:
            tables.append(Table(lines, title))
            lines = []
        elif line:
            title = line.strip("*")
    return tables


def svg(title, height, body):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12" '
            f'role="img"><title>{html.escape(title)}</title><rect width="{WIDTH}" height="{height}" fill="#fff"/>'
            f'<text x="12" y="22" font-size="14" font-weight="bold">{html.escape(title)}</text>{body}</svg>\n')


def bars(title, values):
    """One bar a row, longest on the right."""
    values = [(name, value) for name, value in values if value is not None]
    longest = max([value for _, value in values] + [1e-9])
    body = ""
    for i, (name, value) in enumerate(values):
        y = 40 + i * 26
        length = max(1, value / longest * (WIDTH - LEFT - RIGHT))
        body += (f'<text x="{LEFT - 8}" y="{y + 14}" text-anchor="end">{html.escape(shortened(name))}</text>'
                 f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="18" fill="{COLOURS[0 if i == 0 else 4]}"/>'
                 f'<text x="{LEFT + length + 6:.1f}" y="{y + 14}">{value:g}</text>')
    return svg(title, 50 + len(values) * 26, body)


def lines(title, names, series, unit):
    """One line a row over equally spaced columns."""
    top, bottom, height = 44, 240, 280 + 18 * len(series)
    highest = max([value for _, values in series for value in values if value is not None] + [1e-9])
    step = (WIDTH - 140) / max(1, len(names) - 1)
    body = f'<line x1="60" y1="{bottom}" x2="{WIDTH - 60}" y2="{bottom}" stroke="#999"/>'
    for part in (0, 0.5, 1):
        y = bottom - part * (bottom - top)
        body += f'<text x="52" y="{y + 4:.1f}" text-anchor="end">{highest * part:.3g}</text>'
    for i, name in enumerate(names):
        body += f'<text x="{70 + i * step:.1f}" y="{bottom + 18}" text-anchor="middle">{html.escape(name)} {unit}</text>'
    for i, (name, values) in enumerate(series):
        colour = COLOURS[i % len(COLOURS)]
        points = [(70 + k * step, bottom - value / highest * (bottom - top)) for k, value in enumerate(values) if value is not None]
        body += (f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="'
                 + " ".join(f"{x:.1f},{y:.1f}" for x, y in points) + '"/>')
        body += "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points)
        y = bottom + 40 + i * 18
        body += f'<rect x="60" y="{y - 9}" width="14" height="4" fill="{colour}"/><text x="82" y="{y}">{html.escape(name)}</text>'
    return svg(title, height, body)


def shortened(name):
    return name if len(name) <= 40 else name[:39] + "…"


def plots_of(name, tables):
    """File name without ending -> SVG."""
    if name == "first-frame" and tables:
        rates = [head for head in tables[0].head if head.isdigit()]
        series = [(row[0], [number(row[tables[0].head.index(rate)]) for rate in rates]) for row in tables[0].rows]
        return {"first-frame": lines("Seconds to the first frame of " + tables[0].title.split(",")[0], rates, series, "Mbit/s")}
    if name == "throughput" and tables:
        sizes = [table.title.split(" from")[0] for table in tables]
        ways = [row[0] for row in tables[0].rows]
        series = [(way, [dict(table.column("peak RSS, MiB")).get(way) for table in tables]) for way in ways]
        return {"memory": lines("Peak memory by the size of the clip, MiB", sizes, series, "")}
    if name == "many" and tables:
        return {"many-delay": bars("Mean delay until a completion is noticed, s", tables[0].column("delay, mean s")),
                "many-memory": bars("Memory of a waiting generation, KiB", tables[0].column("KiB each"))}
    if name == "start-up" and len(tables) > 1:
        ways = sorted({row[1] for row in tables[1].rows})
        sizes = list(dict.fromkeys(row[0] for row in tables[1].rows))
        at = tables[1].head.index("last byte, ms")
        value = {(row[0], row[1]): number(row[at]) for row in tables[1].rows}
        return {"start-up": lines("Milliseconds until the submission has left, by the size of the image", sizes,
                                  [(way, [value.get((size, way)) for size in sizes]) for way in ways], "")}
    return {}


def machine():
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    version = subprocess.run(["gst-launch-1.0", "--version"], capture_output=True, text=True).stdout.splitlines()
    return f"{os.cpu_count()} x {model[1] if model else platform.machine()}, {version[1] if len(version) > 1 else 'GStreamer'}"


def main():
    results, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    page = ["# Performance", "",
            "Each table has been made by the command above it, on the machine and at the load that are named, with the other programs "
            "of the table in turn in the same run; medians unless a table says otherwise. `scripts/bench.sh` makes all of them. The "
            "commands of the others are in `tests/bench/`. Figures depend on the machine and on what else it does: what to compare is "
            "the rows of one table.", "",
            f"{time.strftime('%Y-%m-%d')}, {machine()}, load {os.getloadavg()[2]:.1f} over the last 15 minutes."]
    if "--quick" in sys.argv:
        page += ["", "**A quick run: few rounds, small numbers.**"]
    for name, title, about in SECTIONS:
        source = results / f"{name}.md"
        if not source.exists():
            continue
        text = source.read_text().strip()
        page += ["", f"## {title}", "", about, "", f"`scripts/bench.sh --only {name}`", "", text]
        for plot, picture in plots_of(name, tables_in(text)).items():
            (folder / f"performance-{plot}.svg").write_text(picture)
            page += ["", f"![{title}](performance-{plot}.svg)"]
    (folder / "performance.md").write_text("\n".join(page) + "\n")


main()
