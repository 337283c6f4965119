#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The documents are true: their commands run, their lists are complete, the demo leaves a video."""

import json
import os
import re
import shutil
import subprocess

from support import BUILD, IMAGE, KEY, SOURCE, EndToEnd, main

DOCUMENTS = [SOURCE / "README.md", SOURCE / "CONTRIBUTING.md", *sorted((SOURCE / "docs").glob("*.md"))]
# the one has a test of its own beside the emulator, the commands of the other are those that run these tests
DOCUMENTS = [document for document in DOCUMENTS if document.name not in ("emulator.md", "testing.md")]
# windows and speakers that a test machine has not
HEADLESS = {"autovideosink": "fakesink", "autoaudiosink": "fakesink",
            "gst-play-1.0 ": "gst-play-1.0 --videosink=fakesink --audiosink=fakesink --no-interactive "}


def shell_blocks(document):
    return re.findall(r"^```sh\n(.*?)^```$", document.read_text(), re.MULTILINE | re.DOTALL)


class Commands(EndToEnd):
    def run_block(self, script):
        for real, stand_in in HEADLESS.items():
            script = script.replace(real, stand_in)
        # what the document tells a reader to wait for
        script = re.sub(r"^(aimlapi-emulator --port (\d+)) &$",
                        r"\1 >listening & until [ -s listening ]; do sleep 0.05; done", script, flags=re.MULTILINE)
        environment = dict(os.environ, AIMLAPI_KEY=KEY, AIMLAPI_BASE_URL=self.emulator.url,
                           PATH=f"{BUILD}/tools/emulator:{BUILD}/tools/aimlvideo:{os.environ['PATH']}", **self.home)
        tasks = self.emulator.report()["tasks"]
        environment["GENERATION_ID"] = tasks[0]["id"] if tasks else "none"
        return subprocess.run(["sh", "-euc", script], cwd=self.folder, env=environment, capture_output=True, text=True)

    def test_every_command_of_the_documents_works(self):
        for name in ("mona.jpg", "first.jpg", "last.jpg"):
            shutil.copy(IMAGE, self.folder / name)
        # the Install recipe is meant for a checkout; the build is there already
        (self.folder / "meson.build").symlink_to(SOURCE / "meson.build")
        (self.folder / "build").symlink_to(BUILD)
        count = 0
        for document in DOCUMENTS:
            for script in shell_blocks(document):
                with self.subTest(document=document.name, script=script):
                    result = self.run_block(script)
                    self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
                count += 1
        self.assertGreater(count, 7)

    def test_links_between_documents_lead_somewhere(self):
        for document in DOCUMENTS:
            for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
                self.assertTrue((document.parent / target).exists(), f"{document.name} names {target}")


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
