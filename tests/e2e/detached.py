#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Generations that no process waits for: `aimlvideo submit`, `wait` and `fetch`, killed, repeated and side by side. Never two
purchases, and nothing that is paid for is lost.

With --full it is killed at every point at which it writes or sends; otherwise at those around a send, and some that
AIMLVIDEO_SEED chooses.
"""

import contextlib
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import urllib.request

import envelope
import marks
from support import BUILD, KEY, PATIENCE, SOURCE, EndToEnd, main

COMMAND = os.environ["AIMLVIDEO_COMMAND"]
LIBRARY = os.environ["AIMLVIDEO_CRASH_POINTS"]
CLIP = BUILD / "tests/clips/faststart.mp4"
FULL = "--full" in sys.argv
PRICE = 0.455


class Detached(EndToEnd):
    emulator_options = ("--clip", str(CLIP))

    def environment(self, **more):
        return dict(os.environ, AIMLAPI_BASE_URL=self.emulator.url, AIMLAPI_KEY=KEY, **self.home) | more

    def begin(self, *arguments, **environment):
        return subprocess.Popen([COMMAND, *map(str, arguments)], env=self.environment(**environment), cwd=self.folder,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def end(self, process, code=0):
        """What it has printed; `code` may be several."""
        output, errors = process.communicate(timeout=PATIENCE)
        self.assertIn(process.returncode, code if isinstance(code, tuple) else (code,), output + errors)
        self.assertNotIn(KEY, output + errors)
        self.said = errors
        return output

    def run_command(self, *arguments, code=0, **environment):
        return self.end(self.begin(*arguments, **environment), code)

    def answer(self, *arguments, code=0, **environment):
        return envelope.answer(self.run_command(*arguments, "--json", code=code, **environment))

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        urllib.request.urlopen(urllib.request.Request(self.emulator.url + path, data, method=method)).close()

    def faults(self, *rules):
        self.call("PUT", "/emulator/faults", [{"match": match, "fault": fault} for match, fault in rules])

    def bought(self):
        return self.emulator.report()["billable"]

    def job(self, number):
        return self.answer("jobs", "show", number)["data"]

    def assert_fetched(self, job, name="clip.mp4"):
        self.run_command("fetch", job, "-o", name)
        self.assertTrue(marks.delivers((self.folder / name).read_bytes(), CLIP.read_bytes()))

    def test_a_submission_ends_once_it_is_accepted_and_on_disk(self):
        self.faults(({"phase": "poll"}, {"kind": "stall"}))
        self.assertEqual(self.run_command("submit", "A boat", "-d", 5), "1\n")
        self.assertEqual(self.emulator.report()["by_endpoint"].get("poll", 0), 0)
        row = self.job(1)
        self.assertEqual((row["state"], row["generation_id"]), ("running", self.emulator.report()["tasks"][0]["id"]))
        # the same again is the same job, whoever asks for it
        self.assertEqual(self.run_command("submit", "-p", "A boat", "--duration", 5), "1\n")
        self.assertEqual(self.answer("submit", "A boat", "-d", 5)["data"]["origin"], "resumed")
        self.assertEqual(self.run_command("submit", "A boat", "-d", 5, "--take", 1), "2\n")
        self.assertEqual(self.bought(), 2)

    def test_a_job_is_waited_for_and_fetched_later(self):
        self.faults(({"phase": "poll"}, {"kind": "unknown-state", "state": "generating"}))
        job = self.run_command("submit", "A boat").strip()
        self.assertRegex(self.run_command("wait", job, "--timeout", 1, code=75), rf"^{job} running \d+\n$")
        answer = self.answer("wait", job, "--timeout", 1, code=75)
        self.assertEqual((answer["error"]["code"], answer["data"]["jobs"][0]["state"]), ("not-ready", "running"))
        # what the model is documented to take
        self.assertGreater(answer["error"]["retry_after"], 60)
        self.assertEqual(answer["error"]["retry_after"], answer["data"]["jobs"][0]["retry_after"])
        self.faults()
        self.assertEqual(self.run_command("wait", job), f"{job} completed\n")
        self.assertEqual(self.emulator.report()["by_endpoint"].get("clip", 0), 0)
        # the ledger knows it: no key, no service
        self.assertEqual(self.run_command("wait", job, AIMLAPI_KEY="", AIMLAPI_BASE_URL="http://127.0.0.1:1"), f"{job} completed\n")
        self.assert_fetched(job)
        self.run_command("fetch", job, "-o", "clip.mp4", code=3)
        self.run_command("fetch", job, "-o", "clip.webm", "--profile", "webm")
        self.assertIn("video", self.probe(self.folder / "clip.webm"))
        self.assertEqual(self.run_command("submit", "A boat"), f"{job}\n")
        self.assertEqual(self.bought(), 1)

    def test_fetch_waits_for_what_is_not_made_yet(self):
        self.faults(({"phase": "poll", "nth": 1}, {"kind": "unknown-state", "state": "generating"}))
        self.assert_fetched(self.run_command("submit", "A boat").strip())
        self.assertEqual(self.bought(), 1)

    def test_several_are_waited_for_at_once_and_each_failure_is_told(self):
        jobs = [self.run_command("submit", prompt).strip() for prompt in ("a", "b")]
        self.faults(({"phase": "create"}, {"kind": "moderation"}))
        for prompt in ("c", "d"):
            self.run_command("submit", prompt, code=(0, 1))
        self.faults()
        everything = [str(job["id"]) for job in self.answer("jobs")["data"]["jobs"]]
        self.assertEqual(len(everything), 4)
        self.assertEqual(self.run_command("wait", *jobs), "".join(f"{job} completed\n" for job in jobs))
        answer = self.answer("wait", *everything, code=1)
        self.assertEqual(answer["error"]["code"], "jobs-failed")
        self.assertEqual({job["state"]: job.get("error", {}).get("code") for job in answer["data"]["jobs"]},
                         {"completed": None, "moderated": "generation-failed"})

    def test_many_submissions_at_once_of_the_same_are_one_purchase(self):
        self.faults(({"phase": "poll"}, {"kind": "stall"}))
        processes = [self.begin("submit", "A boat") for _ in range(6)]
        self.assertEqual({self.end(process) for process in processes}, {"1\n"})
        self.assertEqual(self.bought(), 1)

    def test_while_somebody_else_waits_for_it_a_submission_names_the_same_job(self):
        self.faults(({"phase": "poll"}, {"kind": "stall"}))
        other = self.begin("generate", "-p", "A boat", "-o", "other.mp4")
        self.emulator.wait_until(lambda report: report["by_endpoint"].get("poll", 0) > 0, "a poll")
        self.assertEqual(self.run_command("submit", "A boat"), "1\n")
        self.faults()
        self.call("POST", "/emulator/release")
        self.end(other)
        self.assertEqual(self.bought(), 1)

    def test_a_lost_answer_is_looked_up_and_until_then_the_job_is_pending(self):
        self.faults(({"phase": "create"}, {"kind": "lost-after"}), ({"phase": "logs"}, {"kind": "status", "status": 503}))
        answer = self.answer("submit", "A boat", code=75)
        self.assertEqual((answer["error"]["code"], answer["data"]["job"]["state"]), ("outcome-pending", "sent"))
        self.assertGreater(answer["error"]["retry_after"], 0)
        job = answer["data"]["job"]["id"]
        self.assertEqual(self.run_command("submit", "A boat", code=75), f"{job}\n")
        self.assertIn("Try again in ", self.said)
        self.assertRegex(self.run_command("wait", job, "--timeout", 1, code=75), rf"^{job} sent \d+\n$")
        # the log would have had it by now
        with contextlib.closing(sqlite3.connect(self.folder / "state/aimlvideo/ledger.sqlite3")) as ledger:
            ledger.execute("UPDATE purchase SET changed = changed - 3600000")
            ledger.commit()
        for command in (("submit", "A boat"), ("wait", job, "--timeout", 1)):
            answer = self.answer(*command, code=8)
            self.assertEqual(answer["error"]["code"], "unknown-outcome")
            self.assertIn(f"aimlvideo jobs resolve {job} --bought", answer["error"]["hint"])
        self.faults()
        answer = self.answer("submit", "A boat")
        self.assertEqual((answer["data"]["job"]["id"], answer["data"]["origin"]), (job, "looked-up"))
        self.assert_fetched(job)
        self.assertEqual(self.bought(), 1)

    def test_what_is_accepted_and_not_on_disk_is_not_reported_as_accepted(self):
        self.faults(({"phase": "create"}, {"kind": "slow", "bytes_per_second": 60}))
        process = self.begin("submit", "A boat", "--json")
        self.emulator.wait_until(lambda report: report["tasks"], "the purchase")
        with contextlib.closing(sqlite3.connect(self.folder / "state/aimlvideo/ledger.sqlite3", isolation_level=None)) as ledger:
            ledger.execute("BEGIN IMMEDIATE")  # nobody else writes until this has ended
            answer = envelope.answer(self.end(process, 75))
        self.faults()
        [task] = self.emulator.report()["tasks"]
        self.assertEqual((answer["error"]["code"], answer["data"]["job"]["state"]), ("outcome-pending", "sent"))
        self.assertIn(task["id"], answer["error"]["message"])
        answer = self.answer("submit", "A boat")
        self.assertEqual((answer["data"]["job"]["generation_id"], answer["data"]["origin"]), (task["id"], "looked-up"))
        self.assertEqual(self.bought(), 1)

    def test_waiting_settles_what_was_unknown(self):
        self.faults(({"phase": "create"}, {"kind": "lost-after"}), ({"phase": "logs"}, {"kind": "status", "status": 503}))
        job = self.run_command("submit", "A boat", code=75).strip()
        self.faults()
        self.assertEqual(self.run_command("wait", job), f"{job} completed\n")
        self.assertEqual(self.bought(), 1)

    def test_what_never_arrived_is_not_bought_again_by_waiting(self):
        self.faults(({"phase": "create"}, {"kind": "lost-before"}), ({"phase": "logs"}, {"kind": "status", "status": 503}))
        job = self.run_command("submit", "A boat", code=75).strip()
        self.faults()
        self.run_command("jobs", "resolve", job, "--not-bought")
        answer = self.answer("wait", job, code=5)
        self.assertEqual(answer["data"]["jobs"][0]["state"], "not-bought")
        self.run_command("fetch", job, "-o", "clip.mp4", code=5)
        self.assertEqual(self.bought(), 0)

    def test_make_makes_it_from_the_rules_of_the_document(self):
        rules = re.search(r"^```make\n(.*?)^```$", (SOURCE / "docs/detached.md").read_text(), re.MULTILINE | re.DOTALL)[1]
        (self.folder / "Makefile").write_text(rules)
        (self.folder / "boat.txt").write_text("A boat")
        path = f"{os.path.dirname(COMMAND)}:{os.environ['PATH']}"
        self.faults(({"phase": "create"}, {"kind": "lost-after"}), ({"phase": "logs"}, {"kind": "status", "status": 503}))
        for faults, code in ((True, 2), (False, 0)):
            if not faults:
                self.faults()
            run = subprocess.run(["make", "boat.mp4"], env=self.environment(PATH=path), cwd=self.folder, capture_output=True, text=True)
            self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        self.assertTrue(marks.delivers((self.folder / "boat.mp4").read_bytes(), CLIP.read_bytes()))
        self.assertEqual(self.bought(), 1)

    def test_what_would_buy_again_or_too_dear_is_refused(self):
        self.run_command("submit", "A boat", "--reuse", "none", code=3)
        self.run_command("submit", "A boat", "--max-cost", "0.01", code=3)
        self.run_command("submit", "A boat", "-d", 7, code=3)
        self.run_command("submit", "A boat", AIMLVIDEO_MAX_COST="0.01", code=3)
        self.assertEqual(self.bought(), 0)
        self.assertEqual(self.run_command("submit", "A boat", "--max-cost", PRICE), "1\n")

    def test_an_interruption_before_the_answer_says_the_job(self):
        self.faults(({"phase": "create"}, {"kind": "stall"}))
        process = self.begin("submit", "A boat")
        self.emulator.wait_until(lambda report: report["by_endpoint"].get("create", 0) > 0, "the request")
        process.send_signal(signal.SIGTERM)
        job = self.end(process, 130).strip()
        self.assertIn("finds out first", self.said)
        self.assertEqual(self.job(job)["state"], "sent")
        self.faults()
        self.call("POST", "/emulator/release")
        # whatever the service made of it
        self.run_command("submit", "A boat", code=(0, 75))
        self.assertLessEqual(self.bought(), 1)

    def fresh(self):
        for folder in self.home.values():
            shutil.rmtree(folder, ignore_errors=True)
        self.call("POST", "/emulator/reset")

    def killed(self, number, **more):
        return self.begin("submit", "A boat", LD_PRELOAD=LIBRARY, AIMLVIDEO_POINT_PROGRAM="aimlvideo",
                          AIMLVIDEO_POINT=str(number), **more)

    def points(self):
        """What it does when nothing kills it."""
        self.fresh()
        log = self.folder / "points"
        self.end(self.killed(0, AIMLVIDEO_POINT_LOG=str(log)))
        return [line.partition(" ")[2] for line in log.read_text().splitlines()]

    def test_killed_anywhere_the_same_submission_again_buys_nothing_twice_and_loses_nothing(self):
        points = self.points()
        self.assertGreater(sum("send" in point for point in points), 1)
        step = 1 if FULL else 9
        first = random.Random(os.environ.get("AIMLVIDEO_SEED")).randrange(step)
        ends = {}
        for number, point in enumerate(points, 1):
            if (number - 1) % step != first and "send" not in point:
                continue
            with self.subTest(number=number, point=point):
                self.fresh()
                self.end(self.killed(number), (0, -signal.SIGKILL))
                self.assertLessEqual(self.bought(), 1)
                answer = self.answer("submit", "A boat", code=(0, 75))
                ends[answer["ok"]] = ends.get(answer["ok"], 0) + 1
                if answer["ok"]:
                    self.assertEqual(self.bought(), 1)
                    self.assert_fetched(answer["data"]["job"]["id"], f"{number}.mp4")
                else:  # it left, as far as anybody knows, and did not arrive
                    self.assertEqual((self.bought(), answer["data"]["job"]["state"]), (0, "sent"))
                self.assertLessEqual(self.bought(), 1)
        print(f"{len(points)} points, {ends}", flush=True)
        self.assertGreater(ends[True], 0)


if __name__ == "__main__":
    sys.argv = [argument for argument in sys.argv if argument != "--full"]
    main()
