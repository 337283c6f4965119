#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the scripts of the project promise."""

import json
import os
import pathlib
import pty
import shutil
import subprocess
import tempfile
import unittest
import urllib.request

from support import KEY, PATIENCE, SOURCE, EndToEnd, main

PROJECT = """
project('moods')
shell = find_program('sh')
test('steady', shell, args: ['-c', 'true'])
test('moody', shell, args: ['-c', 'if rm here; then exit 1; else touch here; fi'], workdir: meson.current_source_dir())
"""


class Flaky(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "meson.build").write_text(PROJECT)
        subprocess.run(["meson", "setup", "out"], cwd=self.folder, check=True, stdout=subprocess.DEVNULL)

    def repeat(self, *arguments):
        return subprocess.run([SOURCE / "scripts/flaky.sh", *arguments], env=os.environ | {"BUILD": str(self.folder / "out")},
                              capture_output=True, text=True)

    def test_a_test_that_fails_now_and_then_is_named_with_its_runs(self):
        run = self.repeat("5", "steady", "moody")
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertEqual(run.stdout.splitlines(), ["10 tests in 5 runs: 8 OK, 2 FAIL",
                                                   "out: moody failed in 2 of 5 runs: 2 under load, 4 under load"])

    def test_what_never_fails_is_a_success(self):
        run = self.repeat("3", "steady")
        self.assertEqual((run.returncode, run.stdout), (0, "3 tests in 3 runs: 3 OK\n"), run.stderr)

    def test_what_is_not_built_is_no_success(self):
        run = self.repeat("3", "nobody-knows-it")
        self.assertEqual((run.returncode, run.stdout), (1, ""), run.stderr)
        self.assertIn("No test ran in " + str(self.folder / "out"), run.stderr)

    def test_a_wrong_number_is_explained(self):
        run = self.repeat("often")
        self.assertEqual(run.returncode, 2)
        self.assertIn("scripts/flaky.sh [N]", run.stderr)


class FastLoop(unittest.TestCase):
    setUp = Flaky.setUp

    def attempt(self, *names):
        return subprocess.run([SOURCE / "scripts/try.sh", *names], env=os.environ | {"BUILD": str(self.folder / "out")},
                              capture_output=True, text=True)

    def test_it_lists_the_tests_and_runs_those_that_are_named(self):
        self.assertEqual(self.attempt().stdout.split(), ["moody", "steady"])
        self.assertEqual(self.attempt("steady").returncode, 0)
        self.assertEqual([self.attempt("moody").returncode for _ in range(2)], [0, 1])

    def test_git_checks_the_layout_before_a_commit(self):
        (self.folder / "scripts").mkdir()
        shutil.copy(SOURCE / "scripts/install-hooks.sh", self.folder / "scripts")
        (self.folder / "scripts/check_layout.sh").write_text("#!/bin/sh\n[ \"$1\" = --cached ] && ! git diff --cached | grep wide\n")
        (self.folder / "scripts/check_layout.sh").chmod(0o755)
        git = ["git", "-C", self.folder, "-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run([*git, "init", "-q"], check=True)
        subprocess.run([self.folder / "scripts/install-hooks.sh"], check=True, stdout=subprocess.DEVNULL)
        for text, code in (("narrow", 0), ("wide", 1)):
            (self.folder / "a.cpp").write_text(text)
            subprocess.run([*git, "add", "a.cpp"], check=True)
            run = subprocess.run([*git, "commit", "-qm", text], capture_output=True, text=True)
            self.assertEqual(run.returncode, code, run.stdout + run.stderr)


class Coroutines(unittest.TestCase):
    def test_what_is_awaited_in_a_condition_has_a_name(self):
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder) / "a.cpp"
            check = [SOURCE / "scripts/check_coroutines.py", source]
            source.write_text("if (!co_await gate.until(next)) return;\nif (auto a = co_await ask(); a->b || c + d) return;\n")
            run = subprocess.run(check, capture_output=True, text=True)
            self.assertEqual((run.returncode, run.stdout), (0, "1 file: no temporary in an awaited condition\n"))
            for wrong in ("gate.until(now() + pause)", 'ask("the way")', "ask(late ? a : b)", "ask(Name{a})"):
                source.write_text(f"\nwhile (x && co_await {wrong})\n  go();\n")
                run = subprocess.run(check, capture_output=True, text=True)
                self.assertEqual(run.returncode, 1, wrong)
                self.assertIn(f"{source}:2: ", run.stdout)


