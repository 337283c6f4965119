#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The clients that many.py sets aimlvideosrc beside. Python's standard library only.

  many_peers.py asyncio URL COUNT   one thread, a connection kept per generation, a poll every 5 s as in ComfyUI and others
  many_peers.py sample URL COUNT    the loop of the service's documentation, a thread and 15 s between polls per generation

Prints a line of JSON, as many-client does."""

import asyncio
import json
import os
import pathlib
import re
import resource
import sys
import threading
import time
import urllib.parse
import urllib.request

PATH = "/v2/video/generations"
MODEL = "klingai/video-v2-6-pro-text-to-video"
KEY = "bench-key"


def holdings():
    status = pathlib.Path("/proc/self/status").read_text()
    value = {name: int(re.search(name + r":\s+(\d+)", status)[1]) for name in ("RssAnon", "Threads")}
    return {"kilobytes": value["RssAnon"], "threads": value["Threads"], "descriptors": len(os.listdir("/proc/self/fd"))}


class Result:
    """What happened so far, from any thread."""

    def __init__(self, count):
        self.count, self.accepted_count, self.errors, self.noticed = count, 0, 0, {}
        self.lock = threading.Lock()
        self.before, self.waiting, self.begun, self.accepted = holdings(), {}, time.monotonic(), 0

    def accept(self):
        with self.lock:
            self.accepted_count += 1
            if self.accepted_count == self.count:
                self.accepted, self.waiting = time.monotonic() - self.begun, holdings()

    def notice(self, number):
        self.noticed[f"number {number}"] = time.time()

    def fail(self, error):
        with self.lock:
            if self.errors == 0:
                print(error, file=sys.stderr)
            self.errors += 1

    def print(self):
        print(json.dumps({"before": self.before, "waiting": self.waiting, "accepted": self.accepted,
                          "seconds": time.monotonic() - self.begun, "errors": self.errors,
                          "noticed": self.noticed}))


class Connection:
    """HTTP over one asyncio stream that stays open."""

    def __init__(self, base):
        parts = urllib.parse.urlsplit(base)
        self.host, self.port = parts.hostname, parts.port

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection(self.host, self.port)

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
        if head.split()[1] != "200":
            raise RuntimeError(head.splitlines()[0])
        parts = []
        while left > 0:
            part = await self.reader.read(min(left, 65536))
            left -= len(part)
            if service:
                parts.append(part)
        return b"".join(parts)


async def generate(base, number, result):
    connection = Connection(base)
    try:
        await connection.open()
        body = json.dumps({"model": MODEL, "prompt": f"number {number}"}).encode()
        generation_id = json.loads(await connection.call("POST", PATH, body))["id"]
        result.accept()
        while True:
            await asyncio.sleep(5)
            reply = json.loads(await connection.call("GET", f"{PATH}?generation_id={urllib.parse.quote(generation_id, safe='')}"))
            if reply["status"] == "completed":
                break
        result.notice(number)
        await connection.call("GET", reply["video"]["url"][len(base):])
    except Exception as error:
        result.fail(error)
    finally:
        connection.close()


async def generate_all(base, result):
    await asyncio.gather(*(generate(base, number, result) for number in range(result.count)))


def sample(base, number, result):
    """As the documentation has it: a request each, with a connection of its own, and a sleep of 15 s."""
    try:
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        body = json.dumps({"model": MODEL, "prompt": f"number {number}"}).encode()
        with urllib.request.urlopen(urllib.request.Request(base + PATH, body, headers)) as answer:
            generation_id = json.load(answer)["id"]
        result.accept()
        while True:
            target = f"{base}{PATH}?{urllib.parse.urlencode({'generation_id': generation_id})}"
            with urllib.request.urlopen(urllib.request.Request(target, headers=headers)) as answer:
                reply = json.load(answer)
            if reply["status"] not in ("waiting", "active", "queued", "generating"):
                break
            time.sleep(15)
        result.notice(number)
        with urllib.request.urlopen(reply["video"]["url"]) as answer:
            while answer.read(65536):
                pass
    except Exception as error:
        result.fail(error)


def main():
    way, base, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    result = Result(count)
    if way == "asyncio":
        asyncio.run(generate_all(base, result))
    else:
        threads = [threading.Thread(target=sample, args=(base, number, result)) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    result.print()


main()
