#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""aimlvideo:// URIs in GStreamer's own programs, and in playlists of people who mean no good."""

import ctypes
import functools
import http.server
import os
import pathlib
import pty
import re
import subprocess
import sys
import threading
import urllib.parse

from support import BUILD, KEY, PATIENCE, EndToEnd, Launch, main

MODEL = "klingai/video-v2-6-pro-text-to-video"
REFUSAL = "an aimlvideo:// URI alone buys nothing"
PERMISSION = {"AIMLVIDEO_URI_MAX_COST": "1"}
SINKS = ("video-sink=fakesink", "audio-sink=fakesink")
GST_PLAY = ("gst-play-1.0", "--no-interactive", "--videosink=fakesink", "--audiosink=fakesink")
RIGHT, LEFT = "\x1b[C", "\x1b[D"


def uri_for(prompt, model=MODEL, **more):
    items = {"prompt": prompt} | {name.replace("_", "-"): value for name, value in more.items()}
    return f"aimlvideo://{model}?" + "&".join(f"{key}={urllib.parse.quote(str(value))}" for key, value in items.items())


def in_ges_line(uri):
    """GES decodes the words of its command line once more, and takes a ? for its own."""
    return uri.replace("%", "%25").replace("?", "%3F")


class Players(EndToEnd):
    def run_program(self, *words, environment=None):
        # criticals of other people's programs are theirs
        environment = self.home | {"G_DEBUG": ""} | (environment or {})
        return Launch(self.emulator, words[1:], (), environment, program=words[0]).end()

    def asked(self):
        return self.emulator.report()["requests"]

    def bought(self):
        return self.emulator.report()["billable"]

    def expect_refusal(self, words):
        code, output = self.run_program(*words)
        self.assertIn(REFUSAL, output)
        self.assertIn("AIMLVIDEO_URI_MAX_COST=1 gst-launch-1.0 'aimlvideo://", output)
        return code

    def expect_success(self, words, environment=None):
        code, output = self.run_program(*words, environment=environment)
        self.assertEqual(code, 0, output)
        self.assertNotIn("ERROR", output)
        return output


class WhoBuys(Players):
    def test_players_buy_when_they_may_and_replay_without_a_request(self):
        lines = {
            "gst-launch-1.0": ("gst-launch-1.0", "-q", "URI", "!", "fakesink"),
            "playbin": ("gst-launch-1.0", "playbin", "uri=URI", *SINKS),
            "playbin3": ("gst-launch-1.0", "playbin3", "uri=URI", *SINKS),
            "uridecodebin3": ("gst-launch-1.0", "uridecodebin3", "uri=URI", "!", "fakesink"),
            "gst-play-1.0": (*GST_PLAY, "URI"),
            "gst-play-1.0 with playbin3": (*GST_PLAY, "--use-playbin3", "URI"),
        }
        for number, (name, line) in enumerate(lines.items()):
            with self.subTest(player=name):
                words = [word.replace("URI", uri_for(f"cat {number}")) for word in line]
                before = self.asked()
                self.expect_refusal(words)
                self.assertEqual((self.asked(), self.bought()), (before, number))
                self.expect_success(words, PERMISSION)
                self.assertEqual(self.bought(), number + 1)
                before = self.asked()
                self.expect_success(words)
                self.assertEqual(self.asked(), before)

    def test_the_command_in_the_error_buys_it(self):
        words = ("gst-discoverer-1.0", uri_for("it's a cat, 50 % grey"))
        output = self.run_program(*words)[1]
        self.assertIn(REFUSAL, output)
        command = re.search(r"`(AIMLVIDEO_URI_MAX_COST=.*?)`", output)[1]
        self.expect_success(("sh", "-c", command))
        self.assertEqual(self.bought(), 1)
        self.assertIn("H.264", self.expect_success(words))

    def test_the_cap_is_kept(self):
        words = (*GST_PLAY, uri_for("a cat", duration=10))
        output = self.run_program(*words, environment={"AIMLVIDEO_URI_MAX_COST": "0.50"})[1]
        self.assertIn("the price would be above AIMLVIDEO_URI_MAX_COST (0.50 USD): it is estimated at 0.91 USD", output)
        self.assertEqual(self.bought(), 0)

    def test_a_wrong_uri_is_told_by_the_player(self):
        output = self.run_program(*GST_PLAY, f"aimlvideo://{MODEL}?prompt=cat&base-url=https://s3cret-4711")[1]
        self.assertIn("it sets base-url, and a URI says only what is to be made. Allowed are prompt, negative-prompt",
                      output)
        self.assertEqual(self.asked(), 0)


