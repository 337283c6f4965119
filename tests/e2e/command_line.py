#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command `aimlvideo`: what people read, what programs read, and the exit codes that scripts test for."""

import json
import os
import pty
import re
import subprocess
import tempfile

import envelope
from support import IMAGE, KEY, EndToEnd, main

COMMAND = os.environ["AIMLVIDEO_COMMAND"]
COMMANDS = ("models", "check", "generate", "batch", "submit", "wait", "fetch", "mcp", "metrics", "balance", "doctor", "jobs", "cache")
MODEL = "klingai/video-v2-6-pro-text-to-video"


class CommandLine(EndToEnd):
    emulator_options = ("--balance", "100")

    def run_command(self, *arguments, key=KEY, **environment):
        environment = dict(os.environ, AIMLAPI_BASE_URL=self.emulator.url, AIMLAPI_KEY=key,
                           XDG_CACHE_HOME=str(self.folder), **environment)
        run = subprocess.run([COMMAND, *map(str, arguments)], env=environment, cwd=self.folder, capture_output=True,
                             text=True)
        self.assertNotIn(KEY, run.stdout + run.stderr)
        return run

    def output_of(self, *arguments, **keywords):
        run = self.run_command(*arguments, **keywords)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout

    def json_of(self, *arguments):
        return envelope.data(self.output_of(*arguments, "--json"))

    def refused(self, code, *arguments, **keywords):
        run = self.run_command(*arguments, **keywords)
        self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        self.assertEqual(run.stdout if code != 2 else "", "")
        return run.stderr

    def test_help_lists_the_commands_and_each_explains_itself(self):
        text = self.output_of("help")
        for command in COMMANDS:
            self.assertIn(f"  {command}", text)
            self.assertIn(f"aimlvideo {command}", self.output_of("help", command))
            self.assertIn("--json", self.output_of(command, "--help"))
        self.assertRegex(self.output_of("--version"), r"^aimlvideo \d+\.\d+\.\d+\n$")

    def test_a_wrong_command_line_is_exit_code_2(self):
        self.assertIn('no command "modls"', self.refused(2, "modls"))
        self.assertIn("--jsn", self.refused(2, "models", "--jsn"))
        self.assertIn("one argument too many", self.refused(2, "balance", "a"))
        self.assertIn("generate-audio can't be \"maybe\": allowed is false, true or default", self.refused(2, "check", "--generate-audio", "maybe"))
        self.assertIn("needs an ID and a FILE", self.refused(2, "jobs", "resume", "1"))
        self.refused(2)

    def test_sizes_are_written_as_people_do(self):
        self.assertIn("0 clips removed", self.output_of("cache", "prune", "--max-size", "500MB"))
        self.assertIn("such as 500MB or 8GiB", self.refused(2, "cache", "prune", "--max-size", "lots"))
        self.assertIn("such as 500MB", self.refused(2, "generate", "A boat", "--max-clip-size", "lots"))

    def test_what_is_misspelt_gets_the_nearest_name(self):
        self.assertIn('no command "genrate". Did you mean generate?', self.refused(2, "genrate"))
        self.assertNotIn("Did you mean", self.refused(2, "film"))
        self.assertIn("Did you mean --duration?", self.refused(2, "check", "-p", "a", "--durration", "5"))
        self.assertIn("Did you mean --aspect-ratio?", self.refused(2, "check", "-p", "a", "--aspect_ratio=16:9"))
        self.assertNotIn("Did you mean", self.refused(2, "check", "--", "--durration", "5"))
        self.assertIn("aimlvideo COMMAND --json", self.refused(2, "--json", "models"))

    def test_the_short_help_has_what_most_need_and_the_full_one_everything(self):
        short, full = self.output_of("generate", "--help"), self.output_of("generate", "--help-all")
        for text in (short, full):
            headings = re.findall(r"^(\w[\w ]*):$", text, re.MULTILINE)
            self.assertEqual(headings[-4:], ["What to make", "Money", "The service", "Other"])
            self.assertIn("--generate-audio=false|true|default", text)
        self.assertNotIn("--poll-interval", short)
        self.assertIn("'aimlvideo generate --help-all' lists all options", short)
        self.assertIn("--poll-interval", full)
        self.assertLess(max(map(len, full.splitlines())), 100)
        self.assertEqual(full, self.output_of("generate", "--timeout", "5", "--help-all"))

    def test_programs_get_all_commands_with_their_options(self):
        facts = {command["name"]: command for command in envelope.data(self.output_of("help", "--json"))["commands"]}
        self.assertGreaterEqual(set(facts), set(COMMANDS))
        for name, command in facts.items():
            with self.subTest(name):
                listed = re.findall(r"^  (?:-\w, )?--([a-z-]+)", self.output_of(name, "--help-all"), re.MULTILINE)
                self.assertEqual(sorted(option["name"] for option in command["options"]), sorted(listed))
        options = {option["name"]: option for option in facts["generate"]["options"]}
        self.assertEqual(options["reuse"]["choices"], ["none", "unfinished", "all"])
        self.assertEqual((options["image"]["letter"], options["image"]["value"]), ("i", "file"))
        self.assertEqual((options["force"]["value"], options["duration"]["placeholder"]), ("none", "SECONDS"))

    def test_colours_are_for_terminals_unless_somebody_says_otherwise(self):
        wrong = ("check", "-p", "a", "-d", "7")
        red = "\033[31m"
        for expected, options, environment in ((False, (), {}), (True, ("--color", "always"), {"NO_COLOR": "1"}),
                                               (False, ("--color=never",), {})):
            self.assertEqual(red in self.refused(3, *wrong, *options, **environment), expected)
        for expected, environment in ((True, {"TERM": "xterm"}), (False, {"TERM": "xterm", "NO_COLOR": "1"}),
                                      (False, {"TERM": "dumb"}), (True, {"TERM": "xterm", "NO_COLOR": ""})):
            with self.subTest(**environment):
                master, slave = pty.openpty()
                subprocess.run([COMMAND, *wrong], env=os.environ | environment, stderr=slave, stdout=subprocess.DEVNULL)
                os.close(slave)
                self.assertEqual(red in os.read(master, 4096).decode(), expected)
                os.close(master)
        self.assertIn("allowed is auto, always or never", self.refused(2, *wrong, "--color", "red"))

    def test_folders_named_by_a_relative_path_are_not_followed(self):
        home = self.folder / "home"
        home.mkdir()
        self.output_of("jobs", HOME=str(home), XDG_STATE_HOME="here")
        self.assertFalse((self.folder / "here").exists())
        self.assertTrue((home / ".local/state/aimlvideo/ledger.sqlite3").exists())

    def test_models_are_listed(self):
        lines = self.output_of("models").splitlines()
        self.assertTrue(lines[0].startswith("MODEL "))
        self.assertEqual(len(lines), 155)
        self.assertEqual(len(self.json_of("models")["models"]), 153)

    def test_a_model_is_explained_with_its_price(self):
        text = self.output_of("models", MODEL)
        for part in (MODEL, "documented sample run: 152 s, 1920x1080, with sound", "16:9 | 9:16 | 1:1",
                     "at most 2500 characters", "price of a clip with the defaults: about 0.455 USD (5 s at 0.091 USD"):
            self.assertIn(part, text)
        self.assertEqual(self.json_of("models", "sora-2-t2v")["id"], "openai/sora-2-t2v")
        self.assertNotIn("price", self.output_of("models", "--offline", MODEL))
        self.assertIn("not known", self.output_of("models", MODEL, "--base-url", "http://127.0.0.1:1"))

    def test_a_misspelt_model_is_exit_code_5_with_the_nearest(self):
        self.assertIn(f"Did you mean {MODEL}?", self.refused(5, "models", "klingai/video-v2.6-pro-txt-to-video"))

    def test_a_right_request_is_shown_with_its_price_and_nothing_is_sent(self):
        text = self.output_of("check", "--prompt", "A cat", "--duration", 10, key="")
        for part in (f"fits the model {MODEL}", 'prompt: "A cat"', "duration: 10", "about 0.91 USD: 10 s at 0.091 USD"):
            self.assertIn(part, text)
        answer = self.json_of("check", "-p", "A cat", "-m", "minimax/hailuo-02", "-d", 6)
        self.assertTrue(answer["valid"])
        self.assertGreater(answer["usd_estimated"], 0)
        self.assertEqual(answer["request"], {"model": "minimax/hailuo-02", "prompt": "A cat", "duration": 6})
        report = self.emulator.report()
        self.assertEqual(report["tasks"], [])

    def test_a_check_says_what_is_paid_for_and_costs_nothing_then(self):
        home = {"XDG_STATE_HOME": str(self.folder / "state")}
        request = ("check", "A boat", "--max-cost", "0.455")
        self.assertIn("It will cost about 0.455 USD", self.output_of(*request, key="", **home))
        self.assertFalse((self.folder / "state").exists())
        self.output_of("generate", "A boat", "-o", "a.mp4", **home)
        told = self.output_of(*request, key="", **home)
        self.assertIn("It is paid for: job 1 has its clip, which costs nothing again.\nIt costs nothing.\n", told)
        facts = envelope.data(self.output_of(*request, "--json", **home))
        self.assertEqual((facts["paid_for"], facts["usd_estimated"]), (True, 0))
        self.assertIn("It will cost about 0.455 USD", self.output_of(*request, "--take", "1", **home))
        self.assertIn("It will cost about 0.455 USD", self.output_of(*request, "--reuse", "none", **home))
        self.assertIn("above max-cost (0.40 USD)", self.refused(3, "check", "A ship", "--max-cost", "0.4", **home))
        self.output_of("check", "A boat", "--max-cost", "0.4", **home)
        self.assertEqual(self.emulator.report()["billable"], 1)

    def test_a_wrong_request_is_exit_code_3_and_names_everything(self):
        text = self.refused(3, "check", "-p", "A cat", "-d", 7, "--aspect-ratio", "7:3", "--parameters", '{"promt":1}')
        for part in ("duration is", "allowed are 5, 10", "aspect_ratio is", "no parameter promt", "nothing was bought"):
            self.assertIn(part, text)
        run = self.run_command("check", "-p", "A cat", "-d", 7, "--json")
        self.assertEqual(run.returncode, 3)
        self.assertFalse(envelope.data(run.stdout)["valid"])

    def test_an_unknown_parameter_is_let_through_with_a_warning_unless_strictness_is_asked_for(self):
        request = ("check", "-p", "A cat", "--offline", "--parameters", '{"lighting":"soft"}')
        run = self.run_command(*request)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("has no parameter lighting", run.stderr)
        self.assertEqual(self.json_of(*request)["request"]["lighting"], "soft")
        self.assertIn("no parameter lighting", self.refused(3, *request, "--strict"))

    def test_an_unknown_model_is_let_through_with_a_warning(self):
        run = self.run_command("check", "-p", "A cat", "-m", "klingai/video-v9")
        self.assertEqual(run.returncode, 0)
        self.assertIn("klingai/video-v9 is not in the catalogue", run.stderr)
        self.assertIn("price is not known", run.stdout)

    def test_files_are_sent_at_any_depth_and_count_by_their_bytes(self):
        parameters = self.folder / "more.json"
        parameters.write_text(json.dumps({"elements": [{"reference_image_urls": [str(IMAGE), "https://h/b.png"],
                                                        "frontal_image_url": IMAGE.as_uri()}]}))
        answer = self.json_of("check", "-m", "klingai/video-v3-pro-image-to-video", "-p", "a", "-i", IMAGE,
                              "--parameters", f"@{parameters}")
        request = answer["request"]
        self.assertRegex(request["image_url"], r"^sha256:[0-9a-f]{64}$")
        self.assertEqual(request["elements"][0]["reference_image_urls"], [request["image_url"], "https://h/b.png"])
        self.assertEqual(request["elements"][0]["frontal_image_url"], request["image_url"])
        parameters.write_text('{"static_mask": "no/such/mask.png"}')
        self.assertIn("static_mask \"no/such/mask.png\"", self.refused(
            5, "check", "-m", "kling-video/v1.6/pro/image-to-video", "-i", IMAGE, "--parameters", f"@{parameters}"))

    def test_prices_are_asked_for_again_by_their_etag(self):
        first = self.output_of("check", "-p", "A cat")
        kept = list((self.folder / "aimlvideo/prices").iterdir())
        self.assertEqual(len(kept), 1)
        remembered = json.loads(kept[0].read_text())
        self.assertTrue(remembered["etag"])
        # what the service answers with 304 is read from the file
        kept[0].write_text(json.dumps(remembered | {"body": remembered["body"].replace("0.091", "0.5")}))
        self.assertIn("about 2.50 USD", self.output_of("check", "-p", "A cat"))
        kept[0].write_text("broken")
        self.assertEqual(self.output_of("check", "-p", "A cat"), first)

    def test_the_balance_is_shown(self):
        self.assertEqual(self.output_of("balance"), "100.00 USD\n")
        self.assertEqual(self.json_of("balance"), {"balance": 100.0, "currency": "USD"})

    def test_without_a_key_the_balance_is_exit_code_4(self):
        self.assertIn("there is no API key", self.refused(4, "balance", key=""))

    def test_without_a_service_the_balance_is_exit_code_6(self):
        self.assertIn("no connection", self.refused(6, "balance", "--base-url", "http://127.0.0.1:1"))


if __name__ == "__main__":
    main()
