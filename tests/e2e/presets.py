#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The presets that come along are right, and the key never gets into or out of one."""

import configparser
import json
import os
import subprocess
import tempfile

import envelope
from support import KEY, SOURCE, EndToEnd, main

PRESETS = SOURCE / "presets/GstAimlVideoSrc.prs"


def presets():
    file = configparser.ConfigParser(delimiters="=", interpolation=None)
    file.optionxform = str
    file.read(PRESETS)
    return {name: dict(file[name]) for name in file.sections() if name != "_presets_"}


class Presets(EndToEnd):
    def test_every_preset_is_a_request_that_its_model_takes(self):
        names = {"model": "--model", "aspect-ratio": "--aspect-ratio", "duration": "--duration",
                 "generate-audio": "--generate-audio"}
        for name, settings in presets().items():
            with self.subTest(name):
                arguments = ["--prompt", "A cat"]
                for key, value in settings.items():
                    if key in names:
                        arguments += [names[key], value]
                if "image-to-video" in settings["model"]:
                    arguments += ["--image", "https://example.com/a.png"]
                run = subprocess.run([os.environ["AIMLVIDEO_COMMAND"], "check", "--offline", "--json", *arguments],
                                     capture_output=True, text=True)
                self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
                self.assertTrue(envelope.data(run.stdout)["known"])

    def test_a_preset_can_be_named_in_a_launch_line(self):
        code, output = self.launch("aimlvideosrc", "@preset=Kling 2.6 Pro portrait", "prompt=A cat", "!", "fakesink",
                                   options=("-m",)).end()
        self.assertEqual(code, 0, output)
        [task] = self.emulator.report()["tasks"]
        self.assertEqual(task["model"], "klingai/video-v2-6-pro-text-to-video")
        self.assertIn("9:16", json.dumps(task))

    def test_a_key_in_somebody_elses_preset_is_not_used(self):
        with tempfile.TemporaryDirectory() as folder:
            (self.folder / "GstAimlVideoSrc.prs").write_text(
                PRESETS.read_text() + f"\n[Stolen]\nmodel=video-01\napi-key={KEY}\nbase-url=http://127.0.0.1:1\n")
            code, output = self.launch("aimlvideosrc", "@preset=Stolen", "prompt=A cat", "!", "fakesink",
                                       environment={"GST_PRESET_PATH": str(self.folder), "AIMLAPI_KEY": "",
                                                    "XDG_DATA_HOME": folder}).end()
        self.assertNotEqual(code, 0)
        self.assertIn("there is no API key", output)
        self.assertNotIn(KEY, output)


if __name__ == "__main__":
    main()
