#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many generations at once in one process, beside other clients of the same emulator, as a Markdown table.

  meson compile -C build many-client
  tests/bench/many.py build [--generations 1000] [--generation-time 40] [--clip FILE]

Memory and threads are what the process holds while all of its generations wait, less what it held before the first. The
delay is the time from a generation's completion until the client knows of it. souphttpsrc only downloads the clips, at a rate
at which all of them are under way at once: what a source costs that does nothing but its last part."""

import argparse
import datetime
import json
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).parent
WAYS = {"aimlvideosrc": "aimlvideosrc ! fakesink", "asyncio": "Python asyncio, a poll every 5 s",
        "sample": "the documentation's Python loop, a thread each, 15 s"}
SOUP = "souphttpsrc ! fakesink (download only)"


def unlimited_files():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Emulator:
    def __init__(self, build, *options):
        self.process = subprocess.Popen(
            [build / "tools/emulator/aimlapi-emulator", "--port", "0", "--exit-with-parent", "--history", "100000", *options],
            stdout=subprocess.PIPE, text=True, preexec_fn=unlimited_files)
        self.url = re.fullmatch(r"listening on (\S+)\n", self.process.stdout.readline())[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def report(self):
        with urllib.request.urlopen(self.url + "/emulator/report?tasks=100000") as answer:
            return json.load(answer)

    def clip_url(self):
        """The address of a finished clip."""
        headers = {"Authorization": "Bearer bench-key", "Content-Type": "application/json"}
        path = self.url + "/v2/video/generations"
        body = json.dumps({"model": "klingai/video-v2-6-pro-text-to-video", "prompt": "one"}).encode()
        with urllib.request.urlopen(urllib.request.Request(path, body, headers)) as answer:
            target = path + "?generation_id=" + urllib.parse.quote(json.load(answer)["id"], safe="")
        while True:
            with urllib.request.urlopen(urllib.request.Request(target, headers=headers)) as answer:
                reply = json.load(answer)
            if reply["status"] == "completed":
                return reply["video"]["url"]
            time.sleep(0.1)


def run(command, environment):
    """What a client printed, and its CPU seconds."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{command[0]} failed")
    return json.loads(text), usage.ru_utime + usage.ru_stime


def measure(arguments, way):
    count, delays = arguments.generations, []
    clip = ["--clip", str(arguments.clip)]
    with tempfile.TemporaryDirectory(dir="/var/tmp") as home:
        environment = dict(os.environ, AIMLAPI_KEY="bench-key", XDG_STATE_HOME=home + "/state", XDG_CACHE_HOME=home + "/cache",
                           GST_PLUGIN_PATH=str(arguments.build / "gst-plugin"), GST_REGISTRY=home + "/registry",
                           GSETTINGS_BACKEND="memory")
        client = arguments.build / "tests/bench/many-client"
        subprocess.run(["gst-inspect-1.0", "aimlvideosrc"], env=environment, stdout=subprocess.DEVNULL, check=True)
        if way == "souphttpsrc":
            rate = str(max(1, round(arguments.clip.stat().st_size / arguments.generation_time)))
            with Emulator(arguments.build, "--generation-time", "0", "--bandwidth", rate, *clip) as emulator:
                result, cpu = run([client, way, str(count), emulator.clip_url()], environment)
                requests = count
        else:
            with Emulator(arguments.build, "--generation-time", str(arguments.generation_time), *clip) as emulator:
                environment["AIMLAPI_BASE_URL"] = emulator.url
                command = [client, way, str(count)] if way == "aimlvideosrc" else \
                    [sys.executable, HERE / "many_peers.py", way, emulator.url, str(count)]
                result, cpu = run(command, environment)
                report = emulator.report()
                requests = report["requests"]
                completed = {task["request"]["prompt"]: datetime.datetime.fromisoformat(task["created"]).timestamp() +
                             arguments.generation_time for task in report["tasks"]}
                delays = [when - completed[prompt] for prompt, when in result["noticed"].items()]
    if result["errors"]:
        print(f"{way}: {result['errors']} of {count} failed", file=sys.stderr)
    held = {name: (result["waiting"][name] - result["before"][name]) / count for name in result["before"]} \
        if result["waiting"] else {"kilobytes": float("nan"), "threads": float("nan"), "descriptors": float("nan")}
    return {"KiB each": held["kilobytes"], "threads each": held["threads"], "descriptors each": held["descriptors"],
            "all accepted after, s": result["accepted"], "CPU ms each": cpu * 1000 / count, "requests": requests,
            "requests per CPU second": requests / cpu,
            "delay, mean s": statistics.mean(delays) if delays else None,
            "delay, 95 % s": sorted(delays)[int(len(delays) * 0.95)] if delays else None, "in all, s": result["seconds"]}


def show(value):
    if value is None:
        return "-"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.0f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--generations", type=int, default=1000)
    parser.add_argument("--generation-time", type=float, default=40)
    parser.add_argument("--clip", type=pathlib.Path)
    parser.add_argument("--only", choices=[*WAYS, "souphttpsrc"])
    arguments = parser.parse_args()
    arguments.build = arguments.build.resolve()
    arguments.clip = (arguments.clip or arguments.build / "tests/clips/faststart.mp4").resolve()
    names = WAYS | {"souphttpsrc": SOUP}
    results = {way: measure(arguments, way) for way in names if arguments.only in (None, way)}
    columns = list(next(iter(results.values())))
    print(f"{arguments.generations} generations at once, each {arguments.generation_time:.0f} s at the service, clips of "
          f"{arguments.clip.stat().st_size / 1e3:.0f} kB\n")
    print("| client | " + " | ".join(columns) + " |\n|---|" + "---|" * len(columns))
    for way, result in results.items():
        print(f"| {names[way]} | " + " | ".join(show(result[column]) for column in columns) + " |")
    if arguments.only:
        return
    # below 1: less than the best of the others
    ours, cells = results["aimlvideosrc"], []
    for column in columns:
        peers = [result[column] for way, result in results.items() if way in ("asyncio", "sample")]
        best = max(peers) if "per CPU" in column else min(peers)
        cells.append(f"x {ours[column] / best:.2f}" if best > 0 else "-")
    print("| **aimlvideosrc by the best of the other clients** | " + " | ".join(cells) + " |")


main()
