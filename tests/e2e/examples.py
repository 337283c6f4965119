#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The examples do what their page says, and the pieces of code in the documents are theirs."""

import concurrent.futures
import contextlib
import itertools
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time
import unittest
import urllib.request

import marks
from support import BUILD, EMULATOR, IMAGE, KEY, PATIENCE, SOURCE, EndToEnd, Launch, Screen, main

EXAMPLES = SOURCE / "examples"
PAGE = EXAMPLES / "README.md"
EMBEDDING = SOURCE / "docs/embedding.md"
CLIP = BUILD / "tests/clips/fragmented.mp4"  # 2 s, a white ball on black, with sound
SHORT_CLIP = BUILD / "tests/clips/faststart.mp4"  # the same, 1 s
PLAYER = BUILD / "examples/player"
ORANGE, RED, BLACK, WHITE = (255, 128, 0), (255, 0, 0), (0, 0, 0), (255, 255, 255)


def alike(colour, other):
    return all(abs(one - two) < 60 for one, two in zip(colour, other))


class Examples(EndToEnd):
    emulator_options = ("--clip", str(CLIP))

    def setUp(self):
        super().setUp()
        (self.folder / "examples").symlink_to(EXAMPLES)
        (self.folder / "build").symlink_to(BUILD)
        shutil.copy(IMAGE, self.folder / "mona.jpg")

    def screen(self):
        folder = self.folder / "screen"
        folder.mkdir()
        screen = Screen(str(folder))
        self.addCleanup(screen.stop)
        return screen

    def environment(self, **more):
        # Debian's own Python is the one that python3-gi is for
        return self.home | {"PATH": "/usr/bin:" + os.environ["PATH"], "GST_PLUGIN_FEATURE_RANK": "kmssink:NONE"} | more

    def start(self, *words, **more):
        return Launch(self.emulator, words[1:], (), self.environment(**more), program=words[0])

    def emulate(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        urllib.request.urlopen(urllib.request.Request(self.emulator.url + "/emulator/" + path, data, method=method)).close()

    def stall(self, phase):
        self.emulate("POST", "faults", {"match": {"phase": phase}, "fault": {"kind": "stall"}})

    def go_on(self):
        self.emulate("DELETE", "faults")
        self.emulate("POST", "release", {})

    def bought(self):
        return self.emulator.report()["billable"]


class Page(Examples):
    # so long that the live picture of the mixer has begun on a busy machine
    emulator_options = ("--clip", str(CLIP), "--generation-time", "4")

    def run_command(self, command, display, port):
        environment = dict(os.environ, AIMLAPI_KEY=KEY, AIMLAPI_BASE_URL=self.emulator.url, DISPLAY=display,
                           MIXER_PORT=str(port), **self.environment())
        return subprocess.run(["sh", "-euc", command], cwd=self.folder, env=environment, capture_output=True, text=True,
                              timeout=PATIENCE)

    def test_every_command_works(self):
        display = self.screen().display
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        commands = re.findall(r"\| `([^`]+)` \|$", PAGE.read_text(), re.MULTILINE)
        self.assertGreater(len(commands), 6)
        with concurrent.futures.ThreadPoolExecutor(len(commands)) as pool:  # they wait most of the time
            runs = list(pool.map(lambda command: self.run_command(command, display, port), commands))
        for command, run in zip(commands, runs):
            with self.subTest(command=command):
                self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
                self.assertNotIn(KEY, run.stdout + run.stderr)
        for name in ("mona.mp4", "engine.mp4", "boat.mp4", "plain.mp4"):
            self.assertIn("video", self.probe(self.folder / name))
        self.check_stream(self.folder / "boat")
        self.check_thumbnails(self.folder / "thumbnails")
        self.check_mixture(self.folder / "mixed.mkv")

    def check_stream(self, folder):
        self.assertIn("#EXT-X-ENDLIST", (folder / "index.m3u8").read_text())
        uri = (folder / "index.m3u8").resolve().as_uri()
        found = self.start("gst-discoverer-1.0", uri, G_DEBUG="").end()[1]  # its criticals are its own
        for fact in ("H.264", "MPEG-4 AAC", "Duration: 0:00:0"):
            self.assertIn(fact, found)

    def check_thumbnails(self, folder):
        names = sorted(path.name for path in folder.iterdir())
        self.assertIn("sheet.jpg", names)
        self.assertGreaterEqual(len(names), 5, names)
        size = [(stream["width"], stream["height"]) for stream in (self.probe(folder / name)["video"] for name in names)]
        self.assertEqual(set(size[:-1]), {(320, 180)})
        self.assertEqual(size[-1][0], 4 * 328)

    def check_mixture(self, path):
        """The live picture went on before, around and after the clip. A place in the corner of the clip is looked at."""
        pixels = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-vf", "crop=2:2:310:170", "-f", "rawvideo", "-pix_fmt",
                                 "rgb24", "-"], capture_output=True, check=True).stdout
        colours = [tuple(pixels[at:at + 3]) for at in range(0, len(pixels), 12)]
        kinds = [(kind, len(list(run))) for kind, run in itertools.groupby(
            "clip" if alike(colour, BLACK) else "live" for colour in colours)]
        self.assertEqual([kind for kind, _ in kinds], ["live", "clip", "live"], kinds)
        self.assertGreater(kinds[0][1], 12, "frames while the generation ran")
        self.assertGreater(kinds[1][1], 25, "frames with the clip")

    def test_everything_is_listed(self):
        page = PAGE.read_text()
        for path in EXAMPLES.iterdir():
            if path.suffix in (".c", ".cpp", ".py", ".sh", ".service"):
                self.assertIn(f"| [{path.name}]({path.name}) |", page)
                self.assertIn("SPDX-License-Identifier", path.read_text().split("\n\n")[0])