class Editors(Players):
    """Programs that look at a clip before they play it, which is no time to wait for minutes."""

    def buy(self, uri):
        self.expect_success(("gst-launch-1.0", "-q", uri, "!", "fakesink"), PERMISSION)
        return self.asked()

    def test_the_discoverer_replays_what_is_there_and_says_what_to_do_otherwise(self):
        self.expect_refusal(("gst-discoverer-1.0", uri_for("a cat")))
        self.assertEqual(self.asked(), 0)
        before = self.buy(uri_for("a cat"))
        output = self.expect_success(("gst-discoverer-1.0", "-v", uri_for("a cat")))
        for fact in ("H.264", "MPEG-4 AAC", "Duration: 0:00:05", "Seekable: yes"):
            self.assertIn(fact, output)
        self.assertEqual(self.asked(), before)

    def test_a_timeline_replays_what_is_there_and_says_what_to_do_otherwise(self):
        uri = uri_for("a cat, 50 % grey")
        result = self.folder / "timeline.webm"
        words = ("ges-launch-1.0", "+clip", in_ges_line(uri), "inpoint=1.0", "duration=2.0", "+clip", in_ges_line(uri),
                 "duration=1.0", "-o", str(result), "-f", "video/webm:video/x-vp8:audio/x-vorbis")
        self.assertNotEqual(self.expect_refusal(words), 0)
        self.assertEqual(self.asked(), 0)
        before = self.buy(uri)
        self.expect_success(words)
        self.assertEqual(self.asked(), before)
        streams = self.probe(result)
        self.assertEqual({"video", "audio"}, set(streams))
        self.assertAlmostEqual(self.length_of(result), 3.0, delta=0.2)

    def test_a_project_file_holds_a_uri_as_it_is(self):
        uri = uri_for("a cat")
        project = self.folder / "cat.xges"
        self.buy(uri)
        before = self.asked()
        self.expect_success(("ges-launch-1.0", "+clip", in_ges_line(uri), "duration=1.0", "--save-only", str(project)))
        self.assertIn(uri.replace("&", "&amp;"), project.read_text())
        self.expect_success(("ges-launch-1.0", "--load", str(project), "--videosink=fakesink", "--audiosink=fakesink"))
        self.assertEqual(self.asked(), before)

    def length_of(self, path):
        result = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(path)],
                                capture_output=True, text=True, check=True)
        return float(result.stdout)


