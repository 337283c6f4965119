#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`aimlvideo jobs` for a person: what was it, where is it, what did it cost; on any terminal, with hundreds of jobs."""

import datetime
import fcntl
import json
import os
import pty
import re
import sqlite3
import struct
import subprocess
import termios
import time
import unicodedata

import envelope
from support import KEY, EndToEnd, main

COMMAND = os.environ["AIMLVIDEO_COMMAND"]
PROMPTS = ("A paper boat on a stream", "灯台の夕暮れ、カメラはゆっくり引く", "A lantern 🏮 and a long, long, long walk " * 4,
           "Ein Schiff aus Papier")
KLING = "klingai/video-v2-6-pro-text-to-video"
NARROWEST = 40


def cells(line):
    """What a terminal needs for it, by Python's own tables."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


class Jobs(EndToEnd):
    def setUp(self):
        super().setUp()
        self.environment = dict(os.environ, AIMLAPI_KEY=KEY, AIMLAPI_BASE_URL=self.emulator.url, LC_ALL="C.UTF-8", TZ="UTC",
                                **self.home)

    def run_command(self, *arguments, code=0, **more):
        run = subprocess.run([COMMAND, *map(str, arguments)], env=self.environment | more, cwd=self.folder, capture_output=True,
                             text=True)
        self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        return run.stdout + run.stderr

    def on_terminal(self, width, *arguments):
        """The lines that a terminal of this width gets."""
        terminal, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
        with subprocess.Popen([COMMAND, *map(str, arguments)], env=self.environment, cwd=self.folder, stdout=inside) as process:
            os.close(inside)
            output = b""
            while True:
                try:
                    part = os.read(terminal, 65536)
                except OSError:  # its other end is closed
                    break
                output += part
        os.close(terminal)
        self.assertEqual(process.returncode, 0)
        return output.decode().replace("\r\n", "\n").splitlines()

    def database(self):
        return sqlite3.connect(self.home["XDG_STATE_HOME"] + "/aimlvideo/ledger.sqlite3")

    def add(self, count, age=0, **columns):
        """Rows as earlier versions of this program, or this one, may have left them."""
        now = int(time.time() * 1000)
        with self.database() as database:
            names = [row[1] for row in database.execute("PRAGMA table_info(purchase)") if row[1] != "id"]
            for number in range(count):
                row = dict.fromkeys(names, "") | dict(
                    state="completed", replayable=1, base_url=self.emulator.url, model=KLING, family="universal", usd=0.455,
                    credits=None, clip_size=0, identity=f"{columns} {number}", generation_id=f"gen-{number}",
                    created=now - age * 1000, changed=now, submitted=now - 5000)
                row |= {name: value(number) if callable(value) else value for name, value in columns.items()}
                database.execute(f"INSERT INTO purchase ({','.join(names)}) VALUES ({','.join('?' * len(names))})",
                                 [row[name] for name in names])

    def four_hundred(self):
        self.run_command("jobs")
        self.add(400, prompt=lambda number: PROMPTS[number % len(PROMPTS)],
                 output=lambda number: f"{self.folder}/clips/take-{number}.mp4")

    def test_four_hundred_jobs_fit_any_terminal(self):
        self.four_hundred()
        for width in (NARROWEST, 60, 80, 200):
            lines = self.on_terminal(width, "jobs")
            table, summary = lines[:-1], lines[-1]
            self.assertEqual(summary, "20 of 400 jobs, 182.00 USD in all; --limit 0 lists all")
            self.assertEqual(len(table), 21)
            for line in table:
                self.assertLessEqual(cells(line), width, line)
                self.assertNotIn("\t", line)
            self.assertIn("A paper", "\n".join(table))
            # columns stand below each other whatever is in them
            column = cells(table[0][:table[0].index("PROMPT")])
            for line in table[1:]:
                self.assertEqual(cells(re.match(r".*?455  ", line)[0]), column, line)
            self.assertEqual("OUTPUT" in table[0], width > NARROWEST)
            self.assertEqual("MODEL" in table[0], width > 60)
        self.assertIn("clips/take-399.mp4", lines[1])  # as one names it here
        self.assertIn(KLING, lines[1])
        self.assertEqual(len(self.on_terminal(80, "jobs", "--limit", "0")), 402)

    def test_what_nobody_looks_at_is_whole(self):
        self.four_hundred()
        lines = self.run_command("jobs").splitlines()
        self.assertEqual(len(lines), 402)
        self.assertEqual(lines[-1], "400 jobs, 182.00 USD")
        self.assertTrue(all(PROMPTS[number % 4].strip() in lines[400 - number] for number in range(400)))
        self.assertEqual(len(self.run_command("jobs", "-n", 3).splitlines()), 5)

    def test_filters_choose_and_the_sum_is_of_what_they_choose(self):
        self.run_command("jobs")
        self.add(3, prompt="A paper boat", age=10 * 24 * 3600)
        self.add(2, prompt="A PAPER lantern", model="minimax/hailuo-02", usd=0.4)
        self.add(1, prompt="Ein Weiß und Grün", state="moderated", cause="the safety system")
        self.add(1, state="sent", generation_id="", usd=None)
        self.add(1, state="running", usd=None, output="/elsewhere/boat.webm")

        def chosen(*arguments):
            data = envelope.data(self.run_command("jobs", "list", *arguments, "--json"))
            self.assertEqual(data["matching"], len(data["jobs"]))
            return [job["id"] for job in data["jobs"]]
        self.assertEqual(chosen(), [8, 7, 6, 5, 4, 3, 2, 1])
        self.assertEqual(chosen("paper"), [5, 4, 3, 2, 1])
        self.assertEqual(chosen("PAPER", "boat"), [3, 2, 1])
        self.assertEqual(chosen("weiss", "grün"), [6])
        self.assertEqual(chosen("boat.webm"), [8])
        self.assertEqual(chosen("safety"), [6])
        self.assertEqual(chosen("gen-2"), [3])
        self.assertEqual(chosen("--model", "Hailuo"), [5, 4])
        self.assertEqual(chosen("--since", "2h"), [8, 7, 6, 5, 4])
        self.assertEqual(chosen("--since", "2w", "boat"), [8, 3, 2, 1])
        day = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=10)
        self.assertEqual(chosen("--since", (day - datetime.timedelta(days=1)).strftime("%Y-%m-%d")), [8, 7, 6, 5, 4, 3, 2, 1])
        self.assertEqual(chosen("--since", (day + datetime.timedelta(days=1)).strftime("%Y-%m-%d 00:00")), [8, 7, 6, 5, 4])
        self.assertEqual(chosen("--state", "sent,moderated"), [7, 6])
        self.assertEqual(chosen("--unfinished"), [8, 7])
        limited = envelope.data(self.run_command("jobs", "--json", "--limit", 2, "--state", "completed"))
        self.assertEqual(([job["id"] for job in limited["jobs"]], limited["matching"], limited["usd_spent"]), ([5, 4], 5, 0.8))
        self.assertIn("\n5 of 8 jobs, 2.165 USD\n", self.run_command("jobs", "list", "paper"))
        self.assertIn("\n8 jobs, 2.165 USD and 1 of unknown outcome\n", self.run_command("jobs"))
        self.assertEqual(self.run_command("jobs", "list", "nothing like that"), "none of 8 jobs\n")
        self.assertRegex(self.run_command("jobs", "list", "hailuo"), r"\b5 +completed +\d+s +0\.40 ")
        self.assertRegex(self.run_command("jobs", "list", "boat"), r"\b3 +completed +10d +0\.455 ")
        self.assertRegex(self.run_command("jobs", "--state", "sent"), r"\b7 +sent +\d+s +\? ")

    def test_mistakes_are_answered_with_what_was_meant(self):
        for arguments, answer in ((("lst",), "Did you mean list?"), (("boat",), "'aimlvideo jobs list boat' looks for"),
                                  (("12",), "'aimlvideo jobs show 12' shows"), (("--state", "runing"), "Did you mean running?"),
                                  (("--since", "yesterday"), "2h, 3d"), (("--since", "2026-13-01"), "is no time"),
                                  (("--limit=-2",), "--limit"), (("show", "1", "--limit", "3"), "about one job"),
                                  (("show", "1", "2"), '"2" is one argument too many')):
            with self.subTest(arguments):
                self.assertIn(answer, self.run_command("jobs", *arguments, code=2))

    def test_a_purchase_is_known_by_its_prompt_and_output_from_its_order_on(self):
        self.run_command("generate", "-p", PROMPTS[1], "-o", "灯台.mp4")
        job = envelope.data(self.run_command("jobs", "--json"))["jobs"][0]
        self.assertEqual((job["prompt"], job["output"]), (PROMPTS[1], f"{self.folder}/灯台.mp4"))
        self.assertGreaterEqual(job["changed"], job["accepted"])
        # what is made of it later counts
        self.run_command("generate", "-p", PROMPTS[1], "-o", "again.webm", "--profile", "webm")
        told = self.run_command("jobs", "show", job["generation_id"])
        self.assertIn(f"output: {self.folder}/again.webm\n", told)
        for part in ("job 1, completed", PROMPTS[1], KLING, "0.455 USD", job["client_request_id"], "took: ", "duration: 5 s",
                     "its clip is kept", "jobs resume 1 FILE"):
            self.assertIn(part, told)
        (self.folder / "again.webm").unlink()
        self.run_command("cache", "prune", "--max-size", "0")
        told = self.run_command("jobs", "show", 1)
        self.assertIn("again.webm (not there)", told)
        self.assertIn("its clip is not kept here", told)
        self.run_command("jobs", "resume", 1, "resumed.mp4")
        self.assertIn(f"output: {self.folder}/resumed.mp4\n", self.run_command("jobs", "show", 1))

    def test_who_wants_no_prompts_in_the_ledger_has_none(self):
        self.run_command("generate", "-p", "A secret boat", "-o", "boat.mp4", "--store-prompt=false")
        self.run_command("jobs", "resume", 1, "resumed.mp4")
        job = envelope.data(self.run_command("jobs", "--json"))["jobs"][0]
        self.assertNotIn("prompt", job)
        self.assertNotIn("output", job)
        self.assertEqual(list(self.database().execute("SELECT prompt, output FROM purchase")), [("", "")])

    def test_what_is_bought_is_not_forgotten_by_mistake(self):
        self.run_command("jobs")
        self.add(1, state="completed")
        self.add(1, state="running", usd=None)
        self.add(1, state="sent", usd=None, generation_id="")
        self.add(1, state="failed")
        for job, reason in ((1, "it is bought for 0.455 USD, and without its row the same request is bought again"),
                            (2, "it is bought, and without its row"), (3, "it may be bought, and without its row")):
            self.assertIn(reason, self.run_command("jobs", "forget", job, code=3))
            self.assertIn(f"job {job} is forgotten: {reason}", self.run_command("jobs", "forget", job, "--force"))
        self.assertEqual(self.run_command("jobs", "forget", 4), "job 4 is forgotten\n")
        self.assertEqual(self.run_command("jobs"), "0 jobs, 0.00 USD\n")


if __name__ == "__main__":
    main()
