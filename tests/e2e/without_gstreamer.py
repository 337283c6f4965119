#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A build without GStreamer (-Dplugin=disabled): what needs it says so, everything else works."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

COMMAND = os.environ["AIMLVIDEO_COMMAND"]


class WithoutGStreamer(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_command(self, *arguments):
        environment = dict(os.environ, AIMLAPI_KEY="any", AIMLAPI_BASE_URL="http://127.0.0.1:1",
                           XDG_STATE_HOME=str(self.folder / "state"), XDG_CACHE_HOME=str(self.folder / "cache"))
        return subprocess.run([COMMAND, *arguments], cwd=self.folder, env=environment, capture_output=True, text=True)

    def test_commands_that_make_files_say_what_is_missing(self):
        for arguments in (("generate", "-p", "A boat", "--profile", "webm", "-o", "boat.webm"), ("generate", "--help"),
                          ("batch", "clips.csv")):
            with self.subTest(arguments=arguments):
                run = self.run_command(*arguments)
                self.assertEqual((run.returncode, run.stdout), (5, ""), run.stderr)
                self.assertIn(f"aimlvideo {arguments[0]} is not available: this aimlvideo was built without GStreamer",
                              run.stderr)
                self.assertIn("-Dplugin=enabled", run.stderr)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_all_other_commands_work(self):
        for arguments, answer in ((("--version",), "aimlvideo "), (("help",), "generate"), (("models", "--offline"), "MODEL "),
                                  (("check", "-p", "A boat", "--offline"), "fits the model"), (("jobs",), ""),
                                  (("cache", "size"), "")):
            with self.subTest(arguments=arguments):
                run = self.run_command(*arguments)
                self.assertEqual(run.returncode, 0, run.stderr)
                self.assertIn(answer, run.stdout)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[1:]])
