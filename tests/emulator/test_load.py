#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many clients at once, and many tasks one after the other. `--full` for the promised numbers, fewer without."""

import asyncio
import json
import os
import pathlib
import re
import sys
import time
import unittest
import urllib.parse

from harness import ANY_CLIP, CLIP, TEXT_MODEL, UNIVERSAL, Emulator, url_of

FULL = "--full" in sys.argv
WAITING, DOWNLOADS, TASKS, RENDERED = (500, 50, 10_000, 200) if FULL else (80, 20, 600, 0)
MEGABYTE = 1 << 20


class Client:
    """Asks over one connection that stays open."""

    def __init__(self, emulator):
        parts = urllib.parse.urlsplit(emulator.base)
        self.host, self.port = parts.hostname, parts.port

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_connection(self.host, self.port, limit=1 << 24)
        return self

    async def __aexit__(self, *_):
        self.writer.close()
        await self.writer.wait_closed()

    async def send(self, method, target, body=None, key="k"):
        data = b"" if body is None else json.dumps(body).encode()
        authorization = f"Authorization: Bearer {key}\r\n" if key else ""
        self.writer.write(f"{method} {target} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n{authorization}"
                          f"Content-Length: {len(data)}\r\n\r\n".encode() + data)
        await self.writer.drain()
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        return int(head.split()[1]), int(re.search(r"Content-Length: (\d+)", head)[1])

    async def call(self, *args, **keywords):
        status, length = await self.send(*args, **keywords)
        body = await self.reader.readexactly(length)
        assert status == 200, (status, body)
        return json.loads(body)


def memory(emulator):
    """Bytes of its own, without the clips that are mapped from files."""
    status = pathlib.Path(f"/proc/{emulator.process.pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+) kB", status)[1]) * 1024


def say(text):
    print(text, file=sys.stderr, flush=True)


async def create(client, prompt, **parameters):
    return (await client.call("POST", UNIVERSAL, {"model": TEXT_MODEL, "prompt": prompt, **parameters}))["id"]


async def poll(client, generation_id):
    return await client.call("GET", UNIVERSAL + "?generation_id=" + urllib.parse.quote(generation_id, safe=""))


class Waiting(unittest.TestCase):
    async def wait_for_one(self, emulator, number, all_created, downloads):
        async with Client(emulator) as client:
            generation_id = await create(client, f"number {number % 5}")
            await all_created.wait()
            while (reply := await poll(client, generation_id))["status"] != "completed":
                await asyncio.sleep(0.25)
        async with downloads, Client(emulator) as client:
            status, length = await client.send("GET", url_of(reply)[len(emulator.base):], key=None)
            body = await client.reader.readexactly(length)
            self.assertEqual((status, body[4:8]), (200, b"ftyp"))
            return length

    async def wait_for_all(self, emulator):
        all_created, downloads = Meeting(WAITING), asyncio.Semaphore(DOWNLOADS)
        waits = asyncio.gather(*(self.wait_for_one(emulator, i, all_created, downloads) for i in range(WAITING)))
        await all_created.wait_for_others()
        unfinished = (await asyncio.to_thread(emulator.report))["unfinished"]
        return unfinished, await waits

    def test_many_tasks_wait_at_once_without_an_error(self):
        with Emulator("--generation-time", "8" if FULL else "2") as emulator:
            start = time.monotonic()
            unfinished, lengths = asyncio.run(self.wait_for_all(emulator))
            report = emulator.report()
            say(f"{unfinished} tasks waiting at once, {report['requests']} requests in {time.monotonic() - start:.1f} s, "
                f"{memory(emulator) // MEGABYTE} MB")
            self.assertEqual(unfinished, WAITING)
            self.assertEqual((len(lengths), report["billable"]), (WAITING, WAITING))
            self.assertEqual(report["by_status"], {"200": report["requests"]})
            self.assertEqual(report["clip_bytes"], sum(lengths))


