#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The documents are true: their commands run, their lists are complete, the demo leaves a video."""

import collections
import contextlib
import doctest
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from support import BUILD, IMAGE, KEY, SOURCE, EndToEnd, Screen, main

DOCUMENTS = [SOURCE / "README.md", SOURCE / "CONTRIBUTING.md", *sorted((SOURCE / "docs").glob("*.md"))]
EXAMPLES_PAGE = SOURCE / "examples/README.md"
# which test runs the examples of a document, where it is not this one
ELSEWHERE = {
    ("README.md", "shell"): "debian_packages", ("README.md", "text"): "report, which makes it anew",
    ("CONTRIBUTING.md", "shell"): "scripts, and every run of the tests",
    ("architecture.md", "mermaid"): "Architecture, below", ("architecture.md", ""): "nobody: a drawing",
    ("detached.md", "make"): "detached",
    ("embedding.md", "c"): "examples", ("embedding.md", "cpp"): "examples", ("embedding.md", "python"): "examples",
    ("embedding.md", "meson"): "subproject", ("embedding.md", "shell"): "debian_packages",
    ("emulator.md", "python"): "emulator-documents", ("emulator.md", "sh"): "emulator-documents",
    ("emulator.md", "yaml"): "emulator-documents",
    ("library.md", "cpp"): "library", ("library.md", "meson"): "subproject", ("library.md", "shell"): "library",
    ("operating.md", "ini"): "nobody: the settings of a unit are systemd's",
    ("operating.md", "yaml"): "metrics, and metrics-full",
    ("provenance.md", "shell"): "signed",
    ("uri.md", ""): "nobody: the form of an address; the commands below it play some",
    ("testing.md", "shell"): "every run of the tests", ("testing.md", "text"): "every run of the tests",
}
HERE = {"sh", "console", "json", "jsonl"}


def blocks_of(document):
    """[language, text] of what is fenced."""
    return re.findall(r"^```([a-z]*)\n((?:.*\n)*?)```$", document.read_text(), re.MULTILINE)


def runs_here(document, language):
    return language in HERE and (document.name, language) not in ELSEWHERE


def commands_in(block):
    """[command, what it prints] of a `console` block, in which a command follows a `$ ` and goes on after a `> `."""
    return [(re.sub("^> ", "", command, flags=re.MULTILINE), output) for command, output in
            re.findall(r"^\$ (.*\n(?:> .*\n)*)((?:(?!\$ ).*\n)*)", block, re.MULTILINE)]


class Commands(EndToEnd):
    def setUp(self):
        super().setUp()
        screen = Screen(tempfile.mkdtemp(dir=self.folder))
        self.addCleanup(screen.stop)
        self.environment = dict(os.environ, AIMLAPI_KEY=KEY, AIMLAPI_BASE_URL=self.emulator.url, DISPLAY=screen.display,
                                GST_PLUGIN_FEATURE_RANK="kmssink:NONE",
                                PATH=f"{BUILD}/tools/emulator:{BUILD}/tools/aimlvideo:{os.environ['PATH']}", **self.home)

    def begin(self, document):
        """A folder for a document, whose examples follow one another."""
        self.place = self.folder / document.name
        self.place.mkdir()
        for name in ("mona.jpg", "first.jpg", "last.jpg"):
            shutil.copy(IMAGE, self.place / name)
        # the Install recipe is meant for a checkout; the build is there already
        (self.place / "meson.build").symlink_to(SOURCE / "meson.build")
        (self.place / "build").symlink_to(BUILD)

    def run_block(self, script):
        # what the document tells a reader to wait for
        script = re.sub(r"^(aimlapi-emulator --port (\d+)) &$",
                        r"\1 >listening & until [ -s listening ]; do kill -0 $!; sleep 0.05; done", script, flags=re.MULTILINE)
        tasks = self.emulator.report()["tasks"]
        self.environment["GENERATION_ID"] = tasks[0]["id"] if tasks else "none"
        with tempfile.TemporaryFile("w+") as output:
            shell = subprocess.Popen(["sh", "-euc", script], cwd=self.place, env=self.environment, start_new_session=True,
                                     stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
            code = shell.wait()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGTERM)  # what a failure has left behind
            output.seek(0)
            said = output.read()
        self.assertEqual(code, 0, said)
        return said

    def test_every_command_of_the_documents_works(self):
        counts = collections.Counter()
        for document in DOCUMENTS:
            self.begin(document)
            for language, block in blocks_of(document):
                if not runs_here(document, language):
                    continue
                with self.subTest(document=document.name, block=block):
                    getattr(self, "run_" + language)(block)
                counts[language] += 1
        self.assertEqual(set(counts), HERE)
        self.assertGreater(counts["sh"], 20)

    def run_sh(self, block):
        self.run_block(block)

    def run_console(self, block):
        """As it is shown, where `...` stands for whatever is there."""
        for command, shown in commands_in(block):
            said = self.run_block(command)
            if not doctest.OutputChecker().check_output(shown, said, doctest.ELLIPSIS):
                self.fail(f"{command}is shown with\n{shown}and prints\n{said}")

    def run_json(self, block):
        """The servers of an agent: each starts in somebody's home, and answers."""
        (self.place / "clips").mkdir(exist_ok=True)
        question = {"jsonrpc": "2.0", "id": 1, "method": "initialize",
                    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "a", "version": "1"}}}
        for server in json.loads(block.replace("/home/me", str(self.place)))["mcpServers"].values():
            run = subprocess.run([server["command"], *server["args"]], env=self.environment, cwd=self.place, capture_output=True,
                                 input=json.dumps(question) + "\n", text=True)
            self.assertIn("serverInfo", json.loads(run.stdout)["result"], run.stderr)

    def run_jsonl(self, block):
        """A manifest: no model has anything to remark."""
        (self.place / "example.jsonl").write_text(block)
        self.assertRegex(self.run_block("mkdir -p clips && aimlvideo batch example.jsonl --force --check --max-cost 10"), r"^\d+ rows? .*\n$")
        self.run_block("aimlvideo batch example.jsonl --force --max-cost 10")

    def test_every_example_is_run_by_some_test(self):
        seen = set()
        for document in [*DOCUMENTS, EXAMPLES_PAGE]:
            for language, block in blocks_of(document):
                self.assertTrue(runs_here(document, language) or (document.name, language) in ELSEWHERE,
                                f"no test runs this of {document.name}: ```{language}\n{block}")
                seen.add((document.name, language))
        self.assertEqual(set(ELSEWHERE) - seen, set())

    def test_links_between_documents_lead_somewhere(self):
        for document in DOCUMENTS:
            for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
                self.assertTrue((document.parent / target).exists(), f"{document.name} names {target}")


