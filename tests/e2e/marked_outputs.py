#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is made of a clip says that a model has made it, and a command may sign it."""

import json
import os
import re
import shutil
import subprocess
import time

import marks
from support import IMAGE, KEY, Emulator, EndToEnd, main

COMMAND = os.environ["AIMLVIDEO_COMMAND"]
GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
COMPOSITE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"


class Made(EndToEnd):
    PROMPT = "a boat & <b>"
    SOURCE = ("aimlvideosrc", f"prompt={PROMPT}")
    ENCODER = ("decodebin", "!", "videoconvert", "!", "x264enc", "tune=zerolatency", "!", "h264parse")

    def generate(self, name, *options, expect=0):
        path = self.folder / name
        self.command("generate", self.PROMPT, "-o", path, *options, expect=expect)
        return path

    def command(self, *arguments, expect=0):
        environment = dict(os.environ, AIMLAPI_KEY=KEY, AIMLAPI_BASE_URL=self.emulator.url, **self.home)
        run = subprocess.run([COMMAND, *map(str, arguments)], env=environment, cwd=self.folder, capture_output=True, text=True, timeout=120)
        self.assertEqual(run.returncode, expect, run.stderr)
        return run

    def inspect(self, *files, expect=0):
        run = self.command("inspect", "--json", *files, expect=expect)
        return json.loads(run.stdout)["data"]["files"]

    def exif(self, path, *tags):
        run = subprocess.run(["exiftool", "-json", *tags, path], capture_output=True, text=True, check=True)
        return json.loads(run.stdout)[0]

    def tags(self, path):
        """What FFmpeg's demuxer reads."""
        run = subprocess.run(["ffprobe", "-v", "error", "-show_format", "-of", "json", path], capture_output=True, text=True, check=True)
        return json.loads(run.stdout)["format"].get("tags", {})

    def check_marked(self, path):
        found, = self.inspect(path)
        self.assertTrue(found["marked"], path)
        self.assertEqual(found["digital_source_type"], GENERATED)
        self.assertEqual(found["generation_id"], self.emulator.report()["tasks"][0]["id"])
        self.assertNotIn("prompt", found)
        return found


