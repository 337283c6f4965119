#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What every command tells a program that ran it with --json: one contract, docs/output.schema.json."""

import json
import os
import re
import signal
import subprocess
import urllib.request

import envelope
from support import KEY, SOURCE, EndToEnd, main

COMMAND = os.environ["AIMLVIDEO_COMMAND"]
MODEL = "klingai/video-v2-6-pro-text-to-video"
PRICE = 0.455


def numbers_in(text):
    """As they are written."""
    return re.findall(r"(?<![\w\"])-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w\"])", re.sub(r'"(?:[^"\\]|\\.)*"', '""', text))


class JsonOutput(EndToEnd):
    emulator_options = ("--balance", "100.1")

    def environment(self, **more):
        return dict(os.environ, AIMLAPI_BASE_URL=self.emulator.url, AIMLAPI_KEY=KEY, **self.home) | more

    def run_command(self, *arguments, code=0, **environment):
        """All that it told, which agrees with its exit code."""
        run = subprocess.run([COMMAND, *map(str, arguments), "--json"], env=self.environment(**environment),
                             cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        self.assertNotIn(KEY, run.stdout + run.stderr)
        told = envelope.envelopes(run.stdout)
        answer = told[-1]
        self.assertEqual(answer["ok"], code == 0)
        self.assertEqual({entry["command"] for entry in told}, {answer["command"]})
        if code:
            self.assertEqual(answer["error"]["exit_code"], code)
            self.assertIn(f"| `{answer['error']['code']}` |", (SOURCE / "docs/errors.md").read_text())
            self.assertTrue(answer["error"]["hint"])
            if answer["error"]["code"] != "rows-failed":  # whose rows say why
                self.assertIn("aimlvideo: ", run.stderr)
        for number in numbers_in(run.stdout):
            self.assertLessEqual(len(number.partition(".")[2]), 6, number)
        self.seen.add(answer["command"])
        return told

    def answer(self, *arguments, **keywords):
        return self.run_command(*arguments, **keywords)[-1]

    def refused(self, code, exit_code, *arguments, **environment):
        answer = self.answer(*arguments, code=exit_code, **environment)
        self.assertEqual(answer["error"]["code"], code)
        return answer

    def setUp(self):
        super().setUp()
        self.seen = set()

    def fault(self, match, kind, **settings):
        rule = {"match": match, "fault": {"kind": kind, **settings}}
        urllib.request.urlopen(self.emulator.url + "/emulator/faults", json.dumps(rule).encode()).close()

    def test_every_command_answers_in_an_envelope(self):
        self.assertEqual(self.answer("balance")["data"], {"balance": 100.1, "currency": "USD"})
        self.assertIn("aimlvideo_jobs", [metric["name"] for metric in self.answer("metrics")["data"]["metrics"]])
        self.assertIn("ok", {check["state"] for check in self.answer("doctor")["data"]["checks"]})
        self.assertEqual(len(self.answer("models")["data"]["models"]), 153)
        self.assertEqual(self.answer("models", "--offline", MODEL)["data"]["id"], MODEL)
        self.assertIn("added_models", self.answer("models", "--refresh")["data"])
        checked = self.answer("check", "-p", "A cat", "-m", MODEL)
        self.assertEqual((checked["data"]["valid"], checked["data"]["usd_estimated"]), (True, PRICE))
        made = self.run_command("generate", "-p", "A cat", "-o", "cat.mp4")
        self.assertEqual({line["event"] for line in made[:-1]}, {"progress"})
        self.assertEqual((made[-1]["event"], made[-1]["data"]["usd_spent"]), ("finished", PRICE))
        (self.folder / "clips.csv").write_text("prompt,output\nA cat,one.mp4\nA dog,two.mp4\n")
        self.assertEqual(self.answer("batch", "clips.csv", "--check", "--max-cost", 5)["data"], {"rows": 2, "usd_estimated": PRICE})
        made = self.run_command("batch", "clips.csv")
        self.assertEqual([line["event"] for line in made], ["row", "row", "summary"])
        self.assertEqual({line["data"]["state"] for line in made[:-1]}, {"made"})
        self.assertEqual((made[-1]["data"]["bought"], made[-1]["data"]["usd_spent"]), (1, PRICE))
        listed = self.answer("jobs")
        self.assertEqual((listed["command"], listed["data"]["usd_spent"]), ("jobs list", 2 * PRICE))
        job = listed["data"]["jobs"][0]
        self.assertEqual(self.answer("jobs", "show", job["id"])["data"], job)
        self.assertEqual(self.answer("jobs", "resume", job["id"], "again.mp4")["data"], {"id": job["id"], "output": str(self.folder / "again.mp4")})
        submitted = self.answer("submit", "A cat")["data"]
        self.assertEqual((submitted["job"]["state"], submitted["origin"]), ("completed", "replayed"))
        self.assertEqual(self.answer("wait", submitted["job"]["id"])["data"], {"jobs": [submitted["job"]]})
        fetched = self.run_command("fetch", job["id"], "-o", "fetched.mp4")
        self.assertEqual((fetched[-1]["event"], fetched[-1]["data"]["output"]), ("finished", "fetched.mp4"))
        self.assertEqual(self.answer("jobs", "forget", job["id"], "--force")["data"], {"id": job["id"]})
        limits = [self.answer("limit", *words)["data"]["limits"] for words in (("set", "--per-day", 5), (), ("unset",))]
        self.assertEqual([[(limit["usd"], limit["usd_spent"]) for limit in told] for told in limits],
                         [[(5, 2 * PRICE)], [(5, 2 * PRICE)], []])
        inspected = self.answer("inspect", "cat.mp4", "fetched.mp4")["data"]["files"]
        self.assertEqual([(file["file"], file["marked"]) for file in inspected], [("cat.mp4", True), ("fetched.mp4", True)])
        self.assertIn("DigitalSourceType", self.answer("inspect", "--xmp", "cat.mp4")["data"]["xmp"])
        self.assertEqual(len(self.answer("cache")["data"]["files"]), 2)
        self.assertEqual(self.answer("cache", "size")["data"]["clips"], 2)
        self.assertEqual(self.answer("cache", "verify")["data"], {"right": 1, "damaged": 0})
        self.assertEqual(self.answer("cache", "prune", "--max-size", 0)["data"], {"removed": 2})
        commands = re.findall(r"^  ([a-z]+) ", subprocess.run([COMMAND, "help"], capture_output=True, text=True).stdout, re.MULTILINE)
        self.assertEqual({name.split()[0] for name in self.seen} | {"mcp"}, set(commands))  # which speaks otherwise

    def test_every_failure_has_a_code_of_the_list(self):
        self.refused("usage", 2, "modls")
        self.refused("usage", 2, "models", "--jsn")
        self.refused("usage", 2, "generate", "-p", "A cat", "--duration", "x", "-o", "cat.mp4")
        self.refused("usage", 2, "jobs", "show")
        invalid = self.refused("bad-request", 3, "check", "-p", "A cat", "-d", 7)
        self.assertEqual(invalid["data"], {"valid": False})
        self.assertEqual(self.refused("bad-request", 3, "generate", "-p", "A cat", "-d", 7, "-o", "cat.mp4")["event"], "failed")
        self.refused("not-authorized", 4, "balance", AIMLAPI_KEY="")
        self.refused("not-found", 5, "models", "klingai/video-v2.6-pro-txt-to-video")
        self.refused("not-found", 5, "jobs", "show", 7)
        self.refused("not-found", 5, "wait", 7)
        self.refused("usage", 2, "mcp", "--max-cost", "x")
        self.refused("usage", 2, "limit", "set")
        self.refused("usage", 2, "limit", "set", "--per-day", "x")
        self.refused("not-found", 5, "fetch", 7, "-o", "a.mp4")
        self.refused("bad-request", 3, "submit", "A cat", "--reuse", "none")
        self.refused("unreachable", 6, "balance", "--base-url", "http://127.0.0.1:1", AIMLAPI_BASE_URL="http://127.0.0.1:1")
        (self.folder / "wrong.csv").write_text("prompt,output,duration\nA cat,one.mp4,7\nA dog,two.mp4,7\n")
        wrong = self.refused("bad-request", 3, "batch", "wrong.csv")
        self.assertEqual(len(wrong["error"]["problems"]), 2)
        (self.folder / "clips.csv").write_text("prompt,output\nA cat,one.mp4\nA dog,two.mp4\n")
        self.refused("over-budget", 9, "batch", "clips.csv", "--max-cost", PRICE)
        self.fault({"phase": "create", "nth": 1}, "moderation")
        told = self.run_command("batch", "clips.csv", code=1)
        self.assertEqual(told[-1]["error"]["code"], "rows-failed")
        self.assertEqual([line["error"]["code"] for line in told[:-1] if "error" in line], ["generation-failed"])

    def test_a_warning_is_in_the_answer(self):
        answer = self.answer("check", "-p", "A cat", "--offline", "--parameters", '{"lighting":"soft"}')
        self.assertIn("has no parameter lighting", answer["warnings"][0])

    def test_a_value_that_reads_like_the_option_is_none(self):
        run = subprocess.run([COMMAND, "check", "--offline", "-p", "--json"], env=self.environment(), capture_output=True, text=True)
        self.assertIn("The request fits the model", run.stdout)

    def test_an_interruption_is_answered(self):
        self.fault({"phase": "poll"}, "status", status=503)
        process = subprocess.Popen([COMMAND, "generate", "-p", "A cat", "-o", "cat.mp4", "--json"], env=self.environment(),
                                   cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.emulator.wait_until(lambda report: report["tasks"], "the purchase")
        line = process.stdout.readline()
        while "generation_id" not in json.loads(line)["data"]:
            line = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        answer = envelope.answer(process.communicate()[0])
        self.assertEqual((process.returncode, answer["error"]["code"], answer["error"]["exit_code"]), (130, "cancelled", 130))
        self.assertEqual(answer["error"]["generation_id"], answer["data"]["generation_id"])


if __name__ == "__main__":
    main()
