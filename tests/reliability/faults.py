# SPDX-License-Identifier: LGPL-2.1-or-later
"""How each fault of cells.py is made to happen."""

import os
import re
import shutil
import subprocess
import threading
import time
import unittest

from cells import PHASES
from gate import Gate
from scene import OTHER_CLIP

ONCE = 1
SOON = 1.2  # seconds after which somebody listens again: some requests were made by then


class Setup:
    """A fault in a scene. For a fault that passes: until it has struck once."""

    def __init__(self, scene, cell, way, certificates):
        self.scene = scene
        self.cell = cell
        self.way = way
        self.certificates = certificates
        self.phase = PHASES[cell.phase]
        self.way_afterwards = way  # to try again with when the fault is gone
        self.lost_first = []  # rules by which a run comes to look up a lost submission
        if cell.phase == "lookup" and way != "command":
            self.lost_first = [({"phase": "create", "nth": 1}, {"kind": "lost-after"})]

    def before(self):
        """Before anything is bought."""

    def begin(self):
        """Before the run that meets the fault."""

    def during(self):
        """While that run goes on."""

    def lift(self):
        """The fault is gone."""
        self.scene.rules()

    def struck(self):
        return True

    # for those that need it

    def gate(self, contexts=None):
        gate = Gate(self.scene.emulator.url, contexts)
        self.scene.closing.append(gate.close)
        return gate

    def counted(self):
        rules = self.scene.emulator.report()["rules"]
        return sum(rule["applied"] for rule in rules if rule["match"].get("phase") == self.phase)


class Emulate(Setup):
    def __init__(self, *arguments):
        super().__init__(*arguments[:4])
        self.fault = dict(arguments[4])

    def begin(self):
        match = {"phase": self.phase}
        if not self.cell.lasts:
            match["nth"] = ONCE
        if self.cell.phase == "submit":
            self.fault.setdefault("accepted", self.cell.promise.accepted)
        self.scene.rules(*self.lost_first, (match, self.fault))

    def struck(self):
        return self.counted() > 0


class Spoil(Setup):
    def __init__(self, *arguments):
        super().__init__(*arguments[:4])
        self.answer = arguments[4]

    def before(self):
        self.front = self.gate()
        self.scene.base = self.front.url

    def begin(self):
        self.scene.rules(*self.lost_first)
        accepted = self.cell.promise.accepted if self.cell.phase == "submit" else True
        self.front.spoil(self.phase, self.answer, None if self.cell.lasts else ONCE, accepted)

    def lift(self):
        super().lift()
        self.front.rule = None

    def struck(self):
        return self.front.struck > 0


class Harmless(Setup):
    """What is wrong is in the properties."""


class NameUnknown(Setup):
    NOWHERE = "https://nowhere.invalid"

    def before(self):
        if self.cell.phase == "submit":
            self.scene.base = self.NOWHERE
        elif self.way != "command":
            # a name that goes away while the same process waits can't be had; what is bought can be fetched by its id
            self.scene.request = ["generation-id=" + self.scene.buy()]

    def begin(self):
        if self.way == "command":
            self.scene.ledger("UPDATE generation SET base_url = ?", self.NOWHERE)
        self.scene.base = self.NOWHERE

    def lift(self):
        self.scene.base = self.scene.emulator.url
        if self.way == "command":
            self.scene.ledger("UPDATE generation SET base_url = ?", self.scene.base)


class ClipsElsewhere(Setup):
    def __init__(self, *arguments):
        super().__init__(*arguments[:4])
        self.origin = arguments[4]

    def before(self):
        self.front = self.gate()
        self.scene.base = self.front.url

    def begin(self):
        self.front.clips_from = self.origin

    def lift(self):
        self.front.clips_from = None


class NobodyListens(Setup):
    def before(self):
        self.front = self.gate()
        self.scene.base = self.front.url
        self.host = self.front
        if self.cell.phase == "download":
            self.host = self.gate()
            self.front.clips_from = self.host.url

    def begin(self):
        self.scene.rules(*self.lost_first)
        first = {"lookup": "create", "poll": "create"}.get(self.cell.phase)
        again = None if self.cell.lasts else SOON
        if first and self.way != "command":
            self.host.refuse_after(first, again)
            return
        self.host.close()
        if again:
            self.timer = threading.Timer(again, self.host.listen)
            self.timer.start()

    def lift(self):
        super().lift()
        self.host.listen()


class Certificate(Setup):
    def __init__(self, *arguments):
        super().__init__(*arguments[:4])
        self.name = arguments[4]

    def before(self):
        contexts = self.certificates.contexts
        download = self.cell.phase == "download"
        self.front = self.gate(None if download else contexts)
        self.scene.base = self.front.url
        self.scene.properties.append(f"tls-ca={self.certificates.authority}")
        self.host = self.gate(contexts) if download else self.front
        self.front.clips_from = self.host.url

    def begin(self):
        self.scene.rules(*self.lost_first)
        self.host.bad_handshakes = None if self.cell.lasts else ONCE
        first = {"lookup": "create", "poll": "create"}.get(self.cell.phase)
        self.host.present(self.name, first if self.way != "command" else None)

    def lift(self):
        super().lift()
        self.host.present("good")

        self.way_afterwards = "push"  # the command can't be told to trust the test's authority

    def struck(self):
        return self.host.struck > 0


class ClipsMovedTo(Setup):
    """Another name of the same machine."""

    def __init__(self, *arguments):
        super().__init__(*arguments[:4])
        self.host = arguments[4]

    def before(self):
        self.front = self.gate()
        self.front.clips_moved_to = self.scene.emulator.url.replace("127.0.0.1", self.host)
        self.scene.base = self.front.url

    def struck(self):
        return self.front.struck > 0


class EtagChanges(Setup):
    def begin(self):
        self.scene.rules(({"phase": "clip", "nth": 1}, {"kind": "truncated", "bytes": 9000}),
                         ({"phase": "clip"}, {"kind": "changing-etag"}))

    def struck(self):
        return self.counted() > 1


class FileChanges(Setup):
    def before(self):
        self.front = self.gate()
        self.scene.base = self.front.url

    def begin(self):
        self.scene.rules(({"phase": "clip", "nth": 1}, {"kind": "truncated", "bytes": 9000}))
        self.front.other_file = OTHER_CLIP.read_bytes()

    def lift(self):
        super().lift()
        self.front.other_file = None

    def struck(self):
        return self.front.struck > 0


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


class ClockJumps(Held):
    def __init__(self, *arguments):
        super().__init__(*arguments[:4])
        self.jump = arguments[4]

    def begin(self):
        if not shutil.which("faketime"):
            raise unittest.SkipTest("the command faketime is not installed")
        super().begin()
        library = subprocess.run(["faketime", "-f", "+0", "printenv", "LD_PRELOAD"], capture_output=True, text=True,
                                 check=True).stdout.strip()
        self.clock = self.scene.folder / "clock"
        self.clock.write_text("+0\n")
        self.scene.environment |= {"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": str(self.clock), "FAKETIME_NO_CACHE": "1",
                                   "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}

    def happen(self):
        self.clock.write_text(self.jump + "\n")


def setup_for(cell, way, scene, certificates):
    name, *arguments = cell.setup
    kind = globals()["".join(part.capitalize() for part in re.split("_", name))]
    return kind(scene, cell, way, certificates, *arguments)
