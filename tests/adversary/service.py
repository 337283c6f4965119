# SPDX-License-Identifier: LGPL-2.1-or-later
"""A model of the service, written from its protocol and not from the emulator: what it has sold, to whom, and what it says
of it. The servers in front of it decide how that is said."""

import itertools
import json
import re
import threading
import urllib.parse
from dataclasses import dataclass, field

GENERATIONS = re.compile(r"/v2/video/generations|/v2/generate/video/\w+/generation")  # both families of endpoints


@dataclass
class Reply:
    status: int
    body: bytes
    headers: list = field(default_factory=lambda: [("Content-Type", "application/json")])


def reply(code, /, **content):
    return Reply(code, json.dumps(content).encode())


@dataclass
class Sold:
    id: str
    request_id: str
    failed: bool
    polls: int = 0


class Service:
    def __init__(self, clip, key, polls=2):
        self.clip = clip  # bytes
        self.key = key
        self.polls = polls  # until a generation ends
        self.origin = ""  # of the clips' addresses
        self.sold = []
        self.to_fail = 0  # so many of the next generations
        self.trespasses = []  # where the key was that it has no business to be
        self.lock = threading.Lock()
        self.numbers = itertools.count(1)

    @property
    def billable(self):
        return sum(not sold.failed for sold in self.sold)

    @staticmethod
    def phase(method, target):
        """What a request is for, in the words of the emulator's faults."""
        path = target.split("?")[0]
        if path.startswith("/clips/"):
            return "clip"
        if GENERATIONS.fullmatch(path):
            return "create" if method == "POST" else "poll"
        return "logs" if path == "/v2/logs" else "unknown"

    def answer(self, method, target, headers):
        """headers: with names in lower case. Clips are not among what is answered here, but are watched."""
        phase = self.phase(method, target)
        if phase == "clip":
            return self.watch(headers, target)
        if headers.get("authorization") != "Bearer " + self.key:
            return reply(401, message="This request requires a valid API key", statusCode="401")
        with self.lock:
            return getattr(self, phase)(dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(target).query)), headers)

    def watch(self, headers, target):
        """For requests that must not have the key."""
        if self.key in target + "".join(headers.values()):
            self.trespasses.append(target)

    def create(self, _, headers):
        failed = self.to_fail > 0
        self.to_fail -= failed
        sold = Sold(f"{next(self.numbers)}:kling/pro", headers.get("x-client-request-id", ""), failed)
        self.sold.append(sold)
        return reply(201, id=sold.id, status="queued", meta={"usage": {"credits_used": 910000, "usd_spent": 0.455}})

    def poll(self, query, _):
        sold = next((one for one in self.sold if one.id == query.get("generation_id")), None)
        if not sold:
            return reply(404, message="Generation not found", statusCode="404")
        sold.polls += 1
        if sold.polls <= self.polls:
            return reply(200, id=sold.id, status="generating", video=None)
        if sold.failed:
            return reply(200, id=sold.id, status="error", error={"name": "Error", "message": "no GPU was left"})
        return reply(200, id=sold.id, status="completed", video={"url": f"{self.origin}/clips/{sold.id[0]}%2Fa.mp4?sig=%2B1"})

    def logs(self, _, __):
        rows = [{"created": "2026-01-01T00:00:00Z", "status": "failed" if sold.failed else "succeeded",
                 "model": "m", "cost": {"usd": 0.455, "credits": 910000}, "request_id": None, "inference_id": sold.id,
                 "client_request_id": sold.request_id} for sold in reversed(self.sold)]
        return reply(200, data=rows, pagination={"limit": 100, "offset": 0})

    @staticmethod
    def unknown(_, __):
        return reply(404, message="Not found", statusCode="404")


def asked_range(headers, size):
    """(first, end) of a request for one part, None for the whole, () for a part that can't be had."""
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("range", ""))
    if not match:
        return None
    first, end = int(match[1]), min(int(match[2]) + 1 if match[2] else size, size)
    return (first, end) if first < end else ()
