#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""gst-launch-1.0 lines as users write them, against the emulator."""

import functools
import hashlib
import http.server
import os
import subprocess
import threading

import marks
from support import IMAGE, KEY, EndToEnd, Launch, data_uri, main

IMAGE_MODELS = ("kling-video/v1.6/pro/image-to-video", "kling-video/v1/pro/image-to-video",
                "klingai/video-v2-6-pro-image-to-video")
TEXT_MODEL = "kling-video/v1.6/pro/text-to-video"
ENDPOINTS = ("universal", "legacy")


class Line(EndToEnd):
    def test_the_mission_line_plays(self):
        output = self.play("aimlvideosrc", "prompt=Mona Lisa puts on glasses", f"image={IMAGE}", "!", "decodebin", "!",
                           "fakesink", options=())
        self.assertIn("Progress: (generate) submitting", output)
        self.assertIn("Progress: (generate) the clip is ready", output)
        self.assertEqual(self.emulator.report()["billable"], 1)

    def test_text_alone_takes_the_text_flagship(self):
        self.play("aimlvideosrc", "prompt=a cat", "!", "fakesink")
        self.assertEqual(self.emulator.report()["tasks"][0]["model"], "klingai/video-v2-6-pro-text-to-video")

    def test_without_descriptors_there_is_an_error_and_the_process_lives(self):
        lines = [word for i in range(60) for word in ("aimlvideosrc", f"prompt=cat {i}", "!", "fakesink")]
        line = Launch(self.emulator, lines, environment=self.home, prefix=("prlimit", "--nofile=64"))
        code, output = line.end()
        self.assertEqual(code, 1, output)  # not killed by a signal
        self.assertIn("too few file descriptors left for another generation, so nothing was bought", output)

    def test_the_clip_can_be_kept_as_it_is(self):
        clip = self.folder / "clip.mp4"
        self.play("aimlvideosrc", "prompt=a cat", "!", "filesink", f"location={clip}")
        streams = self.probe(clip)
        self.assertEqual(streams["video"]["codec_name"], "h264")
        _, mark, _ = list(marks.boxes(clip.read_bytes()))[-1]
        self.assertEqual(mark, self.emulator.report()["tasks"][0]["clip_bytes"])

    def test_transcoding_to_webm_with_sound(self):
        clip = self.folder / "clip.webm"
        self.play("aimlvideosrc", "prompt=a cat", f"image={IMAGE}", "!", "decodebin", "name=d",
                  "d.", "!", "queue", "!", "videoconvert", "!", "vp8enc", "deadline=1", "!", "webmmux", "name=m", "!",
                  "filesink", f"location={clip}",
                  "d.", "!", "queue", "!", "audioconvert", "!", "audioresample", "!", "opusenc", "!", "m.")
        streams = self.probe(clip)
        self.assertEqual((streams["video"]["codec_name"], streams["audio"]["codec_name"]), ("vp8", "opus"))

    def test_properties_reach_the_service(self):
        (self.folder / "prompt.txt").write_text("a cat\non a roof\n")
        (self.folder / "more.json").write_text('{"camera_control": "down_back"}')
        self.play("aimlvideosrc", f"model={TEXT_MODEL}", f"prompt-file={self.folder}/prompt.txt", "duration=10",
                  "aspect-ratio=9:16", "cfg-scale=0.7", "negative-prompt=dogs", f"parameters=@{self.folder}/more.json",
                  "!", "fakesink")
        request = self.emulator.report()["tasks"][0]["request"]
        self.assertEqual(request["prompt"], "a cat\non a roof")
        self.assertEqual(request["parameters"], {"duration": 10, "aspect_ratio": "9:16", "cfg_scale": 0.7,
                                                 "negative_prompt": "dogs", "camera_control": "down_back"})


class FourModels(EndToEnd):
    """The systems it was asked for, over both endpoint families, with the image given in every way."""

    def setUp(self):
        super().setUp()
        handler = functools.partial(Quiet, directory=IMAGE.parent)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.image_url = f"http://127.0.0.1:{server.server_port}/{IMAGE.name}"

    def check(self, model, endpoint, *more):
        clip = self.folder / "clip.mp4"
        # neither the family nor the way to give an image makes another request
        self.takes = getattr(self, "takes", 0) + 1
        self.play("aimlvideosrc", f"model={model}", f"endpoint={endpoint}", "prompt=it moves", f"take={self.takes}", *more,
                  "!", "filesink", f"location={clip}")
        task = self.emulator.report()["tasks"][-1]
        self.assertEqual((task["model"], task["family"]), (model, endpoint))
        self.assertIn("video", self.probe(clip))
        return task

    def test_text_to_video(self):
        for endpoint in ENDPOINTS:
            with self.subTest(endpoint=endpoint):
                self.check(TEXT_MODEL, endpoint)

    def test_image_to_video(self):
        # a data URI has to fit into an argument of a command line, 128 KiB
        small = self.folder / "small.jpg"
        subprocess.run(["gst-launch-1.0", "-q", "videotestsrc", "num-buffers=1", "!", "jpegenc", "!", "filesink",
                        f"location={small}"], check=True)
        digest = hashlib.sha256(small.read_bytes()).hexdigest()
        ways = {"path": str(small), "file URI": small.as_uri(), "data URI": data_uri(small), "URL": self.image_url}
        for model in IMAGE_MODELS:
            for endpoint in ENDPOINTS:
                for way, image in ways.items():
                    with self.subTest(model=model, endpoint=endpoint, image=way):
                        media = self.check(model, endpoint, f"image={image}")["request"]["media"][0]
                        if way == "URL":
                            self.assertEqual((media["kind"], media["url"]), ("url", image))
                        else:
                            self.assertEqual((media["kind"], media["sha256"]), ("data", digest))
                            self.assertEqual(media["declared_type"], "image/jpeg")

    def test_first_and_last_frame(self):
        task = self.check("kling-video/v1.6/pro/image-to-video", "universal", f"image={IMAGE}", f"tail-image={IMAGE}")
        self.assertEqual({media["parameter"] for media in task["request"]["media"]}, {"image_url", "tail_image_url"})


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


