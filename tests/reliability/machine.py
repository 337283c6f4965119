# SPDX-License-Identifier: LGPL-2.1-or-later
"""How the faults of the machine itself are made to happen: disks, permissions, the clock."""

import os
import shutil
import subprocess
import time
import unittest

from faults import Setup


class Disk(Setup):
    """Folders on a small disk of their own."""

    SIZE = "1m"

    def mount(self, folder, *options):
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join((f"size={self.SIZE}", *options)), "tmpfs", folder],
                              capture_output=True, text=True)
        if done.returncode:
            raise unittest.SkipTest("no tmpfs can be mounted here: " + done.stderr.strip())
        self.scene.closing.append(lambda: subprocess.run(["umount", "-l", folder], check=False))

    @staticmethod
    def fill(folder):
        with open(folder / "filler", "wb", buffering=0) as filler:
            for size in (65536, 4096, 1):
                try:
                    while filler.write(b"x" * size) == size:
                        pass
                except OSError:
                    pass

    def spoil(self, folder, kind):
        if kind == "full":
            self.fill(folder)
        elif kind == "read-only":
            subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        else:
            for path in (folder, *folder.rglob("*")):
                path.chmod(0o500 if path.is_dir() else 0o400)
            if os.geteuid() == 0:
                self.scene.prefix = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]

    def mend(self, folder, kind):
        if kind == "full":
            (folder / "filler").unlink()
        elif kind == "read-only":
            subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
        else:
            self.scene.prefix = []
            for path in (folder, *folder.rglob("*")):
                path.chmod(0o700 if path.is_dir() else 0o600)


class OneDisk(Disk):
    WHICH = ""

    def __init__(self, *arguments):
        super().__init__(*arguments[:4])
        self.kind = arguments[4]
        self.disk = self.scene.folder / self.WHICH

    def before(self):
        if self.kind == "no-permission":
            (self.disk / "aimlvideo").mkdir(parents=True, mode=0o700)
        else:
            self.mount(self.disk)
        if self.WHICH == "state" and self.cell.phase != "submit" and self.way != "command":
            self.scene.interrupt(self.cell.phase)

    def begin(self):
        self.spoil(self.disk, self.kind)

    def lift(self):
        self.mend(self.disk, self.kind)


class StateDisk(OneDisk):
    WHICH = "state"


class CacheDisk(OneDisk):
    WHICH = "cache"


class CacheDiskWithoutLength(Disk):
    """Room for the first chunk of the clip, which is enough to begin, and not for the second."""

    ROOM = 20 * 1024

    def before(self):
        self.disk = self.scene.folder / "cache"
        self.mount(self.disk)

    def begin(self):
        self.fill(self.disk)
        os.truncate(self.disk / "filler", (self.disk / "filler").stat().st_size - self.ROOM)
        self.scene.rules(({"phase": "clip"}, {"kind": "chunked"}))

    def struck(self):
        return self.counted() > 0


class NoRoom(Disk):
    SIZE = "64k"

    def before(self):
        self.disks = [self.scene.folder / "cache", self.scene.folder / "temporary"]
        for disk in self.disks:
            self.mount(disk)
        self.scene.properties.append(f"temp-dir={self.disks[1]}")

    def begin(self):
        for disk in self.disks:
            self.fill(disk)

    def lift(self):
        for disk in self.disks:
            (disk / "filler").unlink()


class Held(Setup):
    """The first request of the phase is held while something happens."""

    def begin(self):
        settings = {"bytes": 9000} if self.phase == "clip" else {"accepted": True}
        self.scene.rules(*self.lost_first, ({"phase": self.phase, "nth": 1}, {"kind": "stall", **settings}))

    def during(self):
        self.scene.emulator.wait_until(lambda report: any(
            rule["applied"] for rule in report["rules"] if rule["fault"]["kind"] == "stall"), "the held request")
        self.happen()
        self.scene.release()

    def happen(self):
        pass

    def struck(self):
        return self.counted() > 0


class StateFillsUp(Held, Disk):
    def before(self):
        self.mount(self.scene.folder / "state")

    def happen(self):
        self.fill(self.scene.folder / "state")


class CacheFillsUp(Held, Disk):
    SIZE = "64k"

    def before(self):
        self.mount(self.scene.folder / "cache")

    def begin(self):
        super().begin()
        self.free = self.free_bytes()

    def happen(self):
        # what has come is in the spool
        deadline = time.monotonic() + 20
        while self.free - self.free_bytes() < 8192 and time.monotonic() < deadline:
            time.sleep(0.02)
        self.fill(self.scene.folder / "cache")

    def free_bytes(self):
        state = os.statvfs(self.scene.folder / "cache")
        return state.f_bavail * state.f_bsize


def faketime_library():
    """The path of the library behind the command faketime. The command fails where one with the same process id, which
    was killed, has left its shared memory."""
    for _ in range(10):
        run = subprocess.run(["faketime", "-f", "+0", "printenv", "LD_PRELOAD"], capture_output=True, text=True)
        if run.returncode == 0:
            return run.stdout.strip()
    raise AssertionError(run.stderr)


class ClockJumps(Held):
    def __init__(self, *arguments):
        super().__init__(*arguments[:4])
        self.jump = arguments[4]

    def begin(self):
        if not shutil.which("faketime"):
            raise unittest.SkipTest("the command faketime is not installed")
        super().begin()
        library = faketime_library()
        self.clock = self.scene.folder / "clock"
        self.clock.write_text("+0\n")
        self.scene.environment |= {"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": str(self.clock), "FAKETIME_NO_CACHE": "1",
                                   "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}

    def happen(self):
        self.clock.write_text(self.jump + "\n")