class Meeting:
    """Lets nobody go on before all have come."""

    def __init__(self, count):
        self.missing, self.all_here = count, asyncio.Event()

    async def wait(self):
        self.missing -= 1
        if self.missing == 0:
            self.all_here.set()
        await self.all_here.wait()

    async def wait_for_others(self):
        await self.all_here.wait()


class Downloads(unittest.TestCase):
    async def download(self, emulator, target, all_begun, expected):
        async with Client(emulator) as client:
            _, length = await client.send("GET", target, key=None)
            first = await client.reader.readexactly(1000)
            await all_begun.wait()
            rest = await client.reader.readexactly(length - 1000)
            return first + rest == expected

    async def download_all(self, emulator, target, expected):
        all_begun = Meeting(DOWNLOADS)
        return await asyncio.gather(*(self.download(emulator, target, all_begun, expected) for _ in range(DOWNLOADS)))

    @unittest.skipUnless(CLIP, "AIMLAPI_TEST_CLIP names no clip")
    def test_many_downloads_at_once_are_all_whole(self):
        clip = pathlib.Path(CLIP).with_name("moov-last.mp4")
        with Emulator("--clip", str(clip)) as emulator:
            target = emulator.clip_url()[len(emulator.base):]
            start = time.monotonic()
            self.assertEqual(asyncio.run(self.download_all(emulator, target, clip.read_bytes())), [True] * DOWNLOADS)
            took = time.monotonic() - start
            size = DOWNLOADS * clip.stat().st_size
            say(f"{DOWNLOADS} downloads of {clip.stat().st_size / 1e6:.0f} MB at once in {took:.1f} s, {size / took / 1e6:.0f} MB/s, "
                f"{memory(emulator) // MEGABYTE} MB of memory")
            self.assertEqual(emulator.report()["clip_bytes"], size)
            # the clip is a mapped file, not copied for each
            self.assertLess(memory(emulator), 100 * MEGABYTE)


class Memory(unittest.TestCase):
    async def make(self, emulator, numbers, picture=None):
        image = {"image_url": picture, "model": "klingai/video-v2-6-pro-image-to-video"} if picture else {}
        async with Client(emulator) as client:
            for number in numbers:
                generation_id = await create(client, f"task {number} " + "x" * 1000, **image)
                while (reply := await poll(client, generation_id))["status"] != "completed":
                    await asyncio.sleep(0.002)
                await client.send("HEAD", url_of(reply)[len(emulator.base):], key=None)

    def growth(self, emulator, settle, count, **keywords):
        """How much larger it is after `count` tasks than after the first `settle`."""
        asyncio.run(self.make(emulator, range(settle), **keywords))
        settled = memory(emulator)
        start = time.monotonic()
        asyncio.run(self.make(emulator, range(settle, count), **keywords))
        end = memory(emulator)
        say(f"{settled / MEGABYTE:.1f} MB after {settle} tasks, {end / MEGABYTE:.1f} MB after {count}; "
            f"{(count - settle) / (time.monotonic() - start):.0f} tasks a second")
        return end - settled

    def test_memory_is_flat_over_many_tasks(self):
        from harness import RED, data_uri
        with Emulator(*ANY_CLIP, "--history", "50", "--retention", "0", "--generation-time", "0") as emulator:
            picture = data_uri(RED + b" " * 20_000)
            # 5000 rows of the logs are kept
            self.assertLess(self.growth(emulator, TASKS // 2, TASKS, picture=picture), 4 * MEGABYTE)
            self.assertLessEqual(len(emulator.report()["tasks"]), 50)

    @unittest.skipUnless(RENDERED, "only with --full")
    def test_memory_is_flat_over_many_renders(self):
        with Emulator("--history", "20", "--retention", "0", "--generation-time", "0", "--render-size", "64") as emulator:
            self.assertLess(self.growth(emulator, RENDERED // 2, RENDERED), 16 * MEGABYTE)
            self.assertEqual(emulator.report()["rendered"], RENDERED)
            descriptors = os.listdir(f"/proc/{emulator.process.pid}/fd")
            self.assertLess(len(descriptors), 200)


if __name__ == "__main__":
    unittest.main(argv=[argument for argument in sys.argv if argument != "--full"])
