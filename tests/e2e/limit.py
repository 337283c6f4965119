#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`aimlvideo limit`: what may be spent in a day and a month, whatever buys, and however much of it at once."""

import calendar
import contextlib
import csv
import datetime
import json
import os
import re
import sqlite3
import subprocess
import time
import urllib.request

import envelope
import mcp
from support import BUILD, KEY, PATIENCE, EndToEnd, main

COMMAND = os.environ["AIMLVIDEO_COMMAND"]
CLIP = BUILD / "tests/clips/faststart.mp4"
KLING = "klingai/video-v2-6-pro-text-to-video"
PRICE = 0.455


class Limit(EndToEnd):
    emulator_options = ("--clip", str(CLIP), "--log-delay", "0")

    def setUp(self):
        while 24 * 60 * 60 - time.time() % (24 * 60 * 60) < PATIENCE:  # a test is in one day, by UTC
            time.sleep(1)
        super().setUp()

    def environment(self, **more):
        return dict(os.environ, AIMLAPI_BASE_URL=self.emulator.url, AIMLAPI_KEY=KEY, **self.home) | more

    def start(self, *arguments):
        return subprocess.Popen([COMMAND, *map(str, arguments)], env=self.environment(), cwd=self.folder, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run_command(self, *arguments, code=0):
        run = self.start(*arguments)
        output, errors = run.communicate()
        self.assertEqual(run.returncode, code, output + errors)
        self.assertNotIn(KEY, output + errors)
        return output + errors

    def answer(self, *arguments, code=0):
        """What a program is told, by the schema."""
        run = self.start(*arguments, "--json")
        output, errors = run.communicate()
        self.assertEqual(run.returncode, code, output + errors)
        return envelope.answer(output)

    def limits(self, *arguments):
        return self.answer("limit", *arguments)["data"]["limits"]

    def spent(self):
        limit = self.limits()[0]
        return limit["usd_spent"], limit["usd_reserved"]

    def fault(self, match, kind, **settings):
        rule = {"match": match, "fault": {"kind": kind, **settings}}
        urllib.request.urlopen(self.emulator.url + "/emulator/faults", json.dumps(rule).encode()).close()

    def mend(self):
        urllib.request.urlopen(urllib.request.Request(self.emulator.url + "/emulator/faults", b"[]", method="PUT")).close()

    def sent(self):
        """Submissions that the service has seen."""
        return self.emulator.report()["by_endpoint"].get("create", 0)

    def bought(self):
        return self.emulator.report()["billable"]

    def test_limits_are_set_shown_and_removed(self):
        self.assertIn("There is no limit", self.run_command("limit"))
        self.assertEqual(self.limits(), [])
        self.run_command("limit", "set", "--per-day", "20", "--per-month", "300")
        self.run_command("submit", "A boat")
        self.run_command("wait", "1")
        day, month = self.limits("set", "--per-day", 0.5)
        today = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
        begin = today.replace(day=1)
        end = begin + datetime.timedelta(days=calendar.monthrange(begin.year, begin.month)[1])
        self.assertEqual(month, {"period": "month", "usd": 300, "usd_spent": PRICE, "usd_reserved": 0, "usd_left": 299.545,
                                 "unpriced": 0, "since": int(begin.timestamp()), "until": int(end.timestamp())})
        self.assertEqual((day["usd"], day["usd_left"], day["since"]), (0.5, 0.045, int(today.timestamp())))
        self.assertEqual([limit.get("model") for limit in self.limits("set", "--model", KLING, "--per-day", 1)], [None, None, KLING])
        shown = self.run_command("limit")
        self.assertRegex(shown, r"day +0\.50 USD +0\.455 USD +0\.00 USD +0\.045 USD +" + f"{today + datetime.timedelta(1):%Y-%m-%d} 00:00 +all")
        self.assertIn(KLING, shown)
        self.assertIn("not known. Did you mean " + KLING, self.run_command("limit", "set", "-m", KLING + "x", "--per-day", 1))
        self.assertEqual(len(self.limits("unset", "--model", KLING + "x")), 3)
        self.assertEqual(len(self.limits("unset", "day")), 1)
        self.assertEqual(self.limits("unset"), [])
        for wrong in (("set",), ("set", "--per-day", "0,5"), ("set", "day"), ("unset", "week"), ("--per-day", 1), ("sett",),
                      ("-m", KLING)):
            self.assertIn("aimlvideo: ", self.run_command("limit", *wrong, code=2))

    def test_whatever_buys_at_once_stays_below_the_limit_and_uses_all_of_it(self):
        self.run_command("limit", "set", "--per-day", 3.5 * PRICE)
        launches = [self.launch("aimlvideosrc", f"prompt=element {i}", "!", "filesink", f"location={self.folder}/{i}.mp4")
                    for i in range(2)]
        runs = [self.start("submit", f"submitted {i}", "--json") for i in range(3)]
        runs += [self.start("generate", f"generated {i}", "-o", f"generated{i}.mp4", "--json") for i in range(3)]
        ended = [(launch.end()[0] == 0, launch.output) for launch in launches]
        for run in runs:
            output, errors = run.communicate()
            ended.append((run.returncode == 0, output + errors))
            self.assertIn(run.returncode, (0, 3), output + errors)
        self.assertEqual(self.bought(), 3)
        self.assertEqual(sum(made for made, _ in ended), 3)
        for made, said in ended:
            if not made:
                self.assertIn("would exceed the limit of 1.5925 USD a day", said)
        self.run_command("wait", *(job["id"] for job in self.answer("jobs")["data"]["jobs"]))
        self.assertEqual(self.spent(), (round(3 * PRICE, 6), 0))

    def test_a_refused_element_has_one_error_and_sends_nothing(self):
        self.run_command("limit", "set", "--per-day", 0.4)
        code, output = self.launch("aimlvideosrc", "prompt=a boat", "!", "fakesink").end()
        self.assertNotEqual(code, 0)
        first, *others = re.findall(r"^ERROR: from element \S+: (.*)$", output, re.MULTILINE)
        self.assertLessEqual(set(others), {"Internal data stream error."})  # the base class's
        for text in ("would exceed the limit of 0.40 USD a day", "0.00 USD are spent or reserved", "estimated at 0.455 USD",
                     "It costs more than the limit is"):
            self.assertIn(text, first)
        self.assertEqual(self.sent(), 0)
        self.assertEqual(self.answer("jobs")["data"]["jobs"], [])

    def test_the_error_says_when_there_is_room_and_what_is_bought_is_had(self):
        self.run_command("limit", "set", "--per-month", 0.5)
        self.run_command("generate", "A boat", "-o", "boat.mp4")
        refused = self.answer("generate", "A ship", "-o", "ship.mp4", code=3)["error"]
        self.assertEqual((refused["code"], refused["room_at"]), ("bad-request", self.limits()[0]["until"]))
        self.assertIn(time.strftime("There is room again on %Y-%m-%d at 00:00 UTC", time.gmtime(refused["room_at"])), refused["hint"])
        (self.folder / "boat.mp4").unlink()
        self.run_command("generate", "A boat", "-o", "boat.mp4")
        self.run_command("fetch", "1", "-o", "again.mp4")
        self.assertEqual(self.sent(), 1)

    def test_a_batch_leaves_out_what_has_no_room_and_makes_it_when_there_is(self):
        with open(self.folder / "clips.csv", "w") as file:
            csv.writer(file).writerows([("prompt", "output"), *((f"boat {i}", f"{i}.mp4") for i in range(5))])
        self.run_command("limit", "set", "--per-day", 2.2 * PRICE)
        answer = self.answer("batch", "clips.csv", "--report", "report", code=9)
        self.assertEqual((answer["error"]["code"], answer["data"]["made"], answer["data"]["over_budget"], answer["data"]["failed"]),
                         ("over-budget", 2, 3, 0))
        self.assertIn("a limit on spending leaves 3 rows out: the purchase would exceed", answer["error"]["message"])
        self.assertIn("would exceed the limit", (self.folder / "report/index.html").read_text())
        self.assertEqual(self.bought(), 2)
        self.run_command("limit", "set", "--per-day", 10)
        self.run_command("batch", "clips.csv")
        self.assertEqual(self.bought(), 5)

    def test_an_agent_is_kept_below_it(self):
        self.run_command("limit", "set", "--per-day", 1.5 * PRICE)
        server = mcp.Server(self, "--max-cost", 5)
        self.addCleanup(server.process.kill)
        self.assertTrue(server.call("submit", prompt="A boat")["ok"])
        refused = server.call("submit", prompt="A ship")["error"]
        self.assertIn("would exceed the limit", refused["message"])
        server.end()
        self.assertEqual(self.sent(), 1)

    def test_a_failure_that_is_not_billed_gives_its_room_back(self):
        self.run_command("limit", "set", "--per-day", 1.5 * PRICE)
        self.fault({"phase": "create", "nth": 1}, "moderation")
        self.run_command("generate", "A boat", "-o", "boat.mp4", code=1)
        self.assertEqual(self.spent(), (0, 0))
        self.run_command("generate", "A ship", "-o", "ship.mp4")
        self.assertEqual(self.spent(), (PRICE, 0))

    def test_an_unknown_outcome_counts_as_spent_until_it_is_known(self):
        self.run_command("limit", "set", "--per-day", 1.5 * PRICE)
        self.fault({"phase": "create", "nth": 1}, "lost-before")
        self.fault({"phase": "logs"}, "status", status=503)
        self.answer("submit", "A boat", "--timeout", 2, code=8)
        self.assertEqual(self.spent(), (0, PRICE))
        self.assertIn("0.455 USD that are reserved", self.run_command("generate", "A ship", "-o", "ship.mp4", code=3))
        self.assertEqual(self.sent(), 1)
        self.run_command("jobs", "resolve", "1", "--not-bought")
        self.assertEqual(self.spent(), (0, 0))
        self.mend()
        self.run_command("generate", "A ship", "-o", "ship.mp4")

    def test_what_a_killed_process_was_about_to_buy_is_not_shown_as_reserved(self):
        self.run_command("limit", "set", "--per-day", 1)
        self.run_command("generate", "A boat", "-o", "boat.mp4")
        with contextlib.closing(sqlite3.connect(self.folder / "state/aimlvideo/ledger.sqlite3")) as ledger, ledger:
            ledger.execute("UPDATE purchase SET state = 'intent', usd = NULL")
        self.assertEqual(self.spent(), (0, 0))

    def test_what_has_no_price_is_refused_and_without_a_limit_nobody_asks(self):
        self.fault({"phase": "models"}, "status", status=503)
        self.run_command("generate", "A boat", "-o", "boat.mp4")
        self.assertNotIn("models", self.emulator.report()["by_endpoint"])
        self.run_command("limit", "set", "--per-day", 100)
        self.assertIn("the price is not known and a limit on spending is set",
                      self.run_command("generate", "A ship", "-o", "ship.mp4", code=3))
        self.assertEqual(self.sent(), 1)


if __name__ == "__main__":
    main()
