#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A ledger that other machines could reach buys nothing. The file system is a real one of FUSE (bindfs), in a mount
namespace that goes with the test; what each kind of file system counts as is in tests/unit/file_system.cpp."""

import os
import subprocess

import envelope
from support import KEY, EndToEnd, main

COMMAND = os.environ["AIMLVIDEO_COMMAND"]
NAMESPACE = ["unshare", "--mount", "--pid", "--fork", *(["--user", "--map-root-user"] if os.geteuid() else [])]


class SharedFolder(EndToEnd):
    def setUp(self):
        super().setUp()
        self.real, self.shared = self.folder / "real", self.folder / "shared"
        self.real.mkdir()
        self.shared.mkdir()
        tried = self.on_fuse("stat", "-f", "-c", "%t", str(self.shared))
        if tried.returncode:
            self.skipTest(f"FUSE can't be mounted here: {' '.join(tried.args)}: {tried.stderr.strip()}")
        self.assertEqual(tried.stdout.strip(), "65735546")

    def on_fuse(self, *command, **environment):
        """A command that sees `shared` on FUSE."""
        script = 'bindfs "$0" "$1" && shift && exec "$@"'
        return subprocess.run([*NAMESPACE, "sh", "-c", script, self.real, self.shared, *map(str, command)],
                              env=os.environ | self.home | {"AIMLAPI_KEY": KEY, "AIMLAPI_BASE_URL": self.emulator.url} | environment,
                              cwd=self.folder, capture_output=True, text=True)

    def bought(self):
        return len(self.emulator.report()["tasks"])

    def refused(self, *command, **environment):
        run = self.on_fuse(*command, **environment)
        self.assertNotEqual(run.returncode, 0, run.stdout)
        told = run.stdout + run.stderr
        self.assertEqual(told.count("so nothing was bought"), 1, told)
        for words in ("on a file system (FUSE) that other machines or a host may reach", "bought twice", "Move that folder to a local disk", "$XDG_STATE_HOME"):
            self.assertIn(words, told)
        self.assertEqual(self.bought(), 0)
        self.assertEqual(list(self.real.glob("**/ledger*")), [])
        return run

    def test_nothing_is_bought_with_a_ledger_on_it(self):
        state = {"XDG_STATE_HOME": str(self.shared)}
        self.assertEqual(self.refused(COMMAND, "generate", "A cat", "-o", "cat.mp4", **state).returncode, 1)
        self.refused(COMMAND, "submit", "A cat", **state)
        self.refused("gst-launch-1.0", "-q", "aimlvideosrc", "prompt=a cat", "!", "fakesink", **state)
        self.assertEqual(self.refused(COMMAND, "jobs", **state).returncode, 1)

    def test_a_ledger_that_is_a_link_to_it_is_refused_too(self):
        (self.folder / "state/aimlvideo").mkdir(parents=True, mode=0o700)
        link = self.folder / "state/aimlvideo/ledger.sqlite3"
        self.assertEqual(subprocess.run([COMMAND, "jobs"], env=os.environ | self.home, capture_output=True).returncode, 0)
        link.rename(self.real / "elsewhere")
        link.symlink_to(self.shared / "elsewhere")
        run = self.on_fuse(COMMAND, "generate", "A cat", "-o", "cat.mp4")
        self.assertIn(f"{link} is on a file system (FUSE)", run.stderr)
        self.assertEqual(self.bought(), 0)

    def test_doctor_and_metrics_say_so_and_touch_nothing(self):
        run = self.on_fuse(COMMAND, "doctor", "--offline", "--profile", "mp4", "--json", XDG_STATE_HOME=str(self.shared))
        ledger = next(check for check in envelope.answer(run.stdout)["data"]["checks"] if check["check"] == "ledger")
        self.assertEqual((run.returncode, ledger["state"]), (1, "failed"))
        self.assertIn(f"{self.shared} is on a file system (FUSE)", ledger["text"])
        self.assertIn("Move that folder", ledger["hint"])
        self.assertEqual(list(self.real.iterdir()), [])
        (self.real / "aimlvideo").mkdir()
        (self.real / "aimlvideo/ledger.sqlite3").write_text("of an older version")
        run = self.on_fuse(COMMAND, "metrics", XDG_STATE_HOME=str(self.shared))
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        self.assertIn("on a file system (FUSE)", run.stderr)

    def test_clips_may_be_kept_on_it(self):
        for origin in ("bought", "replayed"):
            run = self.on_fuse(COMMAND, "generate", "A cat", "-o", f"{origin}.mp4", "--json", XDG_CACHE_HOME=str(self.shared))
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertIn(f'"{origin}"', run.stdout.splitlines()[-1])
        self.assertEqual(self.bought(), 1)
        self.assertEqual(len(list(self.real.glob("aimlvideo/clips/*.mp4"))), 1)


if __name__ == "__main__":
    main()
