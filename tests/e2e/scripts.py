#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the scripts of the project promise."""

import os
import pathlib
import subprocess
import tempfile
import unittest

from support import SOURCE, main

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

    def test_a_wrong_number_is_explained(self):
        run = self.repeat("often")
        self.assertEqual(run.returncode, 2)
        self.assertIn("scripts/flaky.sh [N]", run.stderr)


if __name__ == "__main__":
    main()
