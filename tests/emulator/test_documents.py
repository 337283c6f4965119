#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is written about the emulator is true: the commands and recipes work, the lists are complete."""

import inspect
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import types
import unittest
import unittest.mock

from harness import ANY_CLIP, BINARY, DEADLINE, Emulator

SOURCE = pathlib.Path(os.environ.get("AIMLAPI_SOURCE", pathlib.Path(__file__).parents[2]))
PAGE = SOURCE / "docs/emulator.md"
MANUAL = SOURCE / "docs/man/aimlapi-emulator.1"
UNIT = SOURCE / "examples/aimlapi-emulator.service"


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Commands(unittest.TestCase):
    def test_the_commands_work_one_after_the_other_as_a_reader_would_type_them(self):
        script = "\n".join(blocks("sh")).replace("8089", str(free_port()))
        self.assertGreater(script.count("curl"), 8)
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(folder + "/bin")
            # small clips, where a reader has the time for large ones
            pathlib.Path(folder, "bin/aimlapi-emulator").write_text(
                f'#!/bin/sh\nexec "{BINARY}" --exit-with-parent --render-size 160 "$@"\n')
            os.chmod(folder + "/bin/aimlapi-emulator", 0o755)
            os.symlink(SOURCE / "examples", folder + "/examples")
            environment = {**os.environ, "PATH": folder + "/bin:" + os.environ["PATH"], "no_proxy": "*"}
            result = subprocess.run(["sh", "-euxc", script], cwd=folder, env=environment, capture_output=True, text=True,
                                    timeout=DEADLINE)
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
            for clip in ("boat.mp4", "lighthouse.mp4"):
                self.assertEqual(pathlib.Path(folder, clip).read_bytes()[4:8], b"ftyp")

    def test_the_client_is_short_and_says_why_a_generation_failed(self):
        client = SOURCE / "examples/emulator_client.py"
        code = [line for line in client.read_text().splitlines() if line.strip() and not line.startswith(("#", '"""'))]
        self.assertLessEqual(len(code), 20)
        with Emulator(*ANY_CLIP) as emulator:
            emulator.fault("create", "moderation")
            result = subprocess.run([sys.executable, client, "a fox", "/dev/null"], capture_output=True, text=True,
                                    env={**os.environ, "AIMLAPI_BASE_URL": emulator.base, "AIMLAPI_KEY": "k", "no_proxy": "*"})
            self.assertEqual(result.returncode, 1)
            self.assertIn("safety system", result.stderr)

    def test_links_lead_somewhere(self):
        for target in re.findall(r"\]\(([^)#:]+)\)", PAGE.read_text()):
            self.assertTrue((PAGE.parent / target).exists(), target)
        headings = re.findall(r"^#+ (.*)$", PAGE.read_text(), re.MULTILINE)
        anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        for anchor in re.findall(r"\]\(#([^)]+)\)", PAGE.read_text()):
            self.assertIn(anchor, anchors)