class Outputs(Made):
    """What is made of a clip, read by programs that others wrote."""

    def test_every_profile_is_marked(self):
        for name, profile in (("clip.mp4", "mp4"), ("h264.mp4", "h264"), ("web.webm", "webm"), ("edit.mov", "prores"),
                              ("stream", "hls"), ("poster.jpg", "poster")):
            with self.subTest(profile):
                path = self.generate(name, "--profile", profile)
                found = self.check_marked(path)
                if profile == "webm":
                    comment = self.tags(path)["COMMENTS"]
                    self.assertIn("AI\\ generated", comment)  # as GStreamer's muxer writes what has blanks
                    self.assertIn(GENERATED, comment)
                elif profile == "hls":
                    lines = (path / "index.m3u8").read_text().splitlines()
                    self.assertEqual(lines[0], "#EXTM3U")
                    self.assertTrue(lines[1].startswith("# AI generated; digitalSourceType=" + GENERATED), lines[1])
                    self.assertEqual(marks.kind_in((path / "index.xmp").read_text()), GENERATED)
                    self.frames(path / "index.m3u8")
                else:
                    facts = self.exif(path, "-XMP:all")
                    self.assertEqual(facts["DigitalSourceType"], GENERATED)
                    self.assertEqual(facts["Description"], "Video made by a generative AI model")
                    self.frames(path)
                if profile in ("h264", "prores"):
                    self.assertIn(GENERATED, self.tags(path)["comment"])
                self.assertEqual(found["place"], "tags" if profile == "webm" else "XMP")

    def frames(self, path):
        return subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-f", "framemd5", "-"], capture_output=True, check=True, timeout=120).stdout

    def test_no_output_is_marked_where_none_is_wanted(self):
        for name, profile in (("clip.mp4", "mp4"), ("h264.mp4", "h264"), ("web.webm", "webm"), ("stream", "hls"), ("poster.jpg", "poster")):
            with self.subTest(profile):
                path = self.generate(name, "--profile", profile, "--mark", "none")
                self.assertFalse(self.inspect(path, expect=1)[0]["marked"])
        self.assertFalse((self.folder / "stream/index.xmp").exists())

    def test_a_stream_is_replaced_with_its_mark(self):
        self.generate("stream", "--profile", "hls")
        self.generate("stream", "--profile", "hls", "--force")

    def test_aimlmark_marks_what_muxers_write(self):
        lines = {
            "plain.mp4": (*self.ENCODER, "!", "mp4mux", "!", "aimlmark"),
            "early.mp4": (*self.ENCODER, "!", "mp4mux", "faststart=true", "!", "aimlmark"),
            "fragments.mp4": (*self.ENCODER, "!", "mp4mux", "fragment-duration=1000", "!", "aimlmark"),
            "streamable.mp4": (*self.ENCODER, "!", "mp4mux", "fragment-duration=1000", "streamable=true", "!", "aimlmark"),
            "remuxed.mov": ("qtdemux", "!", "h264parse", "!", "qtmux", "!", "aimlmark"),
            "tags.mkv": ("qtdemux", "!", "h264parse", "!", "aimlmark", "!", "matroskamux"),
            "tags.mp4": ("queue", "!", "qtdemux", "!", "h264parse", "!", "aimlmark", "!", "mp4mux"),
            "plain.avi": (*self.ENCODER, "!", "aimlmark", "!", "avimux"),
            "picture.jpg": ("decodebin", "!", "videoconvert", "!", "jpegenc", "snapshot=true", "!", "aimlmark"),
        }
        for name, line in lines.items():
            with self.subTest(name):
                path = self.folder / name
                self.play(*self.SOURCE, "!", *line, "!", "filesink", f"location={path}")
                found = self.check_marked(path)
                self.assertEqual(found["place"], "tags" if name.startswith("tags") or name.endswith("avi") else "XMP")
                self.assertTrue(self.frames(path))
                if found["place"] == "XMP":
                    self.assertEqual(self.exif(path, "-XMP:DigitalSourceType")["DigitalSourceType"], GENERATED)
        for name in ("tags.mp4", "plain.avi"):
            self.assertEqual(self.exif(self.folder / name, "-Keyword", "-Keywords").popitem()[1], "AI generated")
        self.assertEqual([name for name, _, _ in marks.boxes((self.folder / "fragments.mp4").read_bytes())][-2:], [b"uuid", b"mfra"])

    def test_a_transport_stream_has_no_place_for_it(self):
        path = self.folder / "stream.ts"
        self.play(*self.SOURCE, "!", *self.ENCODER, "!", "aimlmark", "!", "mpegtsmux", "!", "filesink", f"location={path}")
        self.assertFalse(self.inspect(path, expect=1)[0]["marked"])

    def test_a_mix_says_of_all_its_clips(self):
        path = self.folder / "mix.mp4"
        self.play(*self.SOURCE, "!", "decodebin", "!", "videoconvert", "!", "c.", "aimlvideosrc", "prompt=glasses", f"image={IMAGE}", "!",
                  "decodebin", "!", "videoconvert", "!", "c.", "compositor", "name=c", "!", "videoconvert", "!", "x264enc", "!",
                  "mp4mux", "!", "aimlmark", "!", "filesink", f"location={path}")
        found, = self.inspect(path)
        self.assertEqual(found["digital_source_type"], COMPOSITE)
        for task in self.emulator.report()["tasks"]:
            self.assertIn(task["id"], found["generation_id"])

    def test_a_packet_can_be_put_into_another_file(self):
        packet = self.command("inspect", "--xmp", self.generate("clip.mp4")).stdout
        self.assertEqual(marks.kind_in(packet), GENERATED)
        quoted = '"' + packet.replace("\\", "\\\\").replace('"', '\\"') + '"'
        path = self.folder / "other.mp4"
        self.play("videotestsrc", "num-buffers=10", "!", "x264enc", "!", "mp4mux", "!", "aimlmark", f"xmp={quoted}", "!", "filesink",
                  f"location={path}")
        self.check_marked(path)

    def test_inspect_reads_what_others_have_written(self):
        clip = self.generate("clip.mp4", "--mark", "none")
        label = '{"Label":"1","ContentProducer":"somebody"}'
        for name, options in (("label.mp4", ("-movflags", "use_metadata_tags")), ("label.mkv", ())):
            subprocess.run(["ffmpeg", "-v", "error", "-i", clip, "-c", "copy", *options, "-metadata", "AIGC=" + label, self.folder / name],
                           check=True)
            self.assertEqual(self.inspect(self.folder / name)[0]["aigc"], label)
        poster = self.generate("poster.jpg", "--mark", "none")
        subprocess.run(["exiftool", "-q", "-overwrite_original", "-XMP-iptcExt:DigitalSourceType=" + COMPOSITE, poster], check=True)
        self.assertEqual(self.inspect(poster)[0]["digital_source_type"], COMPOSITE)
        camera = self.generate("camera.jpg", "--mark", "none")
        capture = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
        subprocess.run(["exiftool", "-q", "-overwrite_original", "-XMP-iptcExt:DigitalSourceType=" + capture, camera], check=True)
        self.assertFalse(self.inspect(camera, expect=1)[0]["marked"])
        self.command("inspect", self.folder / "none.mp4", expect=5)

    def test_inspect_reads_pictures_and_a_playlist_by_itself(self):
        for extension in ("png", "webp"):
            path = self.folder / f"picture.{extension}"
            subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=red:size=32x32", "-frames:v", "1", path], check=True)
            self.assertFalse(self.inspect(path, expect=1)[0]["marked"])
            subprocess.run(["exiftool", "-q", "-overwrite_original", "-XMP-iptcExt:DigitalSourceType=" + GENERATED, path], check=True)
            self.assertEqual(self.inspect(path)[0]["digital_source_type"], GENERATED)
        stream = self.generate("stream", "--profile", "hls")
        self.assertEqual(self.inspect(stream / "index.m3u8")[0]["place"], "playlist")

    def test_inspect_fetches_nothing(self):
        playlist = self.folder / "list.m3u8"
        playlist.write_text(f"#EXTM3U\\n#EXT-X-TARGETDURATION:5\\n#EXTINF:5,\\n{self.emulator.url}/a.ts\\n#EXT-X-ENDLIST\\n")
        self.assertFalse(self.inspect(playlist, expect=1)[0]["marked"])
        self.assertEqual(self.emulator.report()["requests"], 0)
        self.command("inspect", expect=2)

    def test_the_report_says_so_for_programs(self):
        (self.folder / "all.csv").write_text("prompt,output\na boat </script>,boat.mp4\na cat,cat.webm\n")
        self.command("batch", self.folder / "all.csv", "--report", self.folder / "report")
        page = (self.folder / "report/index.html").read_text()
        data = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)[1])
        clips = data["itemListElement"]
        self.assertEqual([clip["contentUrl"] for clip in clips], ["../boat.mp4", "../cat.webm"])
        for clip in clips:
            self.assertEqual((clip["@type"], clip["digitalSourceType"]),
                             ("VideoObject", "https://schema.org/TrainedAlgorithmicMediaDigitalSource"))
            self.assertIn("AI generated; ", clip["creditText"])