class Terminal:
    """A program that is told what to do by keys."""

    def __init__(self, emulator, words, environment):
        self.master, slave = pty.openpty()
        env = dict(os.environ, AIMLAPI_KEY=KEY, AIMLAPI_BASE_URL=emulator.url, TERM="xterm") | environment
        self.process = subprocess.Popen(words, env=env, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        self.output = ""
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        while True:
            try:
                data = os.read(self.master, 4096)
            except OSError:  # the program has gone
                return
            with self.changed:
                self.output += data.decode(errors="replace")
                self.changed.notify_all()

    def positions(self):
        """Where it said to be, in seconds."""
        return [float(seconds) for seconds in re.findall(r"0:00:(0\d\.\d+) (?:/|duration)", self.output)]

    def type(self, keys):
        os.write(self.master, keys.encode())

    def press(self, key, moved):
        """Presses a key and waits until the position has moved like that from one time to the next."""
        with self.changed:
            self._wait(lambda: len(set(self.positions())) > 1)  # it plays
            seen = len(self.positions()) - 1
        self.type(key)
        with self.changed:
            self._wait(lambda: any(moved(after - before) for before, after in
                                   zip(self.positions()[seen:], self.positions()[seen + 1:])))

    def _wait(self, condition):
        if not self.changed.wait_for(condition, PATIENCE):
            raise AssertionError(f"it did not happen: {self.output}")

    def end(self):
        code = self.process.wait(PATIENCE)
        self.reader.join()
        os.close(self.master)
        return code


class Seeking(Players):
    """Keys in gst-play-1.0 and ges-launch-1.0, with 18 MB that take four seconds to arrive."""

    emulator_options = ("--clip", str(BUILD / "tests/clips/moov-last-large.mp4"), "--bandwidth", "4M")
    SYNC = ("--videosink=fakesink sync=true", "--audiosink=fakesink sync=true")

    def seek_around(self, words, environment=None, last_key=""):
        program = Terminal(self.emulator, words, self.home | (environment or {}))
        program.press(RIGHT, lambda step: step > 0.6)
        program.press(RIGHT, lambda step: step > 0.6)
        program.press(LEFT, lambda step: step < -0.1)
        program.type(last_key)
        self.assertEqual(program.end(), 0, program.output)
        self.assertNotIn("ERROR", program.output)

    def test_gst_play_seeks_while_the_clip_arrives_and_after(self):
        for more in ((), ("--use-playbin3",)):
            with self.subTest(options=more):
                words = ("gst-play-1.0", *more, *self.SYNC, uri_for(f"a cat {more}"))
                self.seek_around(words, PERMISSION)
                before = self.asked()
                self.seek_around(words, last_key="q")
                self.assertEqual(self.asked(), before)

    def test_ges_seeks_without_a_request(self):
        uri = uri_for("a cat")
        self.expect_success(("gst-launch-1.0", "-q", uri, "!", "fakesink"), PERMISSION)
        before = self.asked()
        self.seek_around(("ges-launch-1.0", "+clip", in_ges_line(uri), "duration=5.0", *self.SYNC), last_key="q")
        self.assertEqual(self.asked(), before)


class Waiting(Players):
    emulator_options = ("--generation-time", "2")

    def test_gst_play_shows_how_far_the_clip_is_until_it_plays(self):
        for more in ((), ("--use-playbin3",)):
            with self.subTest(options=more):
                output = self.expect_success((*GST_PLAY, *more, uri_for(f"a cat {more}")), PERMISSION)
                shown = [int(percent) for percent in re.findall(r"Buffering\.\.\. (\d+)%", output)]
                self.assertEqual((shown, shown[-1]), (sorted(set(shown)), 100))
                self.assertLess(shown[0], 50)
                self.assertLess(output.index("Buffering... 100%"), output.index("Prerolled."))
                self.assertIn("Reached end of play list", output)


class GstPlay(Players):
    """The library, in a process of its own."""

    def test_it_buys_when_it_may_and_says_what_to_do_otherwise(self):
        words = (sys.executable, __file__, "gst-play-library", uri_for("a cat"))
        self.assertNotEqual(self.expect_refusal(words), 0)
        self.assertEqual(self.asked(), 0)
        shown = [int(percent) for percent in self.expect_success(words, PERMISSION).split()]
        self.assertEqual((shown, shown[-1]), (sorted(set(shown)), 100))
        self.assertLess(shown[0], 50)
        self.assertEqual(self.bought(), 1)
        self.assertEqual(self.expect_success(words), "")
        self.assertEqual(self.bought(), 1)

    @staticmethod
    def play(uri):
        """Plays a URI to its end with GstPlay, and prints what it says of buffering, and an error."""
        gst = ctypes.CDLL("libgstplay-1.0.so.0")
        for name in ("gst_play_new", "gst_play_get_pipeline", "gst_element_factory_make", "gst_play_get_message_bus",
                     "gst_bus_timed_pop"):
            getattr(gst, name).restype = ctypes.c_void_p
        gst.gst_init(None, None)
        player = ctypes.c_void_p(gst.gst_play_new(None))
        pipeline = ctypes.c_void_p(gst.gst_play_get_pipeline(player))
        for sink in (b"video-sink", b"audio-sink"):
            gst.g_object_set(pipeline, sink, ctypes.c_void_p(gst.gst_element_factory_make(b"fakesink", None)), None)
        gst.gst_play_set_uri(player, uri.encode())
        gst.gst_play_play(player)
        bus = ctypes.c_void_p(gst.gst_play_get_message_bus(player))
        buffering, end_of_stream, error = 4, 5, 6  # GstPlayMessage
        while True:
            message = ctypes.c_void_p(gst.gst_bus_timed_pop(bus, ctypes.c_uint64(PATIENCE * 10**9)))
            kind = ctypes.c_int(-1)
            gst.gst_play_message_parse_type(message, ctypes.byref(kind))
            if kind.value == buffering:
                percent = ctypes.c_uint()
                gst.gst_play_message_parse_buffering_percent(message, ctypes.byref(percent))
                print(percent.value, flush=True)
            if kind.value == end_of_stream:
                os._exit(0)
            if kind.value == error:
                cause = ctypes.POINTER(GError)()
                gst.gst_play_message_parse_error(message, ctypes.byref(cause), None)
                print(cause.contents.message.decode(), flush=True)
                os._exit(1)


class GError(ctypes.Structure):
    _fields_ = [("domain", ctypes.c_uint32), ("code", ctypes.c_int), ("message", ctypes.c_char_p)]


class Stranger(http.server.SimpleHTTPRequestHandler):
    """A host of playlists. /redirect leads to what /redirect.txt holds. All that is asked of it is kept."""

    seen = []
    extensions_map = {"": "video/mp4", ".m3u8": "application/vnd.apple.mpegurl"}

    def do_GET(self):
        type(self).seen.append(f"{self.path}\n{self.headers}")
        if self.path != "/redirect":
            return super().do_GET()
        self.send_response(302)
        self.send_header("Location", pathlib.Path(self.translate_path("/redirect.txt")).read_text())
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *arguments):
        pass