class Recipes(unittest.TestCase):
    def test_the_pytest_fixtures_give_a_fresh_emulator_to_each_test(self):
        # what pytest does with them, without pytest
        stand_in = types.ModuleType("pytest")
        stand_in.fixture = lambda function=None, **_: function or (lambda decorated: decorated)
        names = {}
        fixtures, a_test = blocks("python")
        with tempfile.TemporaryDirectory() as folder, unittest.mock.patch.dict(sys.modules, pytest=stand_in), \
             unittest.mock.patch.dict(os.environ):
            os.symlink(BINARY, folder + "/aimlapi-emulator")
            os.environ["PATH"] = folder + ":" + os.environ["PATH"]
            exec(fixtures, names)
            session = names["emulator_address"]()
            monkeypatch = types.SimpleNamespace(setenv=os.environ.__setitem__)
            try:
                address = next(session)
                emulator = names["emulator"](address, monkeypatch)
                emulator.fault("create", "lost-after")

                class MyProgram:
                    @staticmethod
                    def generate(prompt):
                        body = {"model": "klingai/video-v2-6-pro-text-to-video", "prompt": prompt}
                        with self.assertRaises(OSError):
                            names["urllib"].request.urlopen(names["urllib"].request.Request(
                                os.environ["AIMLAPI_BASE_URL"] + "/v2/video/generations",
                                names["json"].dumps(body).encode(), {"Authorization": "Bearer " + os.environ["AIMLAPI_KEY"]}))

                names["my_program"] = MyProgram
                exec(a_test, names)
                test = next(value for name, value in names.items() if name.startswith("test_"))
                self.assertTrue(inspect.isfunction(test))
                test(names["emulator"](address, monkeypatch))
                self.assertEqual(names["emulator"](address, monkeypatch).report()["requests"], 0)
            finally:
                self.assertEqual(list(session), [])

    def test_the_workflow_builds_what_is_there_with_options_that_exist(self):
        workflow, = blocks("yaml")
        self.assertIn("scripts/packages.txt", workflow)
        self.assertTrue((SOURCE / "scripts/packages.txt").exists())
        options = (SOURCE / "meson_options.txt").read_text()
        for name in re.findall(r"-D(\w+)=", workflow):
            self.assertIn(f"option('{name}'", options)
        for option in set(re.findall(r" (--[a-z-]+) [\d.]+", workflow)):
            if option not in ("--retry",):
                self.assertIn(option, Lists.help())

    def test_the_systemd_unit_is_valid(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd-analyze is not installed")
        with tempfile.TemporaryDirectory() as folder:
            unit = pathlib.Path(folder, UNIT.name)
            # installed it is in /usr/bin, here it is not
            unit.write_text(UNIT.read_text().replace("/usr/bin/aimlapi-emulator", BINARY))
            result = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True,
                                    env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"})
            complaints = [line for line in (result.stdout + result.stderr).splitlines() if UNIT.name in line]
            self.assertEqual(complaints, [])
        options, = re.findall(r"^ExecStart=\S+ (.*)$", UNIT.read_text(), re.MULTILINE)
        with Emulator(*options.split(), "--port", "0", *ANY_CLIP) as emulator:
            self.assertEqual(emulator.report()["requests"], 0)


class Lists(unittest.TestCase):
    @staticmethod
    def help():
        return subprocess.run([BINARY, "--help"], capture_output=True, text=True, check=True).stdout

    def test_the_page_and_the_manual_have_each_option_of_the_help_and_no_other(self):
        options = set(re.findall(r"^  (?:-\w, )?--([a-z-]+)", self.help(), re.MULTILINE))
        self.assertGreater(len(options), 20)
        manual = re.findall(r"^\.It (?:Fl \w , )?Fl -([a-z-]+)", MANUAL.read_text(), re.MULTILINE)
        self.assertEqual(sorted(manual), sorted(options))
        table = PAGE.read_text().split("## Options")[1]
        self.assertEqual(sorted(re.findall(r"^\| `--([a-z-]+)", table, re.MULTILINE)), sorted(options - {"help"}))

    def test_the_defaults_are_the_same_everywhere(self):
        for name, value in re.findall(r"--([a-z-]+)=.*\(default: ([\w.]+)\)$", self.help(), re.MULTILINE):
            with self.subTest(name):
                self.assertRegex(PAGE.read_text(), rf"\| `--{name} [^|]*\|[^|]*\| {re.escape(value)} \|")

    def test_every_fault_is_on_the_page_in_the_manual_and_in_the_form_with_its_settings(self):
        with Emulator(*ANY_CLIP) as emulator:
            refusal = emulator.call("POST", "/emulator/faults", {"fault": {"kind": "?"}}).json["message"]
            kinds = refusal.split("one of ")[1].split(", ")
            section = PAGE.read_text().split("### What goes wrong")[1].split("\n## ")[0]
            rows = dict(re.findall(r"^\| `([a-z-]+)` \|.*\| ([^|]*) ?\|$", section, re.MULTILINE))
            self.assertEqual(sorted(rows), sorted(kinds))
            manual = MANUAL.read_text().split(".Sh FAULTS")[1]
            form = (SOURCE / "tools/emulator/page.html").read_text()
            for kind in kinds:
                with self.subTest(kind):
                    self.assertRegex(manual, rf"[ ]{kind}\b")
                    self.assertIn(f'"{kind}"', form)
                    refusal = emulator.call("POST", "/emulator/faults", {"fault": {"kind": kind, "?": 1}}).json["message"]
                    settings = set(refusal.split("it has ")[1].split(", ")) - {"kind", "accepted"}
                    self.assertEqual(set(re.findall(r"`([a-z_]+)`", rows[kind])), settings)

    def test_every_member_of_the_report_is_on_the_page(self):
        with Emulator(*ANY_CLIP) as emulator:
            section = PAGE.read_text().split("## Count")[1].split("\n## ")[0]
            told = set()
            for row in re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE):
                told.update(re.findall(r"`(\w+)`", row))
            self.assertEqual(told, set(emulator.report()))

    def test_the_manual_has_no_mistake_in_its_form(self):
        if not shutil.which("groff"):
            self.skipTest("groff is not installed")
        result = subprocess.run(["groff", "-mdoc", "-Tutf8", "-ww", "-z", MANUAL], capture_output=True, text=True)
        self.assertEqual((result.returncode, result.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
