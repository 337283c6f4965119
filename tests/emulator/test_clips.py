#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The clips: what they show, and how they are handed out."""

import http.server
import os
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse

from harness import (ANY_CLIP, GREEN, IMAGE_MODEL, RED, TAIL_MODEL, TEXT_MODEL, Emulator, EmulatorTest, Movie, boxes, data_uri, frames,
                     png)


def is_like(colour, other, tolerance=40):
    return all(abs(a - b) <= tolerance for a, b in zip(colour, other))


class Looks(EmulatorTest):
    def movie(self, *args, **parameters):
        return Movie(self.emulator.clip(*args, **parameters))

    def frames(self, *args, **parameters):
        with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
            file.write(self.emulator.clip(*args, **parameters))
            file.flush()
            return frames(file.name)

    def test_a_clip_has_the_asked_length_rate_and_shape(self):
        movie = self.movie(duration=5, aspect_ratio="9:16")
        self.assertEqual(movie.codec, "avc1")
        self.assertAlmostEqual(movie.seconds, 5, delta=0.1)
        self.assertEqual(movie.frames, 120)
        self.assertEqual((movie.width, movie.height), (90, 160))
        self.assertEqual(self.movie(duration="10").frames, 240)

    def test_a_clip_has_sound_where_the_model_makes_it(self):
        self.assertTrue(self.movie().has_sound)
        self.assertFalse(self.movie(generate_audio=False).has_sound)
        self.assertFalse(self.movie("klingai/v2.5-turbo/pro/text-to-video").has_sound)

    def test_a_clip_has_the_shape_of_its_image(self):
        movie = self.movie(IMAGE_MODEL, image_url=data_uri(RED))
        self.assertAlmostEqual(movie.width / movie.height, 64 / 96, delta=0.02)

    def test_the_first_image_is_the_first_frame_and_the_last_image_the_last(self):
        seen = self.frames(TAIL_MODEL, image_url=data_uri(RED), tail_image_url=data_uri(GREEN))
        top = slice(0, 8 * 8) # above the captions
        self.assertTrue(all(is_like(c, (220, 30, 30)) for c in seen[0][top]), seen[0][0])
        self.assertTrue(all(is_like(c, (30, 200, 60)) for c in seen[-1][top]), seen[-1][0])

    def test_the_camera_moves(self):
        picture = png(64, 96, lambda x, y: (255, 255, 255) if 24 <= x < 40 and 36 <= y < 60 else (0, 0, 0))
        seen = self.frames(IMAGE_MODEL, image_url=data_uri(picture))
        self.assertNotEqual(seen[0], seen[-1])

    def test_a_jpeg_and_a_webp_are_understood(self):
        for encoder, mime in (("mjpeg", "image/jpeg"), ("libwebp", "image/webp")):
            with self.subTest(mime):
                data = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "color=red:size=64x64", "-frames:v", "1",
                                       "-c:v", encoder, "-f", "image2pipe", "-"], check=True, capture_output=True, timeout=60).stdout
                seen = self.frames(IMAGE_MODEL, image_url=data_uri(data, mime))
                self.assertTrue(is_like(seen[0][0], (255, 0, 0)), seen[0][0])

    def test_an_image_on_this_machine_is_fetched(self):
        class Host(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if self.path == "/red.png" else 404)
                self.end_headers()
                self.wfile.write(RED)

            def log_message(self, *_):
                pass

        with http.server.HTTPServer(("127.0.0.1", 0), Host) as host:
            threading.Thread(target=host.serve_forever, daemon=True).start()
            base = f"http://127.0.0.1:{host.server_port}"
            seen = self.frames(IMAGE_MODEL, image_url=base + "/red.png")
            self.assertTrue(is_like(seen[0][0], (220, 30, 30)))
            failed = self.emulator.generate(IMAGE_MODEL, image_url=base + "/none.png").json
            self.assertIn("404", failed["error"]["message"])
            host.shutdown()

    def test_the_same_request_gives_the_same_bytes_and_is_rendered_once(self):
        before = self.emulator.report()["rendered"]
        first, second = self.emulator.clip(prompt="once"), self.emulator.clip(prompt="once")
        self.assertEqual(first, second)
        self.assertEqual(self.emulator.report()["rendered"], before + 1)
        with Emulator() as other:
            self.assertEqual(other.clip(prompt="once"), first)


    def test_a_damaged_image_fails_the_generation_and_costs_nothing(self):
        answer = self.emulator.generate(IMAGE_MODEL, image_url=data_uri(b"no picture"))
        self.assertEqual(answer.json["status"], "error")
        self.assertIn("PNG, JPEG or WebP", answer.json["error"]["message"])
        self.assertEqual(self.emulator.report()["usd"], 0)


@unittest.skipUnless("--full" in sys.argv, "only with --full")
class FullSize(unittest.TestCase):
    def test_a_clip_has_the_resolution_of_its_request_or_of_its_model(self):
        sizes = {("klingai/video-v3-omni-1080p-text-to-video", None): (1920, 1080),
                 ("klingai/video-v3-omni-720p-text-to-video", None): (1280, 720),
                 ("pixverse/v5/text-to-video", "360p"): (640, 360)}
        with Emulator("--render-size", "0") as emulator:
            for (model, resolution), size in sizes.items():
                with self.subTest(model):
                    more = {"resolution": resolution, "duration": 5, "aspect_ratio": "16:9"} if resolution else {}
                    movie = Movie(emulator.clip(model, **more))
                    self.assertEqual((movie.width, movie.height), size)