class WithCommentOfItsOwn(Made):
    def setUp(self):
        super().setUp()
        clip = self.generate("clip.mp4", "--mark", "none")
        own = self.folder.parent / f"{self.folder.name}-own.mp4"
        self.addCleanup(own.unlink)
        subprocess.run(["ffmpeg", "-v", "error", "-i", clip, "-c", "copy", "-metadata", "comment=mine", own], check=True)
        self.emulator.stop()
        self.emulator = Emulator("--clip", str(own))
        for name in ("state", "cache"):
            shutil.rmtree(self.folder / name)

    def test_the_mark_comes_first(self):
        for name, profile, tag in (("h264.mp4", "h264", "comment"), ("web.webm", "webm", "COMMENTS"), ("edit.mov", "prores", "comment")):
            path = self.generate(name, "--profile", profile)
            self.check_marked(path)
            comment = self.tags(path)[tag]
            self.assertIn(GENERATED, comment)
            self.assertTrue(comment.rstrip('"').endswith("mine"), comment)


class WithAnIndexAtTheEnd(Made):
    emulator_options = ("--layout", "fragmented")

    def test_people_and_programs_are_told_that_there_is_no_mark(self):
        run = self.command("generate", self.PROMPT, "-o", self.folder / "clip.mp4")
        self.assertIn("clip.mp4 is not marked as made by a model: the clip ends in an index", run.stderr)
        run = self.command("generate", self.PROMPT, "-o", self.folder / "again.mp4", "--json")
        self.assertIn("ends in an index", json.loads(run.stdout.splitlines()[-1])["data"]["unmarked"])
        self.assertNotIn("is not marked", self.command("generate", self.PROMPT, "-o", self.folder / "none.mp4", "--mark", "none").stderr)