class Unit(unittest.TestCase):
    UNIT = EXAMPLES / "aimlapi-emulator.service"

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not there")
    def test_the_unit_of_the_emulator_leaves_it_little_to_do_harm_with(self):
        found = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", self.UNIT], capture_output=True,
                               text=True)
        if "unrecognized option" in found.stderr:
            self.skipTest("systemd-analyze is too old to look at a file")
        exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", found.stdout)
        self.assertIsNotNone(exposure, found.stdout + found.stderr)
        self.assertLess(float(exposure[1]), 2, found.stdout)

    def test_the_emulator_takes_the_options_of_the_unit(self):
        words = re.search(r"^ExecStart=/usr/bin/aimlapi-emulator (.*)$", self.UNIT.read_text(), re.MULTILINE)[1].split()
        run = subprocess.run([EMULATOR, *words, "--help"], capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stderr)


class LateCamera(Examples):
    emulator_options = ("--clip", str(CLIP), "--generation-time", "1")

    def test_the_mixer_begins_with_the_right_size_before_the_first_live_frame(self):
        with contextlib.ExitStack() as probes:
            sockets = [probes.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(2)]
            for probe in sockets:
                probe.bind(("127.0.0.1", 0))
            mixer, camera = (probe.getsockname()[1] for probe in sockets)
        script = (EXAMPLES / "mixer.sh").read_text()
        live = "videotestsrc is-live=true"
        self.assertEqual(script.count(live), 1)
        late = self.folder / "late.sh"
        late.write_text(script.replace(live, f"udpsrc address=127.0.0.1 port={camera} caps=application/x-rtp,media=video,"
                                             "clock-rate=90000,encoding-name=JPEG ! rtpjpegdepay ! jpegdec"))
        mixture = self.folder / "mixed.mkv"
        run = self.start("sh", str(late), "a ball", str(mixture), MIXER_PORT=str(mixer))
        deadline = time.monotonic() + PATIENCE
        while not (mixture.exists() and mixture.stat().st_size) and run.process.poll() is None:
            self.assertLess(time.monotonic(), deadline, "the mixer waits for the camera")
            time.sleep(0.02)
        camera = subprocess.Popen(["gst-launch-1.0", "-q", "videotestsrc", "is-live=true", "!",
                                   "video/x-raw,format=I420,width=640,height=360,framerate=25/1", "!", "jpegenc", "!",
                                   "rtpjpegpay", "!", "udpsink", "host=127.0.0.1", f"port={camera}"])
        try:
            code, text = run.end()
        finally:
            camera.kill()
            camera.wait()
        self.assertEqual(code, 0, text)
        self.assertEqual(self.probe(mixture)["video"]["width"], 640)