class Layouts(unittest.TestCase):
    def test_each_layout(self):
        for layout in ("faststart", "moov-last", "fragmented"):
            with self.subTest(layout), Emulator("--layout", layout) as emulator:
                kinds = [kind for kind, _ in boxes(emulator.clip())]
                moov, mdat = kinds.index("moov"), kinds.index("mdat")
                self.assertEqual(moov < mdat, layout != "moov-last")
                self.assertEqual("moof" in kinds, layout == "fragmented")

    def test_a_given_clip_is_served_as_it_is(self):
        with Emulator() as emulator, tempfile.NamedTemporaryFile(suffix=".mp4") as file:
            file.write(emulator.clip())
            file.flush()
            with Emulator("--clip", file.name) as fixed, open(file.name, "rb") as same:
                self.assertEqual(fixed.clip(prompt="whatever"), same.read())


class Delivery(EmulatorTest):
    options = ANY_CLIP

    def setUp(self):
        super().setUp()
        self.url = self.emulator.clip_url()
        self.whole = self.get().body

    def get(self, method="GET", url=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.emulator.call(method, url or self.url, key=None, headers=headers)

    def test_the_address_looks_signed_and_is_matched_byte_by_byte(self):
        self.assertIn("%2F", urllib.parse.urlsplit(self.url).path)
        self.assertGreater(len(self.url), 400)
        for changed in (self.url.replace("%2F", "/"), self.url.replace("%2F", "%252F"), self.url + "&",
                        self.url.split("?")[0], self.url.replace("Signature=", "Signature=0"), self.url.replace("%20", "+")):
            with self.subTest(changed):
                self.assertEqual(self.get(url=changed).status, 403)
        self.assertEqual(self.get(url=self.url.replace("/clips/", "/clips/9")).status, 404)

    def test_a_request_with_a_key_is_refused_and_counted(self):
        self.assertEqual(self.emulator.call("GET", self.url, key="leak").status, 403)
        self.assertEqual(self.emulator.report()["authorization_on_clips"], 1)

    def test_the_whole_clip_has_its_headers(self):
        answer = self.get()
        self.assertEqual(answer.headers["Content-Type"], "video/mp4")
        self.assertEqual(int(answer.headers["Content-Length"]), len(self.whole))
        self.assertEqual(answer.headers["Accept-Ranges"], "bytes")
        self.assertIn("ETag", answer.headers)
        self.assertIn("Last-Modified", answer.headers)

    def test_head_has_the_headers_alone(self):
        answer = self.get("HEAD")
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertEqual(int(answer.headers["Content-Length"]), len(self.whole))

    def test_ranges(self):
        size = len(self.whole)
        for wish, start, end in (("0-99", 0, 100), ("100-", 100, size), ("-50", size - 50, size),
                                 (f"10-{size * 2}", 10, size), (f"-{size * 2}", 0, size)):
            with self.subTest(wish):
                answer = self.get(Range="bytes=" + wish)
                self.assertEqual(answer.status, 206)
                self.assertEqual(answer.headers["Content-Range"], f"bytes {start}-{end - 1}/{size}")
                self.assertEqual(answer.body, self.whole[start:end])

    def test_a_range_beyond_the_end_is_refused(self):
        for wish in (f"{len(self.whole)}-", "-0"):
            answer = self.get(Range="bytes=" + wish)
            self.assertEqual(answer.status, 416)
            self.assertEqual(answer.headers["Content-Range"], f"bytes */{len(self.whole)}")

    def test_a_malformed_range_is_ignored(self):
        for wish in ("bytes=x-y", "bytes=9-1", "bytes=-", "items=0-1", "bytes=0-1,5-6"):
            with self.subTest(wish):
                self.assertEqual(self.get(Range=wish).status, 200)

    def test_if_range_asks_for_the_whole_when_the_clip_is_another(self):
        answer = self.get()
        for same in (answer.headers["ETag"], answer.headers["Last-Modified"]):
            self.assertEqual(self.get(Range="bytes=1-2", If_Range=same).status, 206)
        for other in ('"other"', "Sat, 01 Jan 2000 00:00:00 GMT"):
            self.assertEqual(self.get(Range="bytes=1-2", If_Range=other).status, 200)

    def test_a_known_clip_is_not_sent_again(self):
        answer = self.get(If_None_Match=self.get().headers["ETag"])
        self.assertEqual((answer.status, answer.body), (304, b""))

    def test_the_bytes_served_are_counted(self):
        self.get(Range="bytes=0-999")
        self.get("HEAD")
        self.assertEqual(self.emulator.report()["clip_bytes"], len(self.whole) + 1000)

    def test_a_clip_cannot_be_had_before_its_generation_is_completed(self):
        with Emulator(*ANY_CLIP, "--generation-time", "3600") as slow:
            slow.create()
            self.assertEqual(slow.call("GET", "/clips/1/guess.mp4", key=None).status, 403)


class Names(unittest.TestCase):
    def test_clips_can_be_on_another_host_than_the_service(self):
        with Emulator(*ANY_CLIP, "--clip-host", "localhost") as emulator:
            url = emulator.clip_url()
            self.assertTrue(url.startswith("http://localhost:"), url)
            self.assertEqual(emulator.call("GET", url, key=None).status, 200)

    def test_bandwidth_limits_downloads(self):
        import time
        with Emulator("--bandwidth", "200k") as emulator:
            start = time.monotonic()
            size = len(emulator.clip())
            self.assertGreater(time.monotonic() - start, size / 200e3 * 0.8)


if __name__ == "__main__":
    unittest.main(argv=[argument for argument in sys.argv if argument != "--full"])
