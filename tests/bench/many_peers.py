#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The clients that many.py sets this project beside. Python's standard library only. They write nothing down and lock
nothing, so that what they bought is lost when they are killed, and bought again when they are run again.

  many_peers.py asyncio COUNT [CERTIFICATE]   one thread, a connection kept per generation, a poll every 5 s as in ComfyUI
                                              and others
  many_peers.py sample COUNT                  the loop of the service's documentation, a thread and 15 s between polls per
                                              generation

The service is in the environment. Like the other clients of many.py this one brings one generation to its end, prints its
seconds of CPU, waits for a line, starts the others and prints how many failed."""

import asyncio
import json
import os
import re
import ssl
import sys
import threading
import time
import urllib.parse
import urllib.request

PATH = "/v2/video/generations"
MODEL = "klingai/video-v2-6-pro-text-to-video"
KEY = "bench-key"
BASE = os.environ["AIMLAPI_BASE_URL"]
PAUSE = float(os.environ.get("BENCH_PAUSE", "5"))  # what it sets for all clients


class Failures:
    """Counted from any thread."""

    def __init__(self):
        self.count, self.lock = 0, threading.Lock()

    def add(self, error):
        with self.lock:
            if self.count == 0:
                print(repr(error), file=sys.stderr)
            self.count += 1


class Connection:
    """HTTP over one asyncio stream that stays open."""

    def __init__(self, trusted):
        parts = urllib.parse.urlsplit(BASE)
        self.host, self.port, self.trusted = parts.hostname, parts.port, trusted

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection(self.host, self.port, ssl=self.trusted)

    def close(self):
        self.writer.close()

    async def call(self, method, target, body=b""):
        service = target.startswith(PATH)  # the clip's host gets no key, and refuses one
        key = f"Authorization: Bearer {KEY}\r\n" if service else ""
        self.writer.write(f"{method} {target} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n{key}"
                          f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        await self.writer.drain()
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        left = int(re.search(r"(?i)content-length: (\d+)", head)[1])
        if head.split()[1] not in ("200", "201"):
            raise RuntimeError(head.splitlines()[0])
        parts = []
        while left > 0:
            part = await self.reader.read(min(left, 65536))
            if not part:
                raise EOFError("the connection ended")
            left -= len(part)
            if service:
                parts.append(part)
        return b"".join(parts)


async def generate(prompt, trusted, failures):
    connection = Connection(trusted)
    try:
        await connection.open()
        body = json.dumps({"model": MODEL, "prompt": prompt}).encode()
        generation_id = json.loads(await connection.call("POST", PATH, body))["id"]
        while True:
            await asyncio.sleep(0 if prompt == "warm" else PAUSE)
            reply = json.loads(await connection.call("GET", f"{PATH}?generation_id={urllib.parse.quote(generation_id, safe='')}"))
            if reply["status"] == "completed":
                break
        await connection.call("GET", reply["video"]["url"][len(BASE):])
    except Exception as error:
        failures.add(error)
    finally:
        if hasattr(connection, "writer"):
            connection.close()


async def generate_all(prompts, certificate, failures):
    trusted = ssl.create_default_context(cafile=certificate) if certificate else None
    await asyncio.gather(*(generate(prompt, trusted, failures) for prompt in prompts))


def sample(prompt, failures):
    """As the documentation has it: a request each, with a connection of its own, and a sleep of 15 s."""
    try:
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        body = json.dumps({"model": MODEL, "prompt": prompt}).encode()
        with urllib.request.urlopen(urllib.request.Request(BASE + PATH, body, headers)) as answer:
            generation_id = json.load(answer)["id"]
        while True:
            target = f"{BASE}{PATH}?{urllib.parse.urlencode({'generation_id': generation_id})}"
            with urllib.request.urlopen(urllib.request.Request(target, headers=headers)) as answer:
                reply = json.load(answer)
            if reply["status"] not in ("waiting", "active", "queued", "generating"):
                break
            time.sleep(15)
        with urllib.request.urlopen(reply["video"]["url"]) as answer:
            while answer.read(65536):
                pass
    except Exception as error:
        failures.add(error)


def sample_all(prompts, failures):
    threads = [threading.Thread(target=sample, args=(prompt, failures)) for prompt in prompts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main():
    way, count, certificate = sys.argv[1], int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None
    failures = Failures()

    def run(prompts):
        if way == "asyncio":
            asyncio.run(generate_all(prompts, certificate, failures))
        else:
            sample_all(prompts, failures)

    run(["warm"])
    print(time.process_time(), flush=True)
    if not sys.stdin.readline():
        return
    run([f"number {number}" for number in range(count)])
    print(failures.count)


main()
