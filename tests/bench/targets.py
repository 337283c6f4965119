#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether the targets are met, as a Markdown table: this version, the version before and another program, measured in
turn in the same run.

  ninja -C build programs benchmarks
  tests/bench/targets.py build [--before BUILD] [--clips FOLDER] [--rounds 3] [--only NAME...] [--quick]

BUILD is the build folder of another version, optimised alike; its engine is measured too if it has tests/bench/engine-client.
CLIPS is what make_clips.sh has made, /var/tmp/aimlvideo-bench-clips unless another is named; what the first frame needs is made
if it is not there. Figures that have a target per generation are
those of many.py. "over" in the last column: the target is missed."""

import argparse
import dataclasses
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

import many

ROOT = many.HERE.parent.parent
NOT_WORSE = 1.1  # times the figure of the version before: what runs of one version differ by
RESERVE = 1.0  # ms more than that, for figures of a few ms


@dataclasses.dataclass
class Row:
    figure: str
    now: float | None
    before: float | None
    peer: float | None
    most: float | None  # None: nothing to compare with
    text: str = ""  # of the target, where it is not a number

    def verdict(self):
        if self.now is None:
            return "over"  # it did not come to its end
        return "-" if self.most is None else "PASS" if self.now <= self.most else "over"

    def print(self):
        target = self.text or ("-" if self.most is None else f"at most {many.show(self.most)}")
        print(f"| {self.figure} | {many.show(self.now)} | {many.show(self.before)} | {many.show(self.peer)} | {target} | {self.verdict()} |",
              flush=True)


def field(result, name):
    return result[name] if result else None


class Targets:
    def __init__(self, arguments):
        self.build, self.rounds, self.quick = arguments.build.resolve(), arguments.rounds, arguments.quick
        self.before = arguments.before.resolve() if arguments.before else None
        self.clips = arguments.clips
        self.clip = self.build / many.CLIP
        self.seconds = 1 if self.quick else arguments.seconds

    def count(self, count):
        return min(count, 4) if self.quick else count

    def versions(self, make):
        """The clients of this version, "now", and of the one before."""
        clients = [make(self.build, "now")] + ([make(self.before, "before")] if self.before else [])
        return [client for client in clients if client.there()]

    # many at once

    def at_once(self, count, title, most_memory, most_cpu, before=True, rounds=None, seconds=None, **kind):
        count = self.count(count)
        clients = self.versions(many.engine) if before else [many.engine(self.build, "now")]
        once = many.parsing_once(self.build, "once")
        clients += [once] if kind else []
        peer = many.peer("asyncio")
        results = many.measure_in_turn([peer, *clients], rounds or self.rounds, count, seconds or self.seconds, self.clip, **kind)
        now, old, other = results["now"], results.get("before"), results[peer.name]
        title = f"{count} at once, {title}"

        def row(figure, name, most, text=""):
            Row(f"{title}: {figure}", field(now, name), field(old, name), field(other, name), most, text).print()

        row("KiB each", "KiB each", most_memory)
        row("CPU ms each", "CPU ms each", most_cpu)
        row("all accepted after, s", "all accepted after, s", other["all accepted after, s"] * 1.3 if other else None,
            "at most 1.3 times asyncio")
        if kind:
            Row(f"{title}, certificates parsed once (as in the command line): CPU ms each", field(results["once"], "CPU ms each"), None,
                field(other, "CPU ms each"), most_cpu).print()
            row("TLS handshakes for purchases", "opened for a purchase", count)
            row("TLS handshakes for polls", "opened for a poll", 0)
            row("TLS handshakes for clips", "opened for a clip", None)
        row("threads in all", "threads in all", None)
        row("failed", "failed", 0)
        row("bought twice", "bought twice", 0)

    def plain(self):
        self.at_once(1000, "HTTP", 16, 3)

    def tls(self):
        self.at_once(1000, "TLS, HTTP/1.1", 24, 6, tls=True)

    def http2(self):
        self.at_once(1000, "TLS, HTTP/2", 24, 6, http2=True)

    def ten_thousand(self):
        # the version before has two threads and four descriptors each, more than a system lets a process have
        self.at_once(10_000, "HTTP", 16, 3, before=False, rounds=1, seconds=None if self.quick else 60)

    def batch(self):
        self.batches("HTTP", 16, 3)

    def batch_tls(self):
        self.batches("TLS", 24, 6, tls=True)

    def batches(self, title, most_memory, most_cpu, **kind):
        count = self.count(1000)
        results = {"now": [], "before": []}
        builds = [("now", self.build)] + ([("before", self.before)] if self.before else [])
        peer, accepted = many.peer("asyncio"), []
        for turn in range(self.rounds):
            for name, build in builds[::-1] if turn % 2 else builds:
                few, all_ = self.one_batch(build, 1, **kind), self.one_batch(build, count, **kind)
                if few and all_:
                    results[name].append(
                        {"KiB": (all_["KiB"] - few["KiB"]) / (count - 1), "CPU": (all_["CPU"] - few["CPU"]) * 1000 / (count - 1),
                         **{key: all_[key] for key in ("accepted", "failed", "opened for a purchase", "opened for a poll")}})
            result = many.measure(peer, count, self.seconds, self.clip, **kind)
            accepted.append(result["all accepted after, s"])
        title = f"aimlvideo batch --jobs {count}, {title}: "
        middle = {name: {key: statistics.median(run[key] for run in runs) for key in runs[0]} if runs else None
                  for name, runs in results.items()}
        now, old = middle["now"], middle["before"]
        Row(title + "KiB each", field(now, "KiB"), field(old, "KiB"), None, most_memory).print()
        Row(title + "CPU ms each", field(now, "CPU"), field(old, "CPU"), None, most_cpu).print()
        Row(title + "all accepted after the first, s", field(now, "accepted"), field(old, "accepted"), statistics.median(accepted),
            statistics.median(accepted) * 1.3, "at most 1.3 times asyncio").print()
        if kind:
            for figure, name, most in (("purchases", "opened for a purchase", count), ("polls", "opened for a poll", 0)):
                Row(title + f"TLS handshakes for {figure}", field(now, name), field(old, name), None, most).print()
        Row(title + "failed", field(now, "failed"), field(old, "failed"), None, 0).print()

    def one_batch(self, build, count, tls=False):
        with many.home_for(build) as environment, tempfile.TemporaryDirectory(dir="/var/tmp", prefix="aimlvideo-bench-") as folder, \
                many.Service(self.clip, self.seconds, certificate=many.make_certificate(folder) if tls else None) as service:
            environment["AIMLAPI_BASE_URL"] = service.url
            if tls:
                environment |= many.trust_of_the_system(self.build, folder)
            manifest = pathlib.Path(folder, "manifest.csv")
            manifest.write_text("output,prompt\n" + "".join(f"{number}.mp4,number {number}\n" for number in range(count)))
            command = [build / "tools/aimlvideo/aimlvideo", "batch", "--jobs", str(count), manifest]
            if pause := environment.get("BENCH_PAUSE"):
                command += ["--poll-interval", str(round(float(pause) * 1000))]
            process = subprocess.Popen(command, env=environment, cwd=folder, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, preexec_fn=many.allow_descriptors())
            last = many.wait_for_accepts(process, service, count)
            if last is None:
                return many.ended(many.Client("batch", []), process, "before all were accepted")
            accepted = last - service.ask("report")["began"]
            many.warn_if_not_at_once("batch", accepted, self.seconds)
            time.sleep(min(many.SETTLED, self.seconds / 4))
            held = many.held_by(process.pid)
            first = service.ask("report")["first"]
            _, _, usage = os.wait4(process.pid, 0)
            process.returncode = 0
            made = len(list(pathlib.Path(folder).glob("*.mp4")))
            return {"KiB": held["KiB"], "CPU": usage.ru_utime + usage.ru_stime, "accepted": accepted, "failed": count - made,
                    "opened for a purchase": first.get("create", 0), "opened for a poll": first.get("poll", 0)}

    # the element

    def elements(self):
        count = self.count(1000)
        still = many.elements(self.build, self.build, "fakesrc", "fakesrc", holds_still=True)
        clients = self.versions(lambda build, name: many.elements(self.build, build, name=name))
        results = many.measure_in_turn([still, *clients], self.rounds, count, self.seconds, self.clip)
        now, old, other = results["now"], results.get("before"), results["fakesrc"]

        def row(figure, name, more, text):
            Row(f"{count} elements: {figure}", field(now, name), field(old, name), other[name], other[name] + more, text).print()

        Row(f"{count} elements: threads each", field(now, "threads each"), field(old, "threads each"), other["threads each"],
            1 + 10 / count, "the streaming thread").print()
        row("descriptors each", "descriptors each", 1 + 10 / count, "at most one more than fakesrc")
        row("KiB each", "KiB each", 64, "at most 64 more than fakesrc")
        Row(f"{count} elements: failed", field(now, "failed"), field(old, "failed"), other["failed"], 0).print()

    def limits(self):
        count = self.count(2000)
        for way, descriptors, title in (("pipeline", 4096, "elements in one pipeline"), ("pipelines", 8192, "pipelines")):
            clients = self.versions(lambda build, name: many.elements(self.build, build, way, name, descriptors=descriptors))
            results = many.measure_in_turn(clients, 1, count, self.seconds, self.clip)
            Row(f"{count} {title} at {descriptors} descriptors: failed", field(results["now"], "failed"),
                field(results.get("before"), "failed"), None, 0, "all end well").print()

    # one

    def second(self):
        results = many.measure_in_turn(self.versions(many.engine), 1, 1, self.seconds, self.clip, tls=True)
        now, old = results["now"], results.get("before")
        for figure, name, most in (("purchase", "opened for a purchase", 1), ("polls", "opened for a poll", 0)):
            Row(f"second generation of a process, TLS: handshakes for its {figure}", field(now, name), field(old, name), None, most).print()

    def in_turn(self, rounds, command):
        """What the command prints with each version's plugin, round by round."""
        printed = {"now": [], "before": []}
        builds = [("now", self.build)] + ([("before", self.before)] if self.before else [])
        for turn in range(rounds):
            for name, build in builds[::-1] if turn % 2 else builds:
                with many.home_for(build) as environment:
                    environment["AIMLAPI_KEY"] = environment["AIMLAPI_BASE_URL"] = ""
                    printed[name].append(subprocess.run(command, env=environment, check=True, capture_output=True, text=True,
                                                        preexec_fn=many.allow_descriptors()).stdout)
        return printed

    @staticmethod
    def cells(texts, row, column):
        """The median of a cell over some texts with a table, its first number; None without one. A row is named by its first
        cells."""
        values = []
        for text in texts:
            lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
            head = lines[0]
            for line in lines:
                if line[:len(row)] == list(row) and (found := re.match(r"[\d.]+", line[head.index(column)])):
                    values.append(float(found[0]))
        return statistics.median(values) if values else None

    @staticmethod
    def not_worse(before):
        return None if before is None else before * NOT_WORSE + RESERVE

    def start(self):
        image = ROOT / "examples/media/lighthouse.jpg"
        sizes = ["0"] if self.quick else ["0", "40"]
        printed = self.in_turn(1 if self.quick else 3 * self.rounds, [self.build / "tests/bench/start-up", image, "1", *sizes])
        for size in sizes:
            now, old = (self.cells(printed[name], [f"{size} MB", "aimlvideosrc"], "first byte, ms") for name in ("now", "before"))
            peer = self.cells(printed["now"], [f"{size} MB", "Python"], "first byte, ms")
            if size == "0":
                Row("start without an image: first byte after, ms", now, old, peer, 8).print()
            else:
                Row(f"start with {size} MB: first byte after, ms", now, old, peer, self.not_worse(old), "not worse than before").print()

    def null(self):
        printed = self.in_turn(self.rounds, [self.build / "tests/bench/state-changes", "1" if self.quick else "20"])
        column = "set_state(NULL), worst (median), ms"
        for row in dict.fromkeys(tuple(cell.strip() for cell in line.split("|")[1:3])
                                 for line in printed["now"][0].splitlines() if line.endswith(") |")):
            now, old = (self.cells(printed[name], row, column) for name in ("now", "before"))
            Row(f"NULL, {', '.join(row)}: worst, ms", now, old, None, 20).print()

    def first_frame(self):
        if not (self.clips / "first.mp4").exists():
            subprocess.run([many.HERE / "make_clips.sh", self.clips, "first"], check=True, stdout=sys.stderr)
        printed = self.in_turn(self.rounds, [self.build / "tests/bench/first-frame", self.clips, "1", "first"])
        for way in ("aimlvideosrc ! decodebin (pull)", "aimlvideosrc ! queue ! qtdemux (push)"):
            for rate in ("10", "20", "50", "100"):
                now, old, peer = (self.cells(printed[name], [source], rate)
                                  for name, source in (("now", way), ("before", way), ("now", "souphttpsrc ! decodebin")))
                Row(f"first frame at {rate} Mbit/s, {way}, s", now, old, peer, None if old is None else old * NOT_WORSE + RESERVE / 1000,
                    "not worse than before").print()

    def detection(self):
        def rows(build):
            program = build and build / "tests/bench/poll-schedule"
            if not program or not program.exists():
                return [None, None]
            text = subprocess.run([program, "4" if self.quick else "400", "ours"], check=True, capture_output=True, text=True).stdout
            return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| **by")][:2]

        for times, now, old in zip(("documented", "learned"), rows(self.build), rows(self.before)):
            Row(f"detection, {times} times: mean delay, s", float(now[1]), float(old[1]) if old else None, None, 0.92).print()
            Row(f"detection, {times} times: polls", float(now[3]), float(old[3]) if old else None, None, 60).print()


GROUPS = ["plain", "tls", "http2", "ten_thousand", "batch", "batch_tls", "elements", "limits", "second", "start", "null", "first_frame", "detection"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--before", type=pathlib.Path)
    parser.add_argument("--clips", type=pathlib.Path, default="/var/tmp/aimlvideo-bench-clips")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=37, help="that a generation takes")
    parser.add_argument("--only", nargs="*", choices=GROUPS)
    parser.add_argument("--quick", action="store_true", help="a few of everything, to see that it works")
    arguments = parser.parse_args()
    targets = Targets(arguments)
    if arguments.quick:
        os.environ["BENCH_PAUSE"] = "0.3"
    print("| figure | this version | before | peer | target | |\n|---|---|---|---|---|---|", flush=True)
    for group in arguments.only or GROUPS:
        begun = time.monotonic()
        getattr(targets, group)()
        print(f"{group}: {time.monotonic() - begun:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
