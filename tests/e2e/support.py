# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real emulator and real gst-launch-1.0 for the end-to-end tests. Wait for events, never for time."""

import base64
import json
import mmap
import os
import pathlib
import re
import signal
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

SOURCE = pathlib.Path(os.environ["AIMLVIDEO_SOURCE_ROOT"])
BUILD = pathlib.Path(os.environ["AIMLVIDEO_BUILD_ROOT"])
EMULATOR = os.environ["AIMLVIDEO_EMULATOR"]
IMAGE = SOURCE / "examples/media/lighthouse.jpg"
KEY = "e2e-key-5f1d0c"
PATIENCE = 60


def data_uri(path):
    return "data:image/jpeg;base64," + base64.b64encode(pathlib.Path(path).read_bytes()).decode()


class Emulator:
    """The service on this machine. Small clips, quick generations unless told otherwise."""

    def __init__(self, *options):
        self.process = subprocess.Popen(
            # what is sent by mistake must be noticed
            [EMULATOR, "--port", "0", "--exit-with-parent", "--generation-time", "0.2", "--render-size", "160",
             "--unknown-keys", "refuse", *options],
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        match = re.fullmatch(r"listening on (https?://127\.0\.0\.1:\d+)\n", line)
        if not match:
            raise AssertionError(f"the emulator said {line!r}")
        self.url = match[1]
        # whose certificate is the test's own
        self.context = ssl._create_unverified_context() if self.url.startswith("https:") else None

    def report(self):
        with urllib.request.urlopen(self.url + "/emulator/report", context=self.context) as answer:
            return json.load(answer)

    def wait_until(self, condition, what):
        deadline = time.monotonic() + PATIENCE
        while not condition(self.report()):
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} did not happen: {self.report()}")
            time.sleep(0.02)

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.process.stdout.close()


class Launch:
    """A process, of gst-launch-1.0 unless told otherwise, whose output can be waited for."""

    def __init__(self, emulator, arguments, options=(), environment=None, prefix=(), program="gst-launch-1.0"):
        env = dict(os.environ, AIMLAPI_KEY=KEY, AIMLAPI_BASE_URL=emulator.url) | (environment or {})
        self.process = subprocess.Popen([*prefix, program, *options, *arguments], env=env, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.output = ""
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.output += line
                self.changed.notify_all()

    def wait_for(self, text):
        with self.changed:
            if not self.changed.wait_for(lambda: text in self.output, PATIENCE):
                raise AssertionError(f"{text!r} was not said: {self.output}")

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def end(self):
        """Waits for the end: (exit code, all output)."""
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"{self.process.args[0]} did not end: {self.output}")
        finally:
            self.reader.join()
            self.process.stdout.close()
        return code, self.output


class Screen:
    """An X server without a monitor. What is on it can be read."""

    def __init__(self, folder):
        reader, writer = os.pipe()
        self.process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1000x600x24", "-nolisten", "tcp", "-noreset", "-fbdir",
             folder],
            pass_fds=[writer], stderr=subprocess.DEVNULL)
        os.close(writer)
        with os.fdopen(reader) as line:
            number = line.readline().strip()
        if not number:
            raise AssertionError("Xvfb did not start")
        self.display = ":" + number
        with open(pathlib.Path(folder, "Xvfb_screen0"), "rb") as file:
            self.memory = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        head = struct.unpack(">25I", self.memory[:100])  # of an XWD file
        self.start, self.stride = head[0] + head[19] * 12, head[12]

    def pixel(self, x, y):
        place = self.start + y * self.stride + x * 4
        blue, green, red = self.memory[place:place + 3]
        return red, green, blue

    def picture(self):
        """Something that differs when the picture does."""
        return hash(bytes(self.memory[self.start:self.start + 540 * self.stride]))

    def wait_for(self, condition, what):
        deadline = time.monotonic() + PATIENCE
        while not condition(self):
            if time.monotonic() > deadline:
                raise AssertionError(what + " was not on the screen")
            time.sleep(0.01)

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.memory.close()


class EndToEnd(unittest.TestCase):
    emulator_options = ()

    def setUp(self):
        self.emulator = Emulator(*self.emulator_options)
        self.addCleanup(self.emulator.stop)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        # a ledger and a clip store of the test's own
        self.home = {"XDG_STATE_HOME": str(self.folder / "state"), "XDG_CACHE_HOME": str(self.folder / "cache")}

    def launch(self, *arguments, options=("-q",), environment=None):
        return Launch(self.emulator, arguments, options, self.home | (environment or {}))

    def play(self, *arguments, **keywords):
        code, output = self.launch(*arguments, **keywords).end()
        self.assertEqual(code, 0, output)
        return output

    def probe(self, path):
        """What ffprobe finds in a file: {codec type: stream}."""
        result = subprocess.run(["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", str(path)],
                                capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stderr)
        return {stream["codec_type"]: stream for stream in json.loads(result.stdout)["streams"]}


def main():
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[1:]])
