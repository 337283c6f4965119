#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The element against servers that nobody wrote with it in mind: see docs/testing.md.

adversary.py [--cases N] [--seed N] [--case K[,K...]] [--kind NAME] [--verbose]

Each case is drawn from the seed and its number, so `--seed N --case K` does it again."""

import argparse
import concurrent.futures
import hashlib
import os
import pathlib
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "reliability"))

from scene import BUILD, COMMAND, PLAYER, Seen, digests, seen_by_player  # noqa: E402

from fronts import KINDS as FRONTS  # noqa: E402
import marks  # noqa: E402
from gate import Certificates  # noqa: E402
from service import Service  # noqa: E402
from wire import FAULTS, Fault, Style, Wire  # noqa: E402

CLIPS = [BUILD / "tests/clips" / name for name in ("faststart.mp4", "hevc.mp4", "fragmented.mp4")]  # moov first, last, in fragments
LIBSOUPS_OWN = re.compile("libsoup.*-CRITICAL|g_propagate_error")
GRACE = 5  # seconds after `timeout` by which everything has ended
AT_A_TIME = int(os.environ.get("AIMLVIDEO_CELLS_AT_A_TIME") or 12 * (os.cpu_count() or 1))


class Clip:
    def __init__(self, path):
        self.path = path
        self.bytes = path.read_bytes()
        self.digests = digests(path)
        self.sha256 = hashlib.sha256(self.bytes).hexdigest()


class Case:
    """One server, one user, and runs until there is a clip."""

    def __init__(self, seed, number, shared):
        self.draw = random.Random(f"{seed} {number}")
        self.number = number
        self.shared = shared
        self.clip = shared.clips[self.draw.randrange(len(shared.clips))]
        self.way = self.draw.choice(["push", "push", "pull"])
        self.timeout = self.draw.choice([4, 5, 6])
        self.key = f"key-of-case-{number}-{self.draw.randrange(1 << 32):x}"
        self.folder = shared.folder / f"case-{number}"
        self.folder.mkdir()
        self.properties = []
        self.has_to_arrive = False
        self.problems = []
        self.story = []
        self.digests = dict(self.clip.digests)
        self.prepare()

    # what a kind of case adds

    def prepare(self):
        """The server: sets `base`."""

    def bought(self):
        raise NotImplementedError

    def trespasses(self):
        return []

    def lift(self):
        """What is wrong is over."""

    def close(self):
        pass

    def describe(self):
        return ""

    # the runs

    def carry_out(self):
        try:
            seen = self.run(self.way, self.timeout)
            if not seen.clip and self.has_to_arrive:
                self.problems.append("it did not bring the clip")
            before = self.bought()
            if not self.problems and not seen.clip:
                self.lift()
                self.go_on(before)
            elif not self.problems and self.draw.random() < 0.3:
                self.story.append("once more, to be replayed")
                self.lift()
                if not self.run("push", 10).clip:
                    self.problems.append("what had arrived is not played again")
            for where in self.trespasses():
                self.problems.append(f"the key went to {where}")
        finally:
            self.close()
        if not self.problems:
            shutil.rmtree(self.folder)
        return self

    def go_on(self, before):
        """Without the faults: what was bought comes, what was not bought is not lost."""
        way = self.draw.choice(self.ways_again()) if self.rows() and before else "push"
        timeout = 15
        seen = self.run(way, timeout)
        if not seen.clip and before:
            self.problems.append("what was bought does not come when the faults are over")
        if not seen.clip and not before and "jobs resolve" not in seen.text:
            self.problems.append("it does not arrive when the faults are over")

    def ways_again(self):
        return ["push", "pull", "command"]

    def environment(self):
        # a server may make libsoup complain of itself; it goes on unless it is told to abort
        return dict(os.environ, G_DEBUG="", AIMLAPI_KEY=self.key, AIMLAPI_BASE_URL=self.base, XDG_STATE_HOME=str(self.folder / "state"),
                    XDG_CACHE_HOME=str(self.folder / "cache"))

    def run(self, way, timeout):
        file = self.folder / "fetched.mp4"
        arguments = [COMMAND, "jobs", "resume", "1", file, "--timeout", str(timeout)] if way == "command" else [
            PLAYER, way, "aimlvideosrc", "poll-interval=100", f"timeout={timeout}", "prompt=a cat on a roof", *self.properties]
        begun = time.monotonic()
        process = subprocess.Popen(arguments, env=self.environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            output, errors = process.communicate(timeout=timeout + self.shared.grace)
        except subprocess.TimeoutExpired:
            process.kill()
            output, errors = process.communicate()
            seen = Seen(problem=f"it did not end by timeout + {self.shared.grace} s")
        else:
            seen = self.judge(way, process.returncode, output, errors, time.monotonic() - begun)
        if self.key in output + errors:
            seen.problem = "the key was told"
        if complaint := next((line for line in errors.splitlines() if "CRITICAL" in line and not LIBSOUPS_OWN.search(line)), None):
            seen.problem = complaint
        if not seen.problem and self.bought() > 1:
            seen.problem = f"{self.bought()} were bought"
        seen.problem = seen.problem or self.ledger(seen)
        self.story.append(f"{way}, timeout {timeout}: {'the clip' if seen.clip else seen.code or seen.exit} after {seen.seconds:.1f} s, "
                          f"{self.bought()} bought. {seen.text}")
        if seen.problem:
            self.problems.append(seen.problem)
        if not seen.clip:
            self.story.append((errors.strip() if way != "command" or seen.problem else "")[-2000:] + "\n" + seen.notes[-1500:])
        return seen

    def judge(self, way, code, output, errors, seconds):
        if way != "command":
            return seen_by_player(way, code, output, errors, seconds, self.digests)
        file = self.folder / "fetched.mp4"
        seen = Seen(code == 0 and marks.delivers(file.read_bytes(), self.clip.bytes), "", errors, seconds, errors, code)
        if code == 0 and not seen.clip:
            seen.problem = "another clip was delivered"
        return seen

    # the ledger

    def rows(self):
        path = self.folder / "state/aimlvideo/ledger.sqlite3"
        if not path.exists():
            return []
        database = sqlite3.connect(path)
        database.row_factory = sqlite3.Row
        try:
            return database.execute("SELECT * FROM purchase").fetchall()
        finally:
            database.close()

    def ledger(self, seen):
        """What is wrong in it."""
        sums = {hashlib.sha256(bytes).hexdigest() for bytes in self.whole_clips()}
        rows = self.rows()
        for row in rows:
            if row["state"] != "completed":
                continue
            if row["clip_checksum"] and row["clip_checksum"] not in sums:
                return "the ledger says completed with a clip that is not whole"
            stored = self.folder / "cache/aimlvideo/clips" / (row["clip"] or "none")
            if row["clip"] and stored.is_file() and hashlib.sha256(stored.read_bytes()).hexdigest() not in sums:
                return "a clip is stored that is not whole"
        if seen.clip and [row["state"] for row in rows].count("completed") != 1:
            return f"the clip came, and the ledger says {[row['state'] for row in rows]}"
        return ""

    def whole_clips(self):
        return [self.clip.bytes]


class OnTheWire(Case):
    """The service speaks with the words of the grammar, and keeps to HTTP."""

    def faults(self):
        self.timeout = 20
        self.has_to_arrive = True
        return []

    def prepare(self):
        self.service = Service(self.clip.bytes, self.key, self.draw.choice([0, 1, 3]))
        self.other = self.draw.choice([clip for clip in self.shared.clips if clip is not self.clip])
        style = Style(random.Random(self.draw.random()))
        self.wire = Wire(self.service, self.draw.random(), style, self.faults(), self.other.bytes)
        self.base = self.wire.url
        # less than was asked for, and not how much there is: only the file's own boxes tell that there is more
        self.has_to_arrive = self.has_to_arrive and style.ranges != "clamped star"

    def bought(self):
        return self.service.billable

    def trespasses(self):
        return self.service.trespasses

    def lift(self):
        self.wire.honest()
        self.service.polls = 0  # it has ended meanwhile: the command asks seldom

    def close(self):
        self.wire.close()
        self.problems += [f"the test's server failed: {mistake!r}" for mistake in self.wire.mistakes]

    def describe(self):
        return f"{self.wire.style.name()}; requests: {' '.join(self.wire.requests[:60])}"


class Broken(OnTheWire):
    """The service breaks HTTP, breaks off, or talks nonsense."""

    def faults(self):
        phases = self.draw.sample(list(FAULTS), self.draw.choice([1, 1, 2]))
        if self.draw.random() < 0.4:
            phases = ["clip"]
        faults = [Fault(self.draw, phase) for phase in phases]
        if "logs" in phases and "create" not in phases:  # nothing would be looked up
            lost = Fault(self.draw, "create")
            lost.change, lost.times, lost.accepts = CUT_AT_ONCE, 1, True
            faults.append(lost)
        self.chosen = faults
        return faults

    def judge(self, way, code, output, errors, seconds):
        """Where the host has two files, either is whole; which of them is the clip it does not say."""
        seen = super().judge(way, code, output, errors, seconds)
        if seen.problem == "another clip was delivered" and way != "command" and self.has_two_files():
            other = seen_by_player(way, code, output, errors, seconds, self.other.digests)
            return other if other.clip else seen
        return seen

    def has_two_files(self):
        return any(fault.change.__name__ == "other_file" for fault in self.chosen)

    def whole_clips(self):
        return [self.clip.bytes, self.other.bytes] if self.has_two_files() else [self.clip.bytes]

    def describe(self):
        return "; ".join(fault.name() for fault in self.chosen) + "; " + super().describe()


def CUT_AT_ONCE(answer, _):
    answer.cut, answer.ending = 0, "close"


KINDS = {"wire": OnTheWire, "broken": Broken}
WEIGHTS = {"wire": 5, "broken": 10}
for name, front in FRONTS.items():
    KINDS[name] = type(front.__name__, (front, Case), {})
    WEIGHTS[name] = 1


class Shared:
    def __init__(self, grace):
        self.temporary = tempfile.TemporaryDirectory(prefix="aimlvideo-adversary-", ignore_cleanup_errors=True)
        self.folder = pathlib.Path(self.temporary.name)
        self.clips = [Clip(path) for path in CLIPS]
        self.certificates = Certificates(self.folder / "certificates")
        self.grace = grace


def kind_of(seed, number, wanted):
    if wanted:
        return wanted
    return random.Random(f"{seed} {number} kind").choices(list(WEIGHTS), list(WEIGHTS.values()))[0]


def meet(seed, number, kind, shared):
    case = None
    try:
        case = KINDS[kind](seed, number, shared)
        return case.carry_out()
    except Exception as problem:  # of the test itself, which must not hide the others
        import traceback
        case = case or type("NoCase", (), {"number": number, "story": [], "describe": lambda self: ""})()
        case.problems = [f"the test itself failed: {problem!r}\n{traceback.format_exc()}"]
        return case


def arguments(cases, steps=False):
    def numbers(text):
        return [int(part) for part in text.split(",")]

    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=cases)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("AIMLVIDEO_SEED") or random.randrange(1 << 32)))
    parser.add_argument("--case", type=numbers, default=[])
    if steps:
        parser.add_argument("--steps", type=numbers, default=[])
    else:
        parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_args()


def tell(case, kind, seed):
    print(f"\ncase {case.number}, {kind}: {case.problems[0]}\n  again with: --seed {seed} --case {case.number}"
          f"{f' --kind {kind}'}\n  {case.describe()}", flush=True)
    for line in case.story:
        print("  " + line.replace("\n", "\n    "), flush=True)


def may_be_late(problems):
    """Whether a busy machine may be all that was wrong: something came too late. What was bought twice or came wrong is never that."""
    late = ("did not end by timeout", "did not end after a signal", "did not bring the clip", "brings no clip", "does not come when",
            "does not arrive when", "not played again", "is not found")
    return all(any(words in problem for words in late) for problem in problems)


def afresh(failed, kinds, seed, shared):
    """The late ones once more with little else to do. When there are many it is not the machine."""
    if len(failed) > 30:
        return failed

    def once_more(case):
        if not may_be_late(case.problems):
            return case
        shutil.rmtree(shared.folder / f"case-{case.number}", ignore_errors=True)
        return meet(seed, case.number, kinds[case.number], shared)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return list(pool.map(once_more, failed))


def main():
    options = arguments(200)
    seed = options.seed
    numbers = options.case or range(options.cases)
    shared = Shared(GRACE)
    kinds = {number: kind_of(seed, number, options.kind) for number in numbers}
    print(f"{len(kinds)} cases, --seed {seed}", flush=True)
    failed = []
    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        for case in pool.map(lambda number: meet(seed, number, kinds[number], shared), numbers):
            if options.verbose and not case.problems:
                print(f"case {case.number}, {kinds[case.number]}: {case.describe()}\n  " + "\n  ".join(case.story), flush=True)
            if case.problems:
                failed.append(case)
    confirmed = 0
    for case, again in zip(failed, afresh(failed, kinds, seed, shared)):
        kind = kinds[case.number]
        if again.problems:
            confirmed += 1
            tell(again, kind, seed)
        else:
            print(f"case {case.number}, {kind}: only when the machine is busy: {case.problems[0]}", flush=True)
    print(f"{len(kinds)} cases in {time.monotonic() - begun:.0f} s, {confirmed} failed", flush=True)
    shared.temporary.cleanup()
    sys.exit(confirmed > 0)


if __name__ == "__main__":
    main()
