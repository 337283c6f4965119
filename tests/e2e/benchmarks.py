#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""That the benchmarks still measure: each of them with small numbers. What they measure is not judged here."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from support import BUILD, SOURCE, main

BENCH = SOURCE / "tests/bench"
PEERS = {"Python asyncio, a poll every 5 s", "souphttpsrc ! fakesink (download only)", "fakesrc ! fakesink (in PAUSED)"}


def tables(text):
    """Rows of all tables, as dicts by the head of their table."""
    rows, head = [], None
    for line in [*text.splitlines(), ""]:
        cells = [cell.strip().strip("*") for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            head = None
        elif head is None:
            head = cells
        elif not line.startswith("|---"):
            rows.append(dict(zip(head, cells)))
    return rows


class Benchmarks(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir="/var/tmp")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        home = {name: str(self.folder / name) for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")}
        self.environment = os.environ | home | {"BENCH_PAUSE": "0.3", "GST_REGISTRY": str(self.folder / "registry")}

    def run_bench(self, *command):
        run = subprocess.run([str(part) for part in command], env=self.environment, capture_output=True, text=True, cwd=self.folder)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        return tables(run.stdout), run.stderr

    def many(self, *options):
        rows, errors = self.run_bench(sys.executable, BENCH / "many.py", BUILD, "--generations", "3", "--seconds", "1", "--rounds", "1",
                                      "--only", "engine", "elements", "asyncio", "souphttpsrc", "fakesrc", *options)
        rows = {row["client"]: row for row in rows}
        for name, row in rows.items():
            self.assertEqual((row["failed"], row["bought twice"]), ("0", "0"), name + errors)
            if name not in PEERS:
                self.assertEqual(row["opened for a purchase"], "3", name)
        return rows

    def test_many_at_once(self):
        rows = self.many()
        self.assertEqual(set(rows), PEERS | {"the engine", "aimlvideosrc ! fakesink"})
        self.assertEqual({row["handshakes"] for row in rows.values()}, {"0"})
        # a purchase, at least two questions and the clip; the clip alone; nothing
        self.assertGreaterEqual(int(rows["the engine"]["requests"]), 3 * 4)
        self.assertEqual(rows["souphttpsrc ! fakesink (download only)"]["requests"], "3")
        self.assertEqual(rows["fakesrc ! fakesink (in PAUSED)"]["requests"], "0")
        self.assertGreaterEqual(int(rows["fakesrc ! fakesink (in PAUSED)"]["threads in all"]), 1 + 3)

    def test_many_at_once_over_tls(self):
        for kind in ("--tls", "--http2"):
            rows = self.many(kind)
            self.assertEqual(rows["Python asyncio, a poll every 5 s"]["handshakes"], "3")
            for name, row in rows.items():
                opened = sum(int(row["opened for a " + what]) for what in ("purchase", "poll", "clip"))
                self.assertEqual((row["handshakes"], row["connections"]), (str(opened), str(opened)), name)

    def test_targets(self):
        clips = self.folder / "clips"
        clips.mkdir()
        (clips / "first.mp4").symlink_to(pathlib.Path(BUILD) / "tests/clips/faststart.mp4")
        rows, errors = self.run_bench(sys.executable, BENCH / "targets.py", BUILD, "--before", BUILD, "--clips", clips, "--quick",
                                      "--rounds", "1")
        groups = ["4 at once, HTTP", "4 at once, TLS, HTTP/1.1", "4 at once, TLS, HTTP/2", "aimlvideo batch --jobs 4, HTTP", "4 elements",
                  "4 elements in one pipeline", "4 pipelines", "second generation", "start without", "NULL", "first frame", "detection"]
        for group in groups:
            self.assertTrue(any(row["figure"].startswith(group) for row in rows), group)
        for row in rows:
            self.assertRegex(row["this version"], r"^-?\d", row["figure"] + errors)
            alone = ("10000", "certificates parsed once") # which the version before is not measured with
            if not any(name in row["figure"] for name in alone) and not row["figure"].startswith("4 at once, HTTP"):
                self.assertRegex(row["before"], r"^-?\d", row["figure"] + errors)
            if re.search(r"failed$|bought twice$", row["figure"]):
                self.assertEqual((row["this version"], row[""]), ("0", "PASS"), row["figure"] + errors)
            if row["figure"].endswith("handshakes for purchases"):
                self.assertEqual(row["this version"], "4", row["figure"])
                self.assertIn(row["peer"], ("4", "-"), row["figure"])

    def test_a_missed_target_is_over(self):
        sys.path.insert(0, str(BENCH))
        self.addCleanup(sys.path.remove, str(BENCH))
        import targets
        for now, most, verdict in ((16, 16, "PASS"), (16.1, 16, "over"), (None, 16, "over"), (5, None, "-")):
            self.assertEqual(targets.Row("a figure", now, None, None, most).verdict(), verdict)

    def test_one_at_a_time(self):
        programs = pathlib.Path(BUILD) / "tests/bench"
        rows, _ = self.run_bench(sys.executable, BENCH / "tls.py", BUILD, "--count", "3")
        self.assertEqual(len(rows), 4)
        rows, _ = self.run_bench(programs / "start-up", SOURCE / "examples/media/lighthouse.jpg", "1")
        self.assertEqual([row["image"] for row in rows if "image" in row], [f"{size} MB" for size in (0, 0, 1, 1, 10, 10, 40, 40)])
        rows, _ = self.run_bench(programs / "ledger-bench", "2")
        self.assertTrue(rows)


main()
