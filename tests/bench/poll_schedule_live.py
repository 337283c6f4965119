#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What poll-schedule simulates, with real elements and the emulator, in real time: about ten minutes.

All Kling models with a documented time that take a prompt or an image run side by side, each as often as asked, and take
their documented time with the emulator's spread. The delay is what passes between completion and the request for the clip,
as the emulator's report tells them.

  tests/bench/poll_schedule_live.py BUILD-FOLDER [TIMES-PER-MODEL]
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

SOURCE = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(sys.argv[1]).resolve()
TAKES = int(sys.argv[2]) if len(sys.argv) > 2 else 2
LOOK_EVERY = 0.1  # seconds; the delay is known to that


def models():
    for model in json.loads((SOURCE / "src/api/models.json").read_text())["models"]:
        if model["kind"] in ("text-to-video", "image-to-video") and model.get("sample", {}).get("seconds"):
            yield model["id"], model["kind"] == "image-to-video"


def launch(url, folder, model, takes_image, take):
    env = dict(os.environ, AIMLAPI_KEY="any", AIMLAPI_BASE_URL=url, GST_PLUGIN_PATH=str(BUILD / "gst-plugin"),
               GST_REGISTRY=str(folder / "registry.bin"), XDG_STATE_HOME=str(folder / "state"),
               XDG_CACHE_HOME=str(folder / "cache"))
    image = [f"image={SOURCE / 'examples/media/lighthouse.jpg'}"] if takes_image else []
    return subprocess.Popen(["gst-launch-1.0", "-q", "aimlvideosrc", f"model={model}", "prompt=A lighthouse at dusk",
                             f"take={take}", *image, "!", "fakesink"], env=env)


def tasks_of(url):
    with urllib.request.urlopen(url + "/emulator/report?tasks=1000") as answer:
        return json.load(answer)["tasks"]


def watch(url, elements):
    """Looks until all elements have ended: when each task was completed and asked for, and its polls."""
    completed, asked, polls = {}, {}, {}
    while any(element.poll() is None for element in elements):
        now = time.monotonic()
        for task in tasks_of(url):
            if task["state"] == "completed":
                completed.setdefault(task["id"], now)
            if task["downloads"] > 0 and task["id"] not in asked:
                asked[task["id"]] = now
                polls[task["id"]] = task["polls"]
        time.sleep(LOOK_EVERY)
    return [asked[task] - completed[task] for task in asked], list(polls.values())


def main():
    emulator = subprocess.Popen([BUILD / "tools/emulator/aimlapi-emulator", "--port", "0", "--exit-with-parent",
                                 "--generation-time", "realistic", "--render-size", "160"],
                                stdout=subprocess.PIPE, text=True)
    url = re.search(r"http://\S+", emulator.stdout.readline())[0]
    with tempfile.TemporaryDirectory() as folder:
        elements = [launch(url, pathlib.Path(folder), model, takes_image, take)
                    for model, takes_image in models() for take in range(TAKES)]
        delays, polls = watch(url, elements)
    emulator.terminate()
    failed = sum(element.returncode != 0 for element in elements)
    delays.sort()
    print("| generations | failed | mean delay, s | 95 % | polls |\n|---|---|---|---|---|")
    print(f"| {len(delays)} | {failed} | {statistics.mean(delays):.2f} | {delays[len(delays) * 95 // 100]:.2f} | "
          f"{statistics.mean(polls):.0f} |")


main()
