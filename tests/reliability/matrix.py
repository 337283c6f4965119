#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Holds each promise of the fault matrix (cells.py) against what the element and the command line do.

Without arguments: each fault once, in the phase where it hurts most. `--full`: all cells. `-k PATTERN` chooses some."""

import concurrent.futures
import os
import pathlib
import sys
import tempfile
import unittest

import faults
import machine
from cells import AT_TIMEOUT, CELLS, PATIENT, TITLES
from gate import Certificates
from scene import Scene, digests

FULL = "--full" in sys.argv
AT_A_TIME = int(os.environ.get("AIMLVIDEO_CELLS_AT_A_TIME") or 4 * (os.cpu_count() or 1))
GRACE = 20  # seconds that a machine with other things to do may take longer than a run's timeout


class Shared:
    """What all cells use."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="aimlvideo-reliability-")
        path = pathlib.Path(self.folder.name)
        self.certificates = Certificates(path / "certificates")
        self.digests = digests()
        self.worst = {}

    def folder_for(self, name):
        folder = pathlib.Path(self.folder.name) / name
        folder.mkdir()
        return folder


def meet(cell, way, shared):
    """Makes the fault happen and returns what is not as promised."""
    scene = Scene(shared.folder_for(f"{cell.name()}-{way}"), shared.digests)
    try:
        return Meeting(cell, way, scene, shared).problems()
    finally:
        scene.close()


class Meeting:
    def __init__(self, cell, way, scene, shared):
        self.cell = cell
        self.way = way
        self.scene = scene
        self.shared = shared
        self.found = []

    def expect(self, condition, text):
        if not condition:
            self.found.append(text)

    def problems(self):
        name, *arguments = self.cell.setup
        kind = "".join(part.capitalize() for part in name.split("_"))
        setup = getattr(faults, kind, None) or getattr(machine, kind)
        setup = setup(self.scene, self.cell, self.way, self.shared.certificates, *arguments)
        setup.before()
        if self.way == "command":
            self.scene.interrupt(self.cell.phase)
        setup.begin()
        process = self.scene.start(self.way, self.cell.promise.seconds(), self.cell.properties)
        try:
            setup.during()
        finally:
            seen = self.scene.end(self.way, process)
        self.expect(setup.struck(), "the fault has not struck")
        self.judge(seen)
        if not self.cell.promise.clip:
            setup.lift()
            self.go_on(setup.way_afterwards)
        return self.found

    def judge(self, seen):
        promise = self.cell.promise
        self.expect(not seen.problem, seen.problem)
        self.expect(seen.clip == promise.clip, "no clip" if promise.clip else "a clip")
        bought = self.scene.purchases()
        self.expect(bought == promise.purchases, f"{bought} purchases instead of {promise.purchases}")
        if not promise.clip:
            self.judge_error(seen)
        if self.found:
            self.found.append(f"after {seen.seconds:.1f} s: {seen.code or seen.exit} {seen.text}\n{seen.notes}")

    def judge_error(self, seen):
        promise = self.cell.promise
        if self.way == "command":
            self.expect(seen.exit == promise.exit or seen.exit in promise.or_else,
                        f"exit code {seen.exit} instead of {promise.exit}")
        else:
            self.expect(seen.code == promise.code or seen.code in promise.or_else,
                        f"{seen.code} instead of {promise.code}")
        for words in (self.cell.cause, *promise.words):
            self.expect(words in seen.text, f"{words!r} is not said")
        by_timeout = promise.when == AT_TIMEOUT
        bound = promise.seconds() + GRACE if by_timeout else promise.bound
        self.expect(seen.seconds < bound, f"it took {seen.seconds:.1f} s, {bound} s are the bound")
        late = seen.seconds - promise.seconds() if by_timeout else seen.seconds
        kind = "after the timeout" if by_timeout else f"until an error that is to come within {promise.bound} s"
        self.shared.worst[kind] = max(self.shared.worst.get(kind, (0, "")), (late, f"{self.cell.name()} {self.way}"))

    def go_on(self, way):
        """The fault is gone: what was paid for is not lost, what was not bought can be bought."""
        promise = self.cell.promise
        if promise.then == "nothing to try":
            return
        if promise.then == "settle":
            again = self.scene.run(way, 1)
            self.expect(again.code == "FAILED", f"the second run brought {again}")
            self.expect(self.scene.purchases() == 0, "the second run has sent it again")
            self.scene.settle()
        seen = self.scene.run(way, PATIENT)
        self.expect(seen.clip and not seen.problem, f"no clip afterwards: {seen}")
        self.expect(self.scene.purchases() == 1, f"{self.scene.purchases()} purchases afterwards")


class Matrix(unittest.TestCase):
    def __init__(self, cell, way):
        super().__init__("runTest")
        self.cell = cell
        self.way = way

    def id(self):
        return f"{self.cell.name()}_{self.way}"

    def __str__(self):
        return self.id()

    def runTest(self):
        problems = self.future.result()
        self.assertFalse(problems, "\n".join(["", *problems]))


class List(unittest.TestCase):
    def test_the_quick_tier_meets_each_fault(self):
        self.assertEqual({cell.fault for cell in CELLS if cell.quick}, set(TITLES))

    def test_no_cell_is_there_twice(self):
        names = [cell.name() for cell in CELLS]
        self.assertEqual(len(names), len(set(names)))


def chosen():
    pattern = sys.argv[sys.argv.index("-k") + 1] if "-k" in sys.argv else ""
    for cell in CELLS:
        for way in cell.ways:
            test = Matrix(cell, way)
            if pattern in test.id() and (FULL or pattern or cell.quick and way == quick_way(cell)):
                yield test


def quick_way(cell):
    """Each way in turn, so that the quick tier meets all of them."""
    quick = [other for other in CELLS if other.quick]
    return cell.ways[quick.index(cell) % len(cell.ways)]


def main():
    tests = list(chosen())
    of_the_list = unittest.defaultTestLoader.loadTestsFromTestCase(List)
    shared = Shared()
    pool = concurrent.futures.ThreadPoolExecutor(AT_A_TIME)
    for test in sorted(tests, key=lambda test: -test.cell.promise.seconds()):  # the long ones first
        test.future = pool.submit(meet, test.cell, test.way, shared)
    result = unittest.TextTestRunner(verbosity=2).run(unittest.TestSuite([*of_the_list, *tests]))
    pool.shutdown()
    for kind, (seconds, name) in shared.worst.items():
        print(f"worst: {seconds:.1f} s {kind} ({name})", flush=True)
    shared.folder.cleanup()
    sys.exit(not result.wasSuccessful())


if __name__ == "__main__":
    main()
