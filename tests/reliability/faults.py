# SPDX-License-Identifier: LGPL-2.1-or-later
"""How each fault of the network and the service in cells.py is made to happen; machine.py has those of this machine."""

import threading

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
            self.scene.ledger("UPDATE purchase SET base_url = ?", self.NOWHERE)
        self.scene.base = self.NOWHERE

    def lift(self):
        self.scene.base = self.scene.emulator.url
        if self.way == "command":
            self.scene.ledger("UPDATE purchase SET base_url = ?", self.scene.base)


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
