#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How quick the emulator is, as Markdown tables: requests a second, and the time to render each look once.

  tests/bench/emulator.py build/tools/emulator/aimlapi-emulator [--all-models] [--requests-only]
"""

import asyncio
import base64
import os
import pathlib
import statistics
import sys
import time

SOURCE = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(SOURCE / "tests/emulator"))
os.environ["AIMLAPI_EMULATOR"] = sys.argv[1]
os.environ["AIMLAPI_CATALOGUE"] = str(SOURCE / "src/api/models.json")

from harness import IMAGE_MODEL, TAIL_MODEL, TEXT_MODEL, Emulator  # noqa: E402
from test_generations import EveryModel  # noqa: E402
from test_load import Client, create, poll  # noqa: E402

CONNECTIONS, SECONDS = 8, 5
PICTURE = "data:image/jpeg;base64," + base64.b64encode((SOURCE / "examples/media/lighthouse.jpg").read_bytes()).decode()
LOOKS = {"5 s, 16:9": {}, "10 s, 16:9": {"duration": 10}, "5 s, 9:16": {"aspect_ratio": "9:16"},
         "5 s, silent": {"generate_audio": False}, "5 s, from an image": {"model": IMAGE_MODEL, "image_url": PICTURE},
         "5 s, from a first to a last image": {"model": TAIL_MODEL, "image_url": PICTURE, "tail_image_url": PICTURE},
         "5 s, 1080p": {"model": "klingai/video-v3-omni-1080p-text-to-video"}}


async def rate(emulator, ask):
    """How often `ask` is answered in a second over several connections."""
    end = time.monotonic() + SECONDS
    count = 0

    async def ask_on():
        nonlocal count
        async with Client(emulator) as client:
            while time.monotonic() < end:
                await ask(client)
                count += 1

    await asyncio.gather(*(ask_on() for _ in range(CONNECTIONS)))
    return count / SECONDS


def measure_requests():
    print(f"| request, {CONNECTIONS} connections | a second |\n|---|---|")
    with Emulator("--clip", sys.argv[1]) as emulator:  # no clip is looked at
        generation_id = emulator.create(key="k").json["id"]
        for name, ask in {"poll": lambda client: poll(client, generation_id),
                          "create": lambda client: create(client, "a fox"),
                          "one model with its price": lambda client: client.call("GET", f"/v1/models?id={TEXT_MODEL}&include=pricing"),
                          "report of 10 tasks": lambda client: client.call("GET", "/emulator/report?tasks=10")}.items():
            print(f"| {name} | {asyncio.run(rate(emulator, ask)):.0f} |", flush=True)


def render(emulator, path, body):
    """Seconds until the generation is completed."""
    start = time.monotonic()
    answer = emulator.call("POST", path, body)
    assert answer.status < 300, answer.body
    reply = emulator.wait(answer.json.get("id") or answer.json["generation_id"], path)
    assert reply.json["status"] in ("completed", "succeeded"), reply.json
    return time.monotonic() - start


def measure_looks():
    print("\n| look, rendered once | seconds at full size | at --render-size 160 |\n|---|---|---|")
    with Emulator("--render-size", "0", "--generation-time", "0") as full, Emulator("--generation-time", "0") as small:
        for name, parameters in LOOKS.items():
            body = {"model": TEXT_MODEL, "prompt": "A paper boat on a stream", **parameters}
            times = [render(emulator, "/v2/video/generations", body) for emulator in (full, small)]
            print(f"| {name} | {times[0]:.1f} | {times[1]:.2f} |", flush=True)


def measure_models():
    every = EveryModel()
    with Emulator("--generation-time", "0") as emulator:
        models = {model["id"]: (path, every.good_body(model, parameters)) for model, path, parameters in every.endpoints()}
        times = [render(emulator, path, body) for path, body in models.values()]
    print(f"\n{len(times)} models, each once at --render-size 160: {sum(times):.0f} s, median {statistics.median(times):.1f} s, "
          f"longest {max(times):.1f} s")


measure_requests()
if "--requests-only" not in sys.argv:
    measure_looks()
if "--all-models" in sys.argv:
    measure_models()