class Embedding(Examples):
    PROGRAMS = {"C": (str(BUILD / "examples/embed"),), "Python": ("/usr/bin/python3", str(EXAMPLES / "embed.py"))}

    def each(self, check):
        for language, words in self.PROGRAMS.items():
            with self.subTest(language=language):
                output = self.folder / f"{language}.mp4"
                check((*words, f"--output={output}", f"--image={IMAGE}", f"a lighthouse in {language}"), output)

    def test_an_application_shows_progress_and_keeps_the_clip(self):
        def check(words, output):
            before = self.bought()
            code, text = self.start(*words).end()
            self.assertEqual(code, 0, text)
            for sign in (r" 0 %  starting the generation", r"100 %  the clip is ready", r"\[submitting, .* s left\]",
                         r"\[queued, generation \S+, .* s left", r"\[completed, generation \S+, \d\.\d\d USD\]",
                         "is there"):
                self.assertRegex(text, sign)
            self.assertTrue(marks.delivers(output.read_bytes(), CLIP.read_bytes()))
            self.assertEqual(self.bought(), before + 1)
            self.assertEqual(self.start(*words).end()[0], 0)
            self.assertEqual(self.bought(), before + 1)

        self.each(check)

    def test_an_application_tells_the_one_error_and_leaves_no_file(self):
        self.emulate("POST", "faults", {"match": {"phase": "create"}, "fault": {"kind": "moderation", "message": "no boats"}})

        def check(words, output):
            code, text = self.start(*words).end()
            self.assertEqual(code, 1, text)
            self.assertRegex(text, r"no boats.*not billed")
            self.assertRegex(text, r"kind: .?generation-failed")
            self.assertRegex(text, r"generation-id: \S+")
            self.assertNotIn("Internal data stream error", text)
            self.assertEqual(list(self.folder.glob(output.name + "*")), [])

        self.each(check)

    def test_an_application_is_interrupted_at_once_and_goes_on_later(self):
        def check(words, output):
            before = self.bought()
            self.stall("poll")
            run = self.start(*words)
            run.wait_for("[queued")
            run.interrupt()
            code, text = run.end()
            self.assertEqual(code, 130, text)
            self.assertRegex(text, r"Stopped. Generation \S+ continues at the service. The same command again resumes it")
            self.assertEqual(list(self.folder.glob(output.name + "*")), [])
            self.go_on()
            self.assertEqual(self.start(*words).end()[0], 0)
            self.assertTrue(output.exists())
            self.assertEqual(self.bought(), before + 1)

        self.each(check)


class Engine(Examples):
    """The program that uses the library without GStreamer."""

    PROGRAM = str(BUILD / "examples/engine")

    def make(self, prompt, output, **more):
        return self.start(self.PROGRAM, f"--image={IMAGE}", f"--output={output}", prompt, **more)

    def test_it_shows_progress_buys_once_and_replays(self):
        code, text = self.make("a lighthouse", self.folder / "first.mp4").end()
        self.assertEqual(code, 0, text)
        for sign in (r"\[submitting, \d+ s left\]", r"\[queued, generation \S+, \d+ s left\]", r"first.mp4 is there, bought, 0\.\d\d"):
            self.assertRegex(text, sign)
        self.assertNotIn("libgst", pathlib.Path(self.PROGRAM).read_bytes().decode("latin-1"))
        code, text = self.make("a lighthouse", self.folder / "second.mp4").end()
        self.assertEqual(code, 0, text)
        self.assertIn("second.mp4 is there, replayed, 0.00 USD", text)
        for name in ("first.mp4", "second.mp4"):
            self.assertTrue(marks.delivers((self.folder / name).read_bytes(), CLIP.read_bytes()))
        self.assertEqual(self.bought(), 1)

    def test_it_is_stopped_at_once_and_the_same_command_resumes_what_was_bought(self):
        output = self.folder / "clip.mp4"
        self.stall("poll")
        run = self.make("a lighthouse", output)
        run.wait_for("[queued")
        run.interrupt()
        code, text = run.end()
        self.assertEqual(code, 130, text)
        self.assertRegex(text, r"Stopped\. Generation \S+ continues at the service\. The same command again resumes it\.")
        self.assertEqual(list(self.folder.glob("clip.mp4*")), [])
        self.go_on()
        code, text = self.make("a lighthouse", output).end()
        self.assertEqual(code, 0, text)
        self.assertIn("clip.mp4 is there, resumed, 0.00 USD", text)
        self.assertTrue(marks.delivers(output.read_bytes(), CLIP.read_bytes()))
        self.assertEqual(self.bought(), 1)

    def test_it_tells_the_cause_of_a_failure_and_leaves_no_file(self):
        self.emulate("POST", "faults", {"match": {"phase": "create"}, "fault": {"kind": "moderation", "message": "no boats"}})
        code, text = self.make("a boat", self.folder / "boat.mp4").end()
        self.assertEqual(code, 1, text)
        self.assertRegex(text, r"no boats.*not billed")
        self.assertRegex(text, r"kind: generation-failed")
        self.assertNotIn(KEY, text)
        self.assertEqual(list(self.folder.glob("boat.mp4*")), [])

    def test_a_clip_that_can_not_be_written_is_kept_for_the_next_time(self):
        full = self.folder / "no folder" / "clip.mp4"
        code, text = self.make("a lighthouse", full).end()
        self.assertEqual(code, 1, text)
        self.assertIn("No such file or directory", text)
        full.parent.mkdir()
        self.assertEqual(self.make("a lighthouse", full).end()[0], 0)
        self.assertEqual(self.bought(), 1)