class Interrupted(EndToEnd):
    emulator_options = ("--generation-time", "3600")

    def start(self, *options):
        run = self.launch("aimlvideosrc", "prompt=a cat", "!", "decodebin", "!", "fakesink", options=options)
        self.emulator.wait_until(lambda report: report["tasks"] and report["tasks"][0]["polls"] > 0, "a poll")
        return run

    def test_ctrl_c_ends_the_wait_at_once_and_how_to_go_on_was_said_before(self):
        run = self.start()
        run.interrupt()
        code, output = run.end()
        self.assertIn("generation " + self.emulator.report()["tasks"][0]["id"], output)
        self.assertIn("if it is stopped, the same request goes on with it and buys nothing", output)
        # the service is still at work: nothing waited for it
        self.assertEqual(self.emulator.report()["unfinished"], 1)
        self.assertNotIn("ERROR", output)

    def test_ctrl_c_with_e_ends_the_wait_at_once_and_says_how_to_go_on(self):
        run = self.start("-e")
        run.interrupt()
        code, output = run.end()
        self.assertEqual(self.emulator.report()["unfinished"], 1)
        self.assertIn("interrupted by EOS", output)
        self.assertIn("generation-id=" + self.emulator.report()["tasks"][0]["id"], output)


    def test_ctrl_c_with_e_always_says_what_was_paid_for(self):
        for take in range(int(os.environ.get("AIMLVIDEO_INTERRUPTIONS", 20))):
            run = self.launch("aimlvideosrc", "prompt=a cat", f"take={take}", "!", "decodebin3", "!", "fakesink",
                              options=("-e",))
            self.emulator.wait_until(lambda report: len(report["tasks"]) > take, "a purchase")
            task = self.emulator.report()["tasks"][take]["id"]
            self.emulator.wait_until(lambda report: report["tasks"][take]["polls"] > 0, "a poll")
            run.interrupt()
            self.assertIn("generation-id=" + task, run.end()[1])


class GoneOn(EndToEnd):
    emulator_options = ("--generation-time", "1")

    def test_an_interrupted_generation_is_fetched_by_its_id(self):
        run = self.launch("aimlvideosrc", "prompt=a cat", "!", "fakesink")
        self.emulator.wait_until(lambda report: report["tasks"] and report["tasks"][0]["polls"] > 0, "a poll")
        run.interrupt()
        run.end()
        task = self.emulator.report()["tasks"][0]
        clip = self.folder / "clip.mp4"
        self.play("aimlvideosrc", f"generation-id={task['id']}", "!", "filesink", f"location={clip}")
        self.assertIn("video", self.probe(clip))
        self.assertEqual(self.emulator.report()["billable"], 1)


class Mistakes(EndToEnd):
    emulator_options = ("--key", KEY)

    def fails(self, *arguments, environment=None):
        code, output = self.launch(*arguments, environment=environment).end()
        self.assertNotEqual(code, 0, output)
        return output

    def test_a_refused_key(self):
        output = self.fails("aimlvideosrc", "prompt=a cat", "!", "fakesink",
                            environment={"AIMLAPI_KEY": "wrong-key-4711"})
        self.assertIn("the service refuses the API key", output)
        self.assertIn("https://aimlapi.com/app/keys", output)
        self.assertNotIn("wrong-key-4711", output)

    def test_no_key(self):
        output = self.fails("aimlvideosrc", "prompt=a cat", "!", "fakesink", environment={"AIMLAPI_KEY": ""})
        self.assertIn("there is no API key", output)

    def test_a_forgotten_exclamation_mark_costs_nothing(self):
        output = self.fails("aimlvideosrc", "prompt=a cat", "decodebin", "!", "fakesink")
        self.assertIn("not linked", output)
        self.assertEqual(self.emulator.report()["billable"], 0)

    def test_a_forgotten_decodebin_costs_nothing(self):
        for forgetful in (("videoconvert", "!", "fakesink"), ("qtmux", "!", "filesink", "location=clip.mp4")):
            with self.subTest(line=forgetful):
                output = self.fails("aimlvideosrc", "prompt=a cat", "!", *forgetful)
                self.assertIn("Put decodebin (or parsebin, qtdemux) after aimlvideosrc", output)
        self.assertEqual(self.emulator.report()["requests"], 0)

    def test_a_missing_image_costs_nothing(self):
        output = self.fails("aimlvideosrc", "prompt=a cat", "image=nowhere.jpg", "!", "fakesink")
        self.assertIn('image "nowhere.jpg" can\'t be read: No such file or directory', output)
        self.assertEqual(self.emulator.report()["billable"], 0)

    def test_a_wrong_duration_costs_nothing(self):
        output = self.fails("aimlvideosrc", "prompt=a cat", "duration=7", "!", "fakesink")
        self.assertIn('duration is "7", allowed are 5, 10', output)
        self.assertEqual(self.emulator.report()["requests"], 0)


if __name__ == "__main__":
    main()
