# SPDX-License-Identifier: LGPL-2.1-or-later
"""Starts the real aimlapi-emulator and talks to it, with the standard library alone."""

import base64
import json
import os
import signal
import struct
import subprocess
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
import zlib

BINARY = os.environ.get("AIMLAPI_EMULATOR", "aimlapi-emulator")
TEXT_MODEL = "klingai/video-v2-6-pro-text-to-video"
IMAGE_MODEL = "klingai/video-v2-6-pro-image-to-video"
TAIL_MODEL = "klingai/video-v3-standard-image-to-video"
UNIVERSAL = "/v2/video/generations"
KLING = "/v2/generate/video/kling/generation"
DEADLINE = 60
# For tests to which any clip will do: this one for every task, where rendering would take most of the time.
CLIP = os.environ.get("AIMLAPI_TEST_CLIP")
ANY_CLIP = ("--clip", CLIP) if CLIP else ()


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)


class Emulator:
    """One emulator process, on a free port. A context manager."""

    def __init__(self, *options):
        self.process = subprocess.Popen(
            [BINARY, "--port", "0", "--exit-with-parent", "--render-size", "160", "--generation-time", "0.05", *options],
            stdout=subprocess.PIPE, text=True, env={**os.environ, "G_DEBUG": "fatal-criticals"})
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), line
        self.base = line.split()[-1]
        self.opener = urllib.request.build_opener(NoRedirect)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self, sig=signal.SIGTERM):
        self.process.send_signal(sig)
        code = self.process.wait(DEADLINE)
        self.process.stdout.close()
        return code

    def call(self, method, target, body=None, key="test-key", headers=None, timeout=DEADLINE):
        """An exchange; error answers are answers, too. `body` is sent as JSON unless it is bytes."""
        url = target if "://" in target else self.base + target
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json", **(headers or {})}, method=method)
        if key is not None:
            request.add_header("Authorization", "Bearer " + key)
        try:
            with self.opener.open(request, timeout=timeout) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as answer:
            with answer:
                return Answer(answer.status, answer.headers, answer.read())

    def create(self, model=TEXT_MODEL, path=UNIVERSAL, key="test-key", headers=None, **parameters):
        parameters.setdefault("prompt", "a fox")
        return self.call("POST", path, {"model": model, **parameters}, key=key, headers=headers)

    def poll(self, generation_id, path=UNIVERSAL, key="test-key"):
        return self.call("GET", path + "?generation_id=" + urllib.parse.quote(str(generation_id), safe=""), key=key)

    def wait(self, generation_id, path=UNIVERSAL, pending=("queued", "generating")):
        """Polls until the generation has ended; the states seen are in `states`."""
        end = time.monotonic() + DEADLINE
        states = []
        while time.monotonic() < end:
            answer = self.poll(generation_id, path)
            assert answer.status == 200, answer.body
            states.append(answer.json["status"])
            if answer.json["status"] not in pending:
                answer.states = states
                return answer
            time.sleep(0.01)
        raise AssertionError("the generation did not end in time")

    def generate(self, *args, path=UNIVERSAL, **parameters):
        created = self.create(*args, path=path, **parameters)
        assert created.status in (200, 201), created.body
        return self.wait(created.json.get("id") or created.json["generation_id"], path)

    def clip_url(self, *args, **parameters):
        return url_of(self.generate(*args, **parameters).json)

    def clip(self, *args, **parameters):
        answer = self.call("GET", self.clip_url(*args, **parameters), key=None)
        assert answer.status == 200, answer.body
        return answer.body

    def report(self):
        return self.call("GET", "/emulator/report", key=None).json

    def faults(self, *rules):
        """Replaces the rules."""
        answer = self.call("PUT", "/emulator/faults", list(rules), key=None)
        assert answer.status == 200, answer.body

    def fault(self, phase, kind, nth=1, **settings):
        """One fault, for the n-th request of the phase from now on."""
        self.faults({"match": {"phase": phase, "nth": nth}, "fault": {"kind": kind, **settings}})


class EmulatorTest(unittest.TestCase):
    """Tests that share one emulator, afresh for each test."""

    options = ()

    @classmethod
    def setUpClass(cls):
        cls.emulator = Emulator(*cls.options)

    @classmethod
    def tearDownClass(cls):
        assert cls.emulator.stop() == 0

    def setUp(self):
        self.emulator.call("POST", "/emulator/reset", key=None)


def url_of(reply):
    video = reply["video"]
    if isinstance(video, list):
        video = video[0]
    return video if isinstance(video, str) else video["url"]


def until(condition, what):
    """Waits for something that comes by itself."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.01)
    raise AssertionError("in vain waited for: " + what)


def png(width, height, colour):
    """A picture; `colour` is a function from x, y to (r, g, b)."""
    rows = b"".join(b"\0" + bytes(part for x in range(width) for part in colour(x, y)) for y in range(height))

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def data_uri(data, mime="image/png"):
    return f"data:{mime};base64," + base64.b64encode(data).decode()


RED = png(64, 96, lambda x, y: (220, 30, 30))
GREEN = png(64, 96, lambda x, y: (30, 200, 60))


def boxes(data):
    """The boxes of an MP4 file or of one of its boxes: (type, content)."""
    found = []
    while len(data) >= 8:
        size, kind = struct.unpack(">I4s", data[:8])
        start = 8
        if size == 1:
            size, start = struct.unpack(">Q", data[8:16])[0], 16
        found.append((kind.decode("latin-1"), data[start:size or len(data)]))
        data = data[size or len(data):]
    return found


def box(data, *path):
    for kind in path:
        data = dict(reversed(boxes(data)))[kind]
    return data


class Movie:
    """What an MP4 file says of itself."""

    def __init__(self, data):
        self.layout = [kind for kind, _ in boxes(data)]
        moov = box(data, "moov")
        self.tracks = {}
        for kind, trak in boxes(moov):
            if kind == "trak":
                handler = box(trak, "mdia", "hdlr")[8:12].decode()
                self.tracks[handler] = trak
        head = box(self.tracks["vide"], "tkhd")
        self.width, self.height = (n >> 16 for n in struct.unpack(">II", head[-8:]))
        media = box(self.tracks["vide"], "mdia", "mdhd")
        scale, length = struct.unpack(">II", media[12:20])
        self.seconds = length / scale
        self.has_sound = "soun" in self.tracks
        stsd = box(self.tracks["vide"], "mdia", "minf", "stbl", "stsd")
        self.codec = stsd[12:16].decode()
        self.frames = 0
        stts = box(self.tracks["vide"], "mdia", "minf", "stbl", "stts")
        for i in range(struct.unpack(">I", stts[4:8])[0]):
            self.frames += struct.unpack(">I", stts[8 + 8 * i:12 + 8 * i])[0]


def frames(path, size=(8, 12)):
    """The frames of a film, tiny, as lists of (r, g, b), by a player that is not ours and not GStreamer's."""
    raw = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-i", path, "-vf", f"scale={size[0]}:{size[1]}", "-f", "rawvideo", "-pix_fmt", "rgb0", "-"],
        check=True, capture_output=True, timeout=DEADLINE).stdout
    length = size[0] * size[1] * 4
    return [[tuple(raw[f + p:f + p + 3]) for p in range(0, length, 4)] for f in range(0, len(raw), length)]