class Player(Examples):
    emulator_options = ("--clip", str(SHORT_CLIP))

    def test_the_window_shows_the_picture_with_a_bar_and_then_the_clip(self):
        picture = self.folder / "red.png"
        subprocess.run(["gst-launch-1.0", "-q", "videotestsrc", "pattern=red", "num-buffers=1", "!",
                        "video/x-raw,width=960,height=540", "!", "pngenc", "!", "filesink", f"location={picture}"], check=True)
        screen = self.screen()
        bar = 540 - 30
        self.stall("poll")
        run = self.start(str(PLAYER), "a ball", str(picture), DISPLAY=screen.display)
        screen.wait_for(lambda s: alike(s.pixel(200, 100), RED) and alike(s.pixel(900, bar), WHITE),
                        "the picture with an empty bar")
        self.stall("clip")
        self.emulate("DELETE", "faults/1")
        self.emulate("POST", "release", {})
        screen.wait_for(lambda s: alike(s.pixel(800, bar), ORANGE), "a bar that is nearly full")
        self.assertTrue(alike(screen.pixel(200, 100), RED))
        self.assertNotIn("the clip is ready", run.output)
        time.sleep(1)  # as long as the clip, which would be too late if its time began at 0
        self.go_on()
        screen.wait_for(lambda s: alike(s.pixel(200, 100), BLACK) and alike(s.pixel(800, bar), BLACK), "the clip")
        pictures = set()
        while run.process.poll() is None:
            pictures.add(screen.picture())
        code, text = run.end()
        self.assertEqual(code, 0, text)
        self.assertGreater(len(pictures), 7, "frames, of 24, as a clip that comes too late is skipped")
        self.assertEqual(self.bought(), 1)

    def test_a_failure_ends_it_with_the_cause(self):
        self.emulate("POST", "faults", {"match": {"phase": "create"}, "fault": {"kind": "failure", "message": "no paint left"}})
        code, text = self.start(str(PLAYER), "a ball", str(IMAGE), DISPLAY=self.screen().display).end()
        self.assertEqual(code, 1, text)
        self.assertIn("no paint left", text)


class SilentClip(Examples):
    emulator_options = ("--clip", str(BUILD / "tests/clips/hevc.mp4"))

    def test_a_clip_without_sound_plays_to_its_end_also_as_a_replay(self):
        screen = self.screen()
        for origin in ("bought", "replayed"):  # a replay is there before the window is
            with self.subTest(origin=origin):
                code, text = self.start(str(PLAYER), "silence", str(IMAGE), DISPLAY=screen.display).end()
                self.assertEqual(code, 0, text)
        self.assertEqual(self.bought(), 1)


class Snippets(Examples):
    SOURCES = {"c": ["embed.c"], "cpp": ["engine.cpp", "player.cpp"], "python": ["embed.py"]}

    def is_excerpt(self, block, names):
        lines = [line.strip() for line in block.strip().splitlines()]
        programs = [[line.strip() for line in (EXAMPLES / name).read_text().splitlines()] for name in names]
        return any(program[at:at + len(lines)] == lines for program in programs for at in range(len(program)))

    # what stands before a block of a document that is a program's part of its own
    COMPILERS = {"c": (["cc", "-std=c11"], "gstreamer-1.0", "#include <gst/gst.h>\n"),
                 "cpp": (["c++", "-std=c++20", f"-I{SOURCE}/include"], "gio-2.0",
                         "#include <aimlvideo/aimlvideo.h>\n#include <cstdio>\nusing namespace aimlvideo;\n")}

    def compiles(self, language, block):
        if language not in self.COMPILERS:
            return False
        compiler, package, head = self.COMPILERS[language]
        flags = subprocess.run(["pkg-config", "--cflags", package], capture_output=True, text=True, check=True).stdout
        run = subprocess.run([*compiler, "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x",
                              "c" if language == "c" else "c++", "-", *flags.split()],
                             input=head + block, capture_output=True, text=True)
        return run.returncode == 0 or self.fail(run.stderr)

    def test_the_code_in_the_documents_is_that_of_the_examples_or_compiles(self):
        count = 0
        for document in (SOURCE / "docs").glob("*.md"):
            for language, block in re.findall(r"^```(c|cpp|python)\n(.*?)^```$", document.read_text(),
                                              re.MULTILINE | re.DOTALL):
                if document.name == "emulator.md":
                    continue  # which has a test of its own
                with self.subTest(document=document.name, block=block):
                    self.assertTrue(self.is_excerpt(block, self.SOURCES[language]) or self.compiles(language, block))
                count += 1
        self.assertGreater(count, 9)


if __name__ == "__main__":
    main()
