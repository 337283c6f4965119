#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A process is killed, or stopped for a while, right before and right after each sync, each send and each change of a
name, while it buys, joins another process and resumes: never two purchases, and nothing that is paid for is lost.

The points are counted by a preloaded library, see crash_points.cpp. With --full all of them; otherwise those around
a send, and some that AIMLVIDEO_SEED chooses.
"""

import os
import random
import signal
import sys
import time

import marks
from paid_once import CLIP, PaidOnce
from support import PATIENCE, main

FULL = "--full" in sys.argv
LIBRARY = os.environ["AIMLVIDEO_CRASH_POINTS"]
BOUND = 30  # seconds: a run beside a stopped process ends by its timeout, or when SQLite waits no longer
WAITING = "in use by"


class Buying:
    """Nothing is there yet."""

    def __init__(self, test):
        self.test = test

    def prepare(self):
        self.test.fresh()

    def meanwhile(self, process):
        """Once the process has done what it can by itself."""

    def end(self):
        pass


class Resuming(Buying):
    """Another process has bought it and was killed while it waited."""

    def prepare(self):
        super().prepare()
        self.test.faults(({"phase": "poll"}, {"kind": "stall"}))
        process = self.test.start()
        self.test.emulator.wait_until(lambda report: report["by_endpoint"].get("poll", 0) > 0, "a poll")
        process.process.kill()
        process.end()
        self.test.call("POST", "/emulator/release")
        self.test.faults()


class Joining(Buying):
    """Another process has bought it and is waiting; it goes on once this one waits for it, or has come to its point."""

    def prepare(self):
        super().prepare()
        self.test.faults(({"phase": "poll"}, {"kind": "stall"}))
        self.other = self.test.start(clip=self.test.folder / "other.mp4")
        self.test.emulator.wait_until(lambda report: report["by_endpoint"].get("poll", 0) > 0, "a poll")

    def meanwhile(self, process):
        deadline = time.monotonic() + PATIENCE
        while process.process.poll() is None and not is_stopped(process) and WAITING not in process.output:
            if time.monotonic() > deadline:
                raise AssertionError(f"it does not wait for the other: {process.output}")
            time.sleep(0.01)
        self.test.faults()
        self.test.call("POST", "/emulator/release")

    def end(self):
        code, output = self.other.end()
        self.test.assertEqual(code, 0, output)


def is_stopped(process):
    try:
        with open(f"/proc/{process.process.pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "T"
    except FileNotFoundError:
        return False


class CrashWindows(PaidOnce):
    def run_to(self, number, signal_number=signal.SIGKILL, log=None):
        environment = {"LD_PRELOAD": LIBRARY, "AIMLVIDEO_POINT_PROGRAM": "gst-launch-1.0", "AIMLVIDEO_POINT": str(number),
                       "AIMLVIDEO_POINT_SIGNAL": str(int(signal_number))}
        if log:
            environment["AIMLVIDEO_POINT_LOG"] = str(log)
        return self.start("timeout=60", options=(), environment=environment)

    def points_of(self, scenario):
        """What the process does when nothing stops it: the names of its points."""
        scenario.prepare()
        log = self.folder / "points"
        log.unlink(missing_ok=True)
        process = self.run_to(0, log=log)
        scenario.meanwhile(process)
        code, output = process.end()
        scenario.end()
        self.assertEqual(code, 0, output)
        return [line.partition(" ")[2] for line in log.read_text().splitlines()]

    def finish(self, where):
        """The next run brings the clip, or says that nobody knows; then it was looked up, and nothing was bought."""
        whole, output = self.run_element("timeout=3")
        bought = self.purchases()
        if whole:
            self.assertEqual(bought, 1, where)
            return "clip"
        self.assertIn("jobs resolve", output, where)
        self.assertEqual(bought, 0, where + output)
        self.assertGreater(self.emulator.report()["by_endpoint"].get("logs", 0), 0, where)
        return "unknown"

    def kill_at(self, scenario, number, where):
        scenario.prepare()
        process = self.run_to(number)
        scenario.meanwhile(process)
        code, output = process.end()
        scenario.end()
        self.assertIn(code, (0, -signal.SIGKILL), where + output)
        self.assertLessEqual(self.purchases(), 1, where)
        if code == 0:  # there were fewer points this time
            self.assertTrue(marks.delivers(self.clip.read_bytes(), CLIP.read_bytes()), where)
        return self.finish(where)

    def stop_at(self, scenario, number, where):
        scenario.prepare()
        process = self.run_to(number, signal.SIGSTOP)
        scenario.meanwhile(process)
        while process.process.poll() is None and not is_stopped(process):
            time.sleep(0.01)
        begun = time.monotonic()
        beside = self.start("timeout=2", clip=self.folder / "beside.mp4")
        code, output = beside.end()
        self.assertLess(time.monotonic() - begun, BOUND, where + output)
        self.assertLessEqual(self.purchases(), 1, where)
        if code == 0:
            self.assertTrue(marks.delivers((self.folder / "beside.mp4").read_bytes(), CLIP.read_bytes()), where)
        if process.process.poll() is None:
            process.process.send_signal(signal.SIGCONT)
        code, output = process.end()
        scenario.end()
        self.assertEqual(code, 0, where + output)
        self.assertTrue(marks.delivers(self.clip.read_bytes(), CLIP.read_bytes()), where)
        self.assertEqual(self.purchases(), 1, where)
        return self.finish(where)

    def meet(self, scenario, act, step=1):
        points = self.points_of(scenario)
        first = random.Random(os.environ.get("AIMLVIDEO_SEED")).randrange(step)
        ends = {}
        for number, point in enumerate(points, 1):
            # what is about to leave, or has left, is where the most is at stake
            if (number - 1) % step != first and not (act == self.kill_at and "send" in point):
                continue
            where = f"{type(scenario).__name__}, point {number} of {len(points)}, {points[number - 1]}: "
            with self.subTest(where):
                end = act(scenario, number, where)
                ends[end] = ends.get(end, 0) + 1
        print(f"{type(scenario).__name__}: {len(points)} points, {ends}", flush=True)

    def test_killed_while_buying(self):
        self.meet(Buying(self), self.kill_at, 1 if FULL else 6)

    def test_killed_while_resuming(self):
        self.meet(Resuming(self), self.kill_at, 1 if FULL else 20)

    def test_killed_while_joining(self):
        self.meet(Joining(self), self.kill_at, 1 if FULL else 8)

    def test_stopped_while_buying(self):
        self.meet(Buying(self), self.stop_at, 1 if FULL else 30)

    def test_stopped_while_resuming(self):
        self.meet(Resuming(self), self.stop_at, 1 if FULL else 30)

    def test_stopped_while_joining(self):
        self.meet(Joining(self), self.stop_at, 1 if FULL else 8)


if __name__ == "__main__":
    sys.argv = [argument for argument in sys.argv if argument != "--full"]
    main()