class Signing(Made):
    """A command that signs: what it gets, and what becomes of its work."""

    def signer(self, script):
        path = self.folder / "signer"
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(0o755)
        return path

    def test_it_gets_the_marked_file_and_a_claim_and_its_work_is_published(self):
        signer = self.signer(f'cp "$2" {self.folder}/claim; env >{self.folder}/env; pwd >{self.folder}/pwd; printf x >more; '
                             'cat "$1" more >signed; mv signed "$1"')
        plain = self.generate("plain.mp4")
        signed = self.generate("signed.mp4", "--sign-with", signer)
        self.assertEqual(signed.read_bytes(), plain.read_bytes() + b"x")
        claim = json.loads((self.folder / "claim").read_text())
        self.assertEqual((claim["title"], claim["format"]), ("signed.mp4", "video/mp4"))
        action = claim["assertions"][0]["data"]["actions"][0]
        self.assertEqual((action["action"], action["digitalSourceType"]), ("c2pa.created", GENERATED))
        self.assertNotIn(self.PROMPT, json.dumps(claim))
        self.assertNotIn(KEY, (self.folder / "env").read_text())
        self.assertEqual([path.name for path in self.folder.glob(".*part*")], [])

    def test_a_poster_and_a_batch_are_signed_too(self):
        signer = self.signer('printf signed >>"$1"')
        self.assertTrue(self.generate("poster.jpg", "--sign-with", signer).read_bytes().endswith(b"signed"))
        (self.folder / "all.csv").write_text("prompt,output\na boat,boat.mp4\n")
        self.command("batch", self.folder / "all.csv", "--sign-with", signer)
        self.assertTrue((self.folder / "boat.mp4").read_bytes().endswith(b"signed"))
        self.command("batch", self.folder / "all.csv", "--sign-with", signer)  # made before, and still the same

    def test_one_that_fails_leaves_nothing_and_buys_nothing_more(self):
        for script, words in (("echo no pin >&2; exit 3", "ended with 3: no pin"), ('printf hello >"$1"', "something else than video/mp4"),
                              ('ln "$1" other', "left no file"), ("tr '\\0' '\\n' </proc/$PPID/environ | grep AIMLAPI_KEY; exit 1", "AIMLAPI_KEY=(key)"), ('rm "$1"', "left no file"), ('mkfifo f; mv f "$1"', "left no file"),
                              ("kill -9 $$", "was killed"), ('ln -sf /etc/passwd "$1"', "left no file")):
            with self.subTest(script):
                run = self.command("generate", self.PROMPT, "-o", self.folder / "signed.mp4", "--sign-with", self.signer(script), expect=1)
                self.assertIn(words, run.stderr)
                self.assertIn("bought and kept", run.stderr)
                self.assertNotIn(KEY, run.stderr)
                self.assertFalse((self.folder / "signed.mp4").exists())
        self.assertEqual(len(self.emulator.report()["tasks"]), 1)

    def test_the_file_keeps_its_permissions_and_a_daemon_keeps_nobody_waiting(self):
        plain = self.generate("plain.mp4")
        signed = self.generate("signed.mp4", "--sign-with", self.signer('sleep 100 & printf x >>"$1"; chmod 4777 "$1"'))
        self.assertEqual(signed.stat().st_mode, plain.stat().st_mode)

    def test_what_it_has_begun_ends_with_it(self):
        signer = self.signer(f'sleep 1000 & echo $! >{self.folder}/child; wait')
        with subprocess.Popen([COMMAND, "generate", self.PROMPT, "-o", self.folder / "signed.mp4", "--sign-with", signer],
                              env=dict(os.environ, AIMLAPI_KEY=KEY, AIMLAPI_BASE_URL=self.emulator.url, **self.home),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
            child = self.wait_for(lambda: (self.folder / "child").exists() and (self.folder / "child").read_text().strip())
            run.terminate()
            self.assertEqual(run.wait(60), 130)
        self.wait_for(lambda: not os.path.exists(f"/proc/{child}") or "Z" in open(f"/proc/{child}/stat").read().split(")")[1])

    def wait_for(self, condition):
        deadline = time.monotonic() + 60
        while not (result := condition()):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        return result

    def test_the_claim_says_the_same_of_a_clip_without_a_mark(self):
        self.generate("signed.mp4", "--mark", "none", "--sign-with", self.signer(f'cp "$2" {self.folder}/claim'))
        action = json.loads((self.folder / "claim").read_text())["assertions"][0]["data"]["actions"][0]
        self.assertEqual(action["digitalSourceType"], GENERATED)
        self.assertIn("klingai/", action["softwareAgent"]["name"])

    def test_a_batch_looks_for_the_command_first_and_its_report_has_no_arguments(self):
        (self.folder / "all.csv").write_text("prompt,output\na boat,boat.mp4\n")
        self.command("batch", self.folder / "all.csv", "--sign-with", "no-such-program", expect=3)
        self.command("batch", self.folder / "all.csv", "--sign-with", "", expect=2)
        self.command("generate", self.PROMPT, "-o", self.folder / "a.mp4", "--sign-with", "", expect=2)
        self.assertEqual(self.emulator.report()["tasks"], [])
        self.command("batch", self.folder / "all.csv", "--report", self.folder / "report", "--sign-with", "false --pin 1234-PIN", expect=1)
        for page in (self.folder / "report").iterdir():
            self.assertNotIn("1234-PIN", page.read_text())
        self.command("batch", self.folder / "all.csv")
        run = self.command("batch", self.folder / "all.csv", "--sign-with", "true")
        self.assertIn("not signed", run.stderr)

    def test_what_can_not_be_signed_is_refused_before_anything_is_bought(self):
        for options in (("-o", "-", "--sign-with", "true"), ("-o", self.folder / "stream", "--profile", "hls", "--sign-with", "true"),
                        ("-o", self.folder / "a.mp4", "--sign-with", "no-such-program")):
            self.command("generate", self.PROMPT, *options, expect=3)
        self.assertEqual(self.emulator.report()["tasks"], [])


del EndToEnd, Made  # which are no tests
if __name__ == "__main__":
    main()