class LiveCheck(EndToEnd):
    """The script for the real service, against the emulator."""

    emulator_options = ("--key", KEY, "--unknown-keys", "ignore")
    PURCHASE = {"phase": "create", "nth": 4}  # three that are refused come before it
    NOT_OF_THE_EMULATOR = {"deprecations: without a key", "create: x-request-id"}

    def command(self, *options):
        return [SOURCE / "scripts/live-check.sh", "--poll-interval", "0.1", *options]

    def environment(self):
        return os.environ | {"AIMLAPI_KEY": KEY, "AIMLAPI_BASE_URL": self.emulator.url}

    def check(self, *options):
        run = subprocess.run(self.command(*options), env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.assertNotIn(KEY, run.stdout + run.stderr)
        self.assertNotIn("Traceback", run.stderr)
        return run

    def fault(self, match, kind, **settings):
        rule = json.dumps({"match": match, "fault": {"kind": kind, **settings}}).encode()
        urllib.request.urlopen(urllib.request.Request(self.emulator.url + "/emulator/faults", rule, method="POST")).close()

    def test_the_emulator_is_as_the_service_is_expected_to_be(self):
        kept = self.folder / "seen.json"
        run = self.check("--yes", "--json", str(kept))
        self.assertIn(run.returncode, (0, 1), run.stdout + run.stderr)
        self.assertEqual(self.emulator.report()["billable"], 1)
        text = kept.read_text()
        self.assertNotIn(KEY, text)
        self.assertEqual(kept.stat().st_mode & 0o777, 0o600)
        rows = json.loads(text)["checks"]
        self.assertGreater(len(rows), 40)
        self.assertLessEqual({row["name"] for row in rows if row["as_expected"] is False}, self.NOT_OF_THE_EMULATOR, run.stdout)

        later = self.check("--later", str(kept))
        self.assertEqual(later.returncode, 0, later.stdout)
        self.assertRegex(later.stdout, r"later: the generation +200, completed +200 completed")
        again = self.check("--yes", "--compare", str(kept))
        self.assertRegex(again.stdout, r"Compared with http\S+ of \S+: 0 of")
        self.assertEqual(self.emulator.report()["billable"], 2)

    def test_what_differs_is_told(self):
        self.fault({"phase": "clip"}, "ignored-range")
        run = self.check("--yes")
        self.assertEqual(run.returncode, 1, run.stdout)
        self.assertRegex(run.stdout, r"DIFFERS +clip: Range  +206 with the length +200, without Content-Range")

    def test_nothing_is_bought_unasked_or_above_the_cap(self):
        self.assertIn("--yes allows it", self.check().stdout)
        self.assertIn("--max-cost is 0.1", self.check("--yes", "--max-cost", "0.1").stdout)
        self.assertEqual(self.check("--yes", "--max-cost", "nan").returncode, 2)
        self.assertIn("https", self.check("--yes", "--base-url", "http://stranger.example").stderr)
        self.assertEqual(self.emulator.report()["billable"], 0)

    def test_on_a_terminal_it_asks(self):
        ours, theirs = pty.openpty()
        run = subprocess.Popen(self.command(), env=self.environment(), stdin=theirs, stdout=subprocess.PIPE, text=True)
        os.write(ours, b"n\n")
        output = run.communicate(timeout=PATIENCE)[0]
        os.close(ours)
        os.close(theirs)
        self.assertIn("buys one generation of kling-video/v1/standard/text-to-video, about 0.145 USD. Go on? [y/N]", output)
        self.assertEqual((run.returncode, self.emulator.report()["billable"]), (3, 0))

    def test_a_submission_whose_answer_is_lost_is_not_sent_again(self):
        self.fault(self.PURCHASE, "lost-after")
        run = self.check("--yes", "--max-cost", "0.2")
        self.assertEqual(run.returncode, 3, run.stdout)
        self.assertRegex(run.stdout, r"may be paid for.*as client request [0-9a-f-]{36}")
        self.emulator.wait_until(lambda report: report["tasks"], "the purchase")
        self.assertEqual(self.emulator.report()["by_endpoint"]["create"], self.PURCHASE["nth"])

    def test_a_record_that_can_not_be_read_or_written_is_told_before_anything_is_bought(self):
        strange = self.folder / "strange.json"
        strange.write_text('{"checks": [], "clip": {}}')
        for option, path, told in (("--json", self.folder / "nowhere/seen.json", "No such file"), ("--json", self.folder, "a folder"),
                                   ("--compare", self.folder / "nowhere.json", "No such file"),
                                   ("--compare", strange, "it has no made"), ("--later", pathlib.Path("/dev/null"), "no record")):
            with self.subTest(option=option, path=path):
                run = self.check("--yes", option, str(path))
                self.assertEqual(run.returncode, 2, run.stdout)
                self.assertIn(told, run.stderr)
        self.assertEqual(self.emulator.report()["billable"], 0)

    def test_an_answer_of_no_known_form_does_not_cost_the_record_of_what_is_paid_for(self):
        kept = self.folder / "seen.json"
        kept.write_text("earlier")
        kept.chmod(0o644)
        self.fault({"phase": "logs", "from": 3}, "invalid-json", body="[1]")  # two come before the purchase
        run = self.check("--yes", "--max-cost", "0.2", "--timeout", "5", "--json", str(kept))
        self.assertEqual(run.returncode, 3, run.stdout + run.stderr)
        self.assertRegex(run.stdout, "Paid for: [0-9a-f-]{36}")
        self.assertIn("generation_id", json.loads(kept.read_text())["clip"])
        self.assertEqual(kept.stat().st_mode & 0o777, 0o600)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["seen.json"])

    def test_a_key_that_the_service_quotes_is_masked(self):
        self.fault(self.PURCHASE, "status", status=500, message=f"no {KEY}")
        self.assertIn("no ***", self.check("--yes", "--max-cost", "0.2").stdout)


class LiveCheckAtAGateway(LiveCheck):
    """A service that takes any key, as a gateway does that has one of its own."""

    emulator_options = ("--unknown-keys", "ignore")

    def test_nothing_is_bought_beside_what_is_told(self):
        self.assertIn("--yes allows it", self.check().stdout)
        self.assertEqual(self.emulator.report()["billable"], 0)
        self.assertRegex(self.check("--yes").stdout, r"at most 0\.145 USD spent")
        self.assertEqual(self.emulator.report()["usd"], 0.145)


def load_tests(loader, _tests, _pattern):
    cases = [loader.loadTestsFromTestCase(case) for case in (Flaky, LiveCheck)]
    cases.append(LiveCheckAtAGateway("test_nothing_is_bought_beside_what_is_told"))
    return unittest.TestSuite(cases)


if __name__ == "__main__":
    main()
