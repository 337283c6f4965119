#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One request, asked for again and again while everything around it fails, until there is a clip: see docs/testing.md.

sequences.py [--cases N] [--seed N] [--case K[,K...]] [--steps I[,I...]] [--verbose]

A sequence is drawn from the seed and its number: runs that are killed or stopped, alone or two at once, with faults of the
network, the service, the disks and the clock. `--steps` does some of the steps only, to make a sequence that fails short."""

import concurrent.futures
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

from adversary import AT_A_TIME, CLIPS, GRACE, Clip, arguments, may_be_late
from machine import Disk, faketime_library
import marks  # behind adversary, which finds it
from scene import COMMAND, PLAYER, seen_by_player
from service import Service
from wire import Fault, Style, Wire

PROMPT = "a cat on a roof"
TIMEOUT = 3
PATIENT = 15
RUNS_AT_THE_END = 4


def fault(phase, change, times=1000, accepts=True):
    made = Fault(random.Random(1), phase)
    made.change, made.times, made.accepts, made.same = change, times, accepts, False
    return made


def says(status, body=b'{"message": "no"}'):
    def change(answer, _):
        answer.status, answer.body = str(status), body
    return change


def cut(at, ending):
    def change(answer, _):
        answer.cut, answer.ending = int(at * len(answer.bytes())), ending
    return change


LOST = cut(0, "reset")
PAGE = b"<html><h1>Not found</h1></html>"
NETWORK = {
    "all is well": [],
    "nobody listens": None,
    "the request is lost": [fault("create", LOST, 1, accepts=False)],
    "the answer is lost": [fault("create", LOST, 1)],
    "half of the answer is lost": [fault("create", cut(0.7, "close"), 1)],
    "the answer does not come": [fault("create", cut(0, "silence"), 1)],
    "500, and it was bought": [fault("create", says(500), 1)],
    "500, and it was not": [fault("create", says(500), 1, accepts=False)],
    "503 once": [fault("create", says(503), 1, accepts=False)],
    "503 for ever": [fault("create", says(503), accepts=False)],
    "the key is refused": [fault("create", says(401), accepts=False)],
    "the request is refused": [fault("create", says(400), accepts=False)],
    "the answer is lost, and the log": [fault("create", LOST, 1), fault("logs", says(500))],
    "the log can't be read": [fault("create", LOST, 1), fault("logs", says(200, b'{"data": ['))],
    "a gateway has no log": [fault("create", LOST, 1), fault("logs", says(404, PAGE))],
    "polls fail": [fault("poll", says(502, PAGE))],
    "polls are rubbish": [fault("poll", says(200, PAGE))],
    "a gateway does not know the generation": [fault("poll", says(404, PAGE))],
    "a gateway refuses the polls": [fault("poll", says(400, PAGE))],
    "polls are reset": [fault("poll", LOST)],
    "the clip is cut once": [fault("clip", cut(0.5, "reset"), 1)],
    "the clip is always cut": [fault("clip", cut(0.5, "close"))],
    "the clip's link is refused": [fault("clip", says(403))],
    "the clip's host is silent": [fault("clip", cut(0.3, "silence"))],
    "a page for a clip": [fault("clip", says(200, PAGE))],
    "it fails": "it fails",  # the service says so, and does not bill it
}
WHO = ["push", "pull", "launch", "generate"]
DISKS = ["state full", "state read-only", "cache full", "cache gone", "clip cut", "clip changed"]


@dataclass
class Step:
    who: str
    network: str
    end: str  # wait, kill, stop
    after: float  # seconds
    clock: str
    disk: str
    pair: bool

    @staticmethod
    def drawn(draw):
        return Step(draw.choice(WHO), draw.choice(sorted(NETWORK)), draw.choice(["wait", "wait", "kill", "kill", "stop"]),
                    round(draw.uniform(0, draw.choice([0.3, 1.5])), 3), draw.choice([""] * 4 + ["+10d", "-10d", "+40d"]),
                    draw.choice([""] * 5 + DISKS), draw.random() < 0.15)

    def __str__(self):
        parts = [self.who + (" twice at once" if self.pair else ""), self.network]
        parts += [f"{self.end} after {self.after} s"] if self.end != "wait" else []
        parts += [f"the clock at {self.clock}"] if self.clock else []
        return ", ".join(parts + ([self.disk] if self.disk else []))


class Sequence:
    def __init__(self, seed, number, shared, chosen=None):
        draw = random.Random(f"{seed} {number} sequence")
        self.number, self.shared = number, shared
        self.clip = draw.choice(shared.clips)
        self.folder = shared.folder / f"case-{number}"
        self.folder.mkdir()
        self.service = Service(self.clip.bytes, f"key-of-sequence-{number}", 3)
        style = Style(random.Random(draw.random()))
        style.interim, style.pieces, style.closes, style.hops = b"", "whole", "no", 0
        style.framing, style.version, style.ranges = "length", "1.1", "total"  # how it speaks is the other test's
        self.wire = Wire(self.service, draw.random(), style)
        self.steps = [Step.drawn(draw) for _ in range(draw.randrange(2, 6))]
        self.chosen = chosen or range(1, len(self.steps) + 1)
        self.problems, self.story = [], []
        self.closing = [self.wire.close]
        self.runs = 0
        self.disks = shared.mounts and any(step.disk.endswith(("full", "read-only")) for step in self.steps)

    def carry_out(self):
        try:
            if self.disks:
                self.mount("state")
                self.mount("cache")
            for number in self.chosen:
                step = self.steps[number - 1]
                self.story.append(f"step {number}: {step}")
                self.take(step)
                if self.problems:
                    return self
            self.story.append("from here on all is well")
            self.end_well()
        finally:
            for close in reversed(self.closing):
                close()
        return self

    def expect(self, condition, text):
        if not condition:
            self.problems.append(text)

    # one step

    def take(self, step):
        lift = self.spoil_disk(step.disk)
        self.spoil_network(step.network)
        try:
            processes = [self.start(step.who, TIMEOUT, step.clock) for _ in range(2 if step.pair else 1)]
            if step.end != "wait":
                self.hit(processes, step)
            for process in processes:
                self.end(process, step.end == "wait")
        finally:
            self.mend_network()
            lift()
        self.judge_ledger()
        self.expect(self.service.billable <= 1, f"{self.service.billable} were bought")

    def hit(self, processes, step):
        """Where a run is hit is decided by time, on purpose."""
        deadline = time.monotonic() + step.after
        for process in processes:
            try:
                process.wait(max(deadline - time.monotonic(), 0))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL if step.end == "kill" else signal.SIGINT)

    def spoil_network(self, name):
        faults = NETWORK[name]
        if faults is None:
            self.wire.stop(self.wire.listeners[0])
            self.wire.hang_up()
        elif name == "it fails":
            self.service.to_fail = 1
        else:
            self.wire.faults = [fault(one.phase, one.change, one.times, one.accepts) for one in faults]

    def mend_network(self):
        self.service.to_fail = 0
        if self.wire.listeners[0].fileno() < 0:
            self.wire.listeners[0] = self.wire.listen(self.wire.port)
        self.wire.honest()

    # the runs

    def start(self, who, timeout, clock=""):
        self.runs += 1
        file = self.folder / f"clip-{self.runs}.mp4"
        environment = dict(os.environ, AIMLAPI_KEY=self.service.key, AIMLAPI_BASE_URL=self.wire.url,
                           XDG_STATE_HOME=str(self.folder / "state"), XDG_CACHE_HOME=str(self.folder / "cache"))
        if clock:
            environment |= {"LD_PRELOAD": self.shared.faketime, "FAKETIME": clock, "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                            "DONT_FAKE_MONOTONIC": "1"}
        source = ["aimlvideosrc", f"prompt={PROMPT}", f"timeout={timeout}", "poll-interval=100"]
        command = {
            "launch": ["gst-launch-1.0", "-q", *source, "!", "filesink", f"location={file}"],
            "generate": [COMMAND, "generate", "-o", file, "-p", PROMPT, "--timeout", str(timeout), "--poll-interval", "100"],
        }.get(who, [PLAYER, who, *source])
        process = subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.who, process.file, process.limit = who, file, timeout
        return process

    def end(self, process, undisturbed=True):
        """Whether it brought the clip, and what it said."""
        try:
            output, errors = process.communicate(timeout=process.limit + self.shared.grace)
        except subprocess.TimeoutExpired:
            process.kill()
            output, errors = process.communicate()
            self.expect(not undisturbed, f"{process.who} did not end by timeout + {self.shared.grace} s: {errors[-500:]}")
            self.expect(undisturbed, f"{process.who} did not end after a signal: {errors[-500:]}")
            return False, errors
        code = process.returncode
        self.expect(self.service.key not in output + errors, "the key was told")
        brought, text = False, errors
        if process.who in ("push", "pull") and (undisturbed or code == 0):
            seen = seen_by_player(process.who, code, output, errors, 0, self.clip.digests)
            self.expect(not seen.problem, seen.problem)
            brought, text = seen.clip, seen.text
        elif process.file.exists() and (undisturbed and code == 0 or process.who == "generate"):
            brought = marks.delivers(process.file.read_bytes(), self.clip.bytes)
            self.expect(brought, f"another clip was delivered, {process.file.stat().st_size} bytes")
        elif undisturbed:
            self.expect(code != 0, f"{process.who} ended well without a clip: {errors}")
        self.story.append(f"  {process.who}: {'the clip' if brought else code}, {self.service.billable} bought. {text.strip()[-300:]}")
        return brought, text

    # the end

    def end_well(self):
        """Everything works now: the clip has to come."""
        failed_before = False
        for who in ["push", "generate", "launch", "pull"][:RUNS_AT_THE_END]:
            before = self.service.billable
            brought, text = self.end(self.start(who, PATIENT))
            self.expect(self.service.billable <= 1, f"{self.service.billable} were bought")
            if brought or self.problems:
                break
            if "jobs resolve" in text:
                self.expect(before == 0, "what was bought is not found")
                self.settle()
            elif "the generation failed" in text and self.service.sold[-1].failed and not failed_before:
                failed_before = True  # of an earlier step, and its end is only seen now: the next run buys
            else:
                self.expect(False, f"all is well, and {who} brings no clip: {text}")
        self.judge_ledger()
        if self.problems:
            return
        rows = [row for row in self.rows() if row["state"] == "completed"]
        self.expect(self.service.billable == 1, f"{self.service.billable} were bought")
        good = {sold.id for sold in self.service.sold if not sold.failed}
        self.expect([row["generation_id"] for row in rows] == list(good), f"the ledger has {[tuple(row) for row in rows]}")
        asked = len(self.wire.requests)
        brought, text = self.end(self.start("push", PATIENT))
        self.expect(brought, f"it is not played again: {text}")
        self.expect("create" not in self.wire.requests[asked:], "it was submitted to be played again")
        self.expect(not self.service.trespasses, f"the key went to {self.service.trespasses}")
        self.expect(not self.wire.mistakes, f"the test's server failed: {self.wire.mistakes}")

    def settle(self):
        """As the user does whom the account's log has told that nothing was bought."""
        for row in self.rows():
            if row["state"] == "sent":
                done = subprocess.run([COMMAND, "jobs", "resolve", str(row["id"]), "--not-bought"], capture_output=True, text=True,
                                      env=dict(os.environ, XDG_STATE_HOME=str(self.folder / "state")))
                self.expect(done.returncode == 0, f"it can't be settled: {done.stderr}")

    def rows(self):
        path = self.folder / "state/aimlvideo/ledger.sqlite3"
        if not path.exists() or path.stat().st_size == 0:
            return []
        database = sqlite3.connect(path)
        database.row_factory = sqlite3.Row
        try:
            self.expect(database.execute("PRAGMA quick_check").fetchone()[0] == "ok", "the ledger is damaged")
            if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'purchase'").fetchone():
                return []
            return database.execute("SELECT * FROM purchase").fetchall()
        finally:
            database.close()

    def judge_ledger(self):
        rows = self.rows()
        known = {sold.id: sold for sold in self.service.sold}
        for row in rows:
            self.expect(not row["generation_id"] or row["generation_id"] in known, f"the ledger invents {row['generation_id']}")
            self.expect(row["state"] != "completed" or row["generation_id"] in known and not known[row["generation_id"]].failed,
                        "the ledger says completed of what has failed")
            self.expect(row["state"] != "completed" or row["clip_checksum"] in ("", self.clip.sha256),
                        "the ledger says completed with another clip")
        for sold in self.service.sold:
            kept = [row for row in rows if sold.id == row["generation_id"] or sold.request_id == row["client_request_id"]]
            self.expect(sold.failed or kept, f"the ledger has lost {sold.id}")

    # the disks

    def mount(self, name):
        folder = self.folder / name
        folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", folder], check=True)
        self.closing.insert(0, lambda: subprocess.run(["umount", "-l", folder], check=False))

    def spoil_disk(self, what):
        """Returns what mends it."""
        name, _, kind = what.partition(" ")
        disk = self.folder / name
        if kind == "full" and self.disks:
            Disk.fill(disk)
            return (disk / "filler").unlink
        if kind == "read-only" and self.disks:
            make_read_only(disk)
            return lambda: subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        if kind == "gone":
            shutil.rmtree(disk / "aimlvideo", ignore_errors=True)
        stored = [path for path in (self.folder / "cache/aimlvideo/clips").glob("*") if path.is_file()] if name == "clip" else []
        for path in stored:
            content = bytearray(path.read_bytes())
            if kind == "cut":
                path.write_bytes(content[:len(content) // 2])
            elif content:
                content[len(content) // 2] ^= 255  # in place, and of the same size
                path.write_bytes(content)
        return lambda: None


def make_read_only(disk):
    """Files that a process had open when it was killed may be let go of only after it is gone, and keep the disk busy."""
    command = ["mount", "-o", "remount,ro", disk]
    deadline = time.monotonic() + 10
    while subprocess.run(command, capture_output=True).returncode != 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    subprocess.run(command, check=True)


class Shared:
    def __init__(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="aimlvideo-sequences-", ignore_cleanup_errors=True)
        self.folder = pathlib.Path(self.temporary.name)
        self.clips = [Clip(path) for path in CLIPS]
        self.grace = GRACE
        probe = self.folder / "probe"
        probe.mkdir()
        self.mounts = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", probe], capture_output=True).returncode == 0
        if self.mounts:
            subprocess.run(["umount", probe], check=True)
        else:
            print("no tmpfs can be mounted here: disks neither fill up nor become read-only", flush=True)
        self.faketime = faketime_library()


def carry_out(seed, number, shared, steps):
    shutil.rmtree(shared.folder / f"case-{number}", ignore_errors=True)
    return Sequence(seed, number, shared, steps).carry_out()


def main():
    options = arguments(30, steps=True)
    numbers = options.case or range(options.cases)
    shared = Shared()
    begun = time.monotonic()
    print(f"{len(numbers)} sequences, --seed {options.seed}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        sequences = list(pool.map(lambda number: carry_out(options.seed, number, shared, options.steps), numbers))
    failed = 0
    for sequence in sequences:
        if sequence.problems and len(numbers) > 1 and may_be_late(sequence.problems):  # with nothing else to do
            first, sequence = sequence, carry_out(options.seed, sequence.number, shared, options.steps)
            if not sequence.problems:
                print(f"sequence {first.number}: once of two times: {first.problems[0]}\n  " + "\n  ".join(first.story), flush=True)
        if sequence.problems or options.verbose:
            print(f"\nsequence {sequence.number}: {sequence.problems}\n  again with: --seed {options.seed} --case {sequence.number}\n  "
                  + "\n  ".join(sequence.story), flush=True)
        failed += bool(sequence.problems)
    print(f"{sum(sequence.runs for sequence in sequences)} runs in {len(sequences)} sequences, {time.monotonic() - begun:.0f} s, "
          f"{failed} failed", flush=True)
    shared.temporary.cleanup()
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