class Pictures(unittest.TestCase):
    def test_those_of_the_readme_are_there_and_small(self):
        page = (SOURCE / "README.md").read_text()
        names = re.findall(r'!\[[^]]*\]\(([^)]+)\)|(?:src|srcset)="([^"]+)"', page)
        pictures = [SOURCE / (one or other) for one, other in names]
        self.assertEqual(len(pictures), 3)
        terminal = re.search(r"^<!-- terminal -->\n```text\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[1]
        self.assertRegex(terminal, r"^\$ aimlvideo batch clips.csv .*\n(.*\n){5}")
        self.assertLess(sum(picture.stat().st_size for picture in pictures) + len(terminal), 300_000)


class Models(EndToEnd):
    def test_the_number_of_models_is_told_right_wherever_it_is_told(self):
        count = len(json.loads((SOURCE / "src/api/models.json").read_text())["models"])
        for document in [*DOCUMENTS, SOURCE / "docs/emulator.md"]:
            for told in re.findall(r"(\d{3}) (?:video )?models", document.read_text()):
                self.assertEqual(int(told), count, document.name)

    def test_the_page_of_the_models_says_what_the_catalogue_says(self):
        page = subprocess.run([SOURCE / "scripts/make_models_page.py"], capture_output=True, text=True, check=True).stdout
        self.assertTrue(page == (SOURCE / "docs/models.md").read_text(),
                        "docs/models.md is stale: scripts/make_models_page.py > docs/models.md")


class Reliability(EndToEnd):
    def test_the_page_of_the_faults_says_what_the_matrix_of_the_tests_says(self):
        script = SOURCE / "scripts/make_reliability_page.py"
        page = subprocess.run([script], capture_output=True, text=True, check=True).stdout
        self.assertTrue(page == (SOURCE / "docs/reliability.md").read_text(),
                        "docs/reliability.md is stale: scripts/make_reliability_page.py > docs/reliability.md")


class Architecture(EndToEnd):
    def test_the_drawing_of_the_rooms_is_that_of_the_includes(self):
        script = subprocess.run([SOURCE / "scripts/make_rooms.py", "--check"], capture_output=True, text=True)
        self.assertEqual(script.returncode, 0, script.stderr)


class Properties(EndToEnd):
    INHERITED = {"name", "parent", "blocksize", "num-buffers", "typefind", "do-timestamp"}

    def test_every_property_is_documented_and_no_other(self):
        page = subprocess.run(["gst-inspect-1.0", "aimlvideosrc"], capture_output=True, text=True).stdout
        existing = set(re.findall(r"^  ([a-z-]+) *: ", page.split("Element Properties:")[1], re.MULTILINE))
        documented = set()
        for row in re.findall(r"^\| (`[^|]+) \|", (SOURCE / "docs/properties.md").read_text(), re.MULTILINE):
            documented.update(re.findall(r"`([a-z-]+)`", row))
        self.assertEqual(documented, existing - self.INHERITED)

    def test_the_tables_say_what_the_table_of_fields_says(self):
        script = subprocess.run([SOURCE / "scripts/make_field_tables.py", BUILD, "--check"], capture_output=True, text=True)
        self.assertEqual(script.returncode, 0, script.stderr)


class Demo(EndToEnd):
    def test_the_demo_leaves_a_video_with_sound_and_a_contact_sheet(self):
        for name in ("demo.webm", "demo.png"):
            (SOURCE / name).unlink(missing_ok=True)
        environment = dict(os.environ, BUILD=os.path.relpath(BUILD, SOURCE))
        run = subprocess.run([SOURCE / "scripts/demo.sh"], env=environment, capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertIn("gst-launch-1.0 -e aimlvideosrc", run.stdout)
        self.assertIn("Progress: (generate)", run.stdout)
        streams = self.probe(SOURCE / "demo.webm")
        self.assertEqual((streams["video"]["codec_name"], streams["audio"]["codec_name"]), ("vp8", "opus"))
        self.assertIn("video", self.probe(SOURCE / "demo.png"))


if __name__ == "__main__":
    main()
