#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a delivered file says of its origin, by readers that others wrote."""

import json
import pathlib
import subprocess

import marks
from support import IMAGE, EndToEnd, main

HOSTILE = '<script>alert("1")</script> & \'quoted\' ]]></rdf:RDF> \u05e9\u05dc\u05d5\u05dd \U0001f6a2 ' + "x" * 2000


class Provenance(EndToEnd):
    layout = "faststart"

    def setUp(self):
        self.emulator_options = ("--layout", self.layout)
        super().setUp()

    def clip(self, name, *properties):
        """What a line with these properties stores."""
        path = self.folder / name
        self.play("aimlvideosrc", *properties, "!", "filesink", f"location={path}")
        return path

    def facts(self, path):
        run = subprocess.run(["exiftool", "-json", "-G1", "-XMP:all", path], capture_output=True, text=True, check=True)
        return {name.split(":")[-1]: value for name, value in json.loads(run.stdout)[0].items()}

    def frames(self, path):
        """What every frame is, by FFmpeg's demuxer and decoder."""
        run = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-f", "framemd5", "-"], capture_output=True, check=True)
        return run.stdout

    def test_exiftool_reads_the_mark_and_ffmpeg_the_same_clip(self):
        marked = self.clip("marked.mp4", "prompt=a boat")
        plain = self.clip("plain.mp4", "prompt=a boat", "mark=none")
        self.assertTrue(marks.delivers(marked.read_bytes(), plain.read_bytes()))
        facts = self.facts(marked)
        self.assertEqual(facts["DigitalSourceType"], "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia")
        self.assertEqual(facts["Identifier"], self.emulator.report()["tasks"][0]["id"])
        self.assertEqual(facts["Description"], "Video made by a generative AI model")
        self.assertIn("klingai/video-v2-6-pro-text-to-video", facts["AISystemUsed"])
        self.assertNotIn("AIPromptInformation", facts)
        self.assertEqual(self.facts(plain).keys(), {"SourceFile"})
        self.assertEqual(self.frames(marked), self.frames(plain))

    def test_a_clip_made_from_a_picture_says_so(self):
        facts = self.facts(self.clip("mona.mp4", "prompt=glasses", f"image={IMAGE}"))
        self.assertTrue(facts["DigitalSourceType"].endswith("/compositeWithTrainedAlgorithmicMedia"))

    def test_the_prompt_goes_along_on_request_alone_and_as_it_is(self):
        (self.folder / "prompt.txt").write_text(HOSTILE)
        facts = self.facts(self.clip("hostile.mp4", f"prompt-file={self.folder}/prompt.txt", "prompt-tag=true"))
        self.assertEqual(facts["AIPromptInformation"], HOSTILE)

    def test_every_run_delivers_the_same_file(self):
        first = self.clip("first.mp4", "prompt=a boat").read_bytes()
        self.assertEqual(self.clip("again.mp4", "prompt=a boat", "prompt-tag=true").read_bytes(), first)
        for file in (pathlib.Path(self.home["XDG_CACHE_HOME"]) / "aimlvideo/clips").glob("*.mp4"):
            self.assertTrue(marks.delivers(first, file.read_bytes()))  # the store has the service's own
            file.unlink()
        self.assertEqual(self.clip("fetched.mp4", "prompt=a boat").read_bytes(), first)

    def test_a_demuxer_that_pulls_sees_the_clip_alone(self):
        for demuxer in ("qtdemux", "parsebin", "queue ! qtdemux"):
            with self.subTest(demuxer=demuxer):
                self.play("aimlvideosrc", "prompt=a boat", "!", *demuxer.split(), "!", "fakesink")


class AtTheEnd(Provenance):
    layout = "moov-last"


class InFragments(EndToEnd):
    emulator_options = ("--layout", "fragmented")

    def test_a_clip_that_ends_in_an_index_stays_as_it_is_and_says_why(self):
        path = self.folder / "clip.mp4"
        output = self.play("aimlvideosrc", "prompt=a boat", "!", "filesink", f"location={path}", options=("-m",))
        self.assertEqual(list(marks.boxes(path.read_bytes()))[-1][0], b"mfra")
        self.assertIn('unmarked=(string)"the\\ clip\\ ends\\ in\\ an\\ index\\ of\\ its\\ fragments', output)


del EndToEnd  # which is no test
if __name__ == "__main__":
    main()