class HostilePlaylists(Players):
    """A player is sent to an aimlvideo:// URI by somebody else. No purchase, no request, no key, no file."""

    PLAYLISTS = {
        "media.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5.0,\nTHERE\n#EXT-X-ENDLIST\n",
        "master.m3u8": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=100000\nTHERE\n",
        "map.m3u8": '#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:5\n#EXT-X-MAP:URI="THERE"\n#EXTINF:5.0,\nTHERE\n'
                    "#EXT-X-ENDLIST\n",
        "redirect.txt": "THERE",
    }

    def setUp(self):
        super().setUp()
        self.site = self.folder / "site"
        self.site.mkdir()
        handler = type("Handler", (Stranger,), {"seen": []})
        self.seen = handler.seen
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=self.site))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.address = f"http://127.0.0.1:{server.server_port}"

    def hostile_uris(self):
        """URIs that would buy, read a file, and ask a host inside."""
        secret = self.folder / "secret.json"
        os.mkfifo(secret)  # whoever opens it waits for ever
        image_model = "klingai/video-v2-6-pro-image-to-video"
        return {
            "buy": (uri_for("spend it"), REFUSAL),
            "read": (uri_for("a cat", image_model, image=str(secret)), "image names a local file"),
            "parameters": (uri_for("a cat", parameters=f"@{secret}"), "parameters names a local file"),
            "ask": (uri_for("a cat", image_model, image=f"{self.address}/inside.png"), REFUSAL),
            "key": (uri_for("a cat") + f"&base-url={self.address}/api", "Could not fetch media playlist"),
        }

    def play(self, page, player):
        code, output = self.run_program("gst-launch-1.0", player, f"uri={self.address}/{page}", *SINKS)
        self.assertNotEqual(code, 0, output)
        self.assertNotIn(KEY, output)
        return output

    def test_whatever_a_playlist_names_it_buys_reads_and_asks_nothing(self):
        for purpose, (uri, refusal) in self.hostile_uris().items():
            with self.subTest(purpose=purpose):
                for name, text in self.PLAYLISTS.items():
                    (self.site / name).write_text(text.replace("THERE", uri))
                # the older HLS demuxer does make the element, which is what refuses
                self.assertIn(refusal, self.play("master.m3u8", "playbin"))
                if purpose == "buy":
                    for page in ("media.m3u8", "map.m3u8", "redirect"):
                        self.play(page, "playbin")
                    for page in ("master.m3u8", "media.m3u8", "redirect"):
                        self.play(page, "playbin3")
                self.assertEqual(self.asked(), 0)
                for request in self.seen:
                    self.assertNotIn(KEY, request)
                    self.assertNotIn("/inside.png", request)
                    self.assertNotIn("/api", request)

    def test_a_list_of_gst_play_buys_nothing(self):
        playlist = self.folder / "list.txt"
        playlist.write_text("\n".join(uri_for(f"cat {number}") for number in range(3)) + "\n")
        output = self.run_program(*GST_PLAY, f"--playlist={playlist}")[1]
        self.assertEqual(output.count(REFUSAL), 3, output)
        self.assertEqual(self.asked(), 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["gst-play-library"]:
        GstPlay.play(sys.argv[2])
    main()
