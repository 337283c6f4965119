#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`aimlvideo generate`: a prompt to a file, whole or not at all, and never bought twice."""

import fcntl
import json
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import termios
import urllib.request

import envelope
from support import IMAGE, KEY, EndToEnd, Launch, main

COMMAND = os.environ["AIMLVIDEO_COMMAND"]


class Generate(EndToEnd):
    emulator_options = ("--log-delay", "0")

    def environment(self, **more):
        return dict(os.environ, AIMLAPI_KEY=KEY, AIMLAPI_BASE_URL=self.emulator.url, **self.home) | more

    def generate(self, *arguments, code=0, **environment):
        run = subprocess.run([COMMAND, "generate", *map(str, arguments)], env=self.environment(**environment),
                             cwd=self.folder, capture_output=True, text=True, timeout=120)
        self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        self.assertNotIn(KEY, run.stdout + run.stderr)
        return run

    def start(self, *arguments):
        return Launch(self.emulator, ["generate", *map(str, arguments)], environment=self.home, program=COMMAND)

    def fault(self, phase, kind, **settings):
        self.rule({"match": {"phase": phase}, "fault": {"kind": kind, **settings}})

    def rule(self, rule):
        urllib.request.urlopen(self.emulator.url + "/emulator/faults", json.dumps(rule).encode()).close()

    def is_seen_to_generate(self):
        """However late the polls are: the first one is told so."""
        self.rule({"match": {"phase": "poll", "nth": 1}, "fault": {"kind": "unknown-state", "state": "generating"}})

    def no_faults(self):
        urllib.request.urlopen(urllib.request.Request(self.emulator.url + "/emulator/faults", method="DELETE")).close()

    def bought(self):
        return self.emulator.report()["billable"]

    def left_over(self):
        return [name for name in os.listdir(self.folder) if ".part-" in name]

    def test_a_clip_comes_as_it_is_and_the_name_of_the_file_is_printed(self):
        self.is_seen_to_generate()
        run = self.generate("-p", "A boat", "-i", IMAGE, "-o", "boat.mp4")
        self.assertEqual(run.stdout, "boat.mp4\n")
        self.assertIn("generating\n", run.stderr)
        self.assertNotIn("\033", run.stderr)
        self.assertEqual(set(self.probe(self.folder / "boat.mp4")), {"video", "audio"})
        self.assertEqual(self.left_over(), [])
        self.assertEqual(self.bought(), 1)

    def test_the_prompt_may_stand_alone_and_the_name_says_what_is_made(self):
        for output, video in (("a.webm", "vp9"), ("a.mp4", "h264"), ("a.mov", "prores"), ("a.JPG", "mjpeg"), ("a.jpeg", "mjpeg")):
            with self.subTest(output=output):
                self.generate("A boat", "-o", output)
                self.assertEqual(self.probe(self.folder / output)["video"]["codec_name"], video)
        self.generate("A boat", "-o", "poster.m4v", "--profile", "poster")
        self.assertEqual(self.probe(self.folder / "poster.m4v")["video"]["codec_name"], "mjpeg")
        self.assertIn("twice", self.generate("A boat", "-p", "A ship", "-o", "b.mp4", code=2).stderr)
        self.assertIn("quotes", self.generate("A", "boat", "-o", "b.mp4", code=2).stderr)
        refused = self.generate("A ship", "-o", "b.avi", code=3).stderr
        self.assertIn("no profile makes .avi. Name a file with one of .mp4, .webm, .mov, .jpg, or choose a --profile", refused)
        self.assertEqual(self.bought(), 1)

    def test_without_a_name_the_prompt_gives_one_that_is_free(self):
        self.assertEqual(self.generate("A boat, 紙の船 🚀!").stdout, "a-boat-紙の船.mp4\n")
        (self.folder / "a-boat-紙の船-2.mp4").symlink_to("nowhere")
        run = self.generate("A boat, 紙の船 🚀!", "--force")
        self.assertEqual(run.stdout, "a-boat-紙の船-3.mp4\n")
        self.assertEqual(self.generate("A boat, 紙の船 🚀!", "--profile", "hls").stdout, "a-boat-紙の船\n")
        (self.folder / "prompt.txt").write_text("../../A ship\n")
        self.assertEqual(self.generate("--prompt-file", "prompt.txt").stdout, "a-ship.mp4\n")
        self.assertEqual(self.bought(), 2)

    def to_standard_output(self, *arguments, into=subprocess.PIPE, code=0):
        run = subprocess.run([COMMAND, "generate", *arguments, "-o", "-"], stdout=into, stderr=subprocess.PIPE,
                             env=self.environment(TERM="xterm"), cwd=self.folder, timeout=60)
        self.assertEqual(run.returncode, code, run.stderr)
        return run

    def test_standard_output_gets_the_clip_and_nothing_else(self):
        self.generate("A boat", "-o", "a.mp4")
        self.assertEqual(self.to_standard_output("A boat").stdout, (self.folder / "a.mp4").read_bytes())
        for profile in ("webm", "h264", "poster"):
            with self.subTest(profile=profile):
                before = set(os.listdir(self.folder))
                data = self.to_standard_output("A boat", "--profile", profile, "--temp-dir", str(self.folder)).stdout
                self.assertEqual(set(os.listdir(self.folder)), before)
                (self.folder / "whole").write_bytes(data)
                self.assertIn("video", self.probe(self.folder / "whole"))
        with open(self.folder / "appended", "ab") as file:
            file.write(b"before")
            file.flush()
            self.to_standard_output("A boat", into=file)
        self.assertEqual((self.folder / "appended").read_bytes(), b"before" + (self.folder / "a.mp4").read_bytes())
        for arguments in (("--json",), ("--count", "2")):
            self.to_standard_output("A boat", *arguments, code=2)
        self.to_standard_output("A boat", "--profile", "hls", code=3)
        self.assertEqual(self.bought(), 1)

    def test_a_clip_is_not_written_to_a_terminal_and_a_reader_may_go(self):
        master, slave = pty.openpty()
        self.to_standard_output("A boat", into=slave, code=2)
        os.close(slave)
        os.close(master)
        self.assertEqual(self.bought(), 0)
        for _ in ("bought", "replayed"):
            reader, writer = os.pipe()
            os.close(reader)
            run = self.to_standard_output("A boat", into=writer, code=1)
            os.close(writer)
            self.assertIn(b"the clip is kept", run.stderr)
        self.generate("A boat", "-o", "a.mp4")
        self.assertEqual(self.bought(), 1)

    def test_takes_are_bought_one_by_one_and_named_by_their_numbers(self):
        run = self.generate("A boat", "-o", "boat-{take}.mp4", "--count", "3", "--take", "2")
        self.assertEqual(sorted(run.stdout.split()), ["boat-2.mp4", "boat-3.mp4", "boat-4.mp4"])
        self.assertIn("3 takes, 3 to be bought for about 1.365 USD in all\n", run.stderr)
        self.assertEqual(self.bought(), 3)
        # some are there, some are paid for, and one is neither
        (self.folder / "boat-3.mp4").unlink()
        run = self.generate("A boat", "-o", "boat-{take}.mp4", "--count", "4", "--take", "1", "--max-cost", "0.455")
        self.assertEqual(sorted(run.stdout.split()), [f"boat-{take}.mp4" for take in (1, 2, 3, 4)])
        self.assertIn("boat-2.mp4 is there already\n", run.stderr)
        self.assertIn("4 takes, 1 to be bought for about 0.455 USD in all\n", run.stderr)
        self.assertEqual(self.bought(), 4)
        (self.folder / "boat-9.mp4").write_text("precious")
        self.generate("A boat", "-o", "boat-{take}.mp4", "--count", "2", "--take", "9", code=3)
        self.generate("A boat", "-o", "boat.mp4", "--count", "2", code=2)
        for count in ("0", "101"):
            self.generate("A boat", "-o", "{take}.mp4", "--count", count, code=2)
        self.assertEqual(self.bought(), 4)

    def test_a_cap_is_for_all_takes_together(self):
        run = self.generate("A boat", "-o", "{take}.mp4", "--count", "3", "--max-cost", "1.3", code=3)
        self.assertIn("3 takes would be above max-cost (1.30 USD): they are estimated at 1.365 USD in all", run.stderr)
        self.assertEqual(self.bought(), 0)
        self.generate("A boat", "-o", "{take}.mp4", "--count", "3", "--max-cost", "1.365")
        self.assertEqual(self.bought(), 3)

    def test_takes_tell_programs_which_one_they_are(self):
        lines = envelope.envelopes(self.generate("A boat", "-o", "{take}.mp4", "--count", "2", "--json").stdout)
        ended = {line["data"]["take"]: line["data"]["output"] for line in lines if line.get("event") == "finished"}
        self.assertEqual(ended, {0: "0.mp4", 1: "1.mp4"})
        self.assertEqual(lines[-1]["event"], "summary")
        self.assertEqual(lines[-1]["data"], {"takes": 2, "made": 2, "usd_spent": 0.91})

    def test_what_all_takes_are_warned_of_is_said_once(self):
        run = self.generate("A boat", "-o", "{take}.mp4", "--count", "3", "--parameters", '{"lighting": 1}', code=3)
        self.assertEqual(run.stderr.count("has no parameter lighting"), 1)

    def test_takes_that_are_interrupted_are_resumed_by_the_same_command(self):
        self.fault("poll", "status", status=503)
        run = self.start("A boat", "-o", self.folder / "{take}.mp4", "--count", "2")
        self.emulator.wait_until(lambda report: report["billable"] == 2, "two purchases")
        run.interrupt()
        code, output = run.end()
        self.assertEqual(code, 130)
        self.assertIn("Run the same command again to resume", output)
        self.no_faults()
        self.generate("A boat", "-o", self.folder / "{take}.mp4", "--count", "2")
        self.assertEqual(self.bought(), 2)

    def test_a_take_that_fails_stops_no_other(self):
        self.rule({"match": {"phase": "create", "nth": 1}, "fault": {"kind": "moderation"}})
        run = self.generate("A boat", "-o", "{take}.mp4", "--count", "2", code=1)
        self.assertEqual(len(run.stdout.split()), 1)
        self.assertRegex(run.stderr, r"aimlvideo: [01]\.mp4: the service refused the contents of the request")

    def test_a_dry_run_checks_all_and_says_what_is_paid_for(self):
        self.assertIn("It will cost about 0.455 USD", self.generate("A boat", "-o", "a.mp4", "--dry-run", AIMLAPI_KEY="").stdout)
        self.generate("A boat", "-o", "a.avi", "--dry-run", code=3)
        self.generate("A boat", "-o", "a.mp4", "--dry-run", "--max-cost", "0.1", code=3)
        self.assertEqual((self.bought(), self.left_over()), (0, []))
        self.generate("A boat", "-o", "a.mp4")
        text = self.generate("A boat", "-o", "b.mp4", "--dry-run", "--max-cost", "0.1").stdout
        self.assertIn("It is paid for: job 1 has its clip, which costs nothing again.\nIt costs nothing.\n", text)
        text = self.generate("A boat", "-o", "{take}.webm", "--count", "3", "--dry-run").stdout
        self.assertIn("2 of 3 takes are to be bought, for about 0.91 USD in all. Each costs about 0.455 USD", text)
        facts = envelope.data(self.generate("A boat", "--count", "2", "--dry-run", "--json").stdout)
        self.assertEqual((facts["usd_estimated"], facts["paid_for"]), (0.455, False))
        self.assertEqual(facts["takes"], [{"take": 0, "paid_for": True, "job": 1}, {"take": 1, "paid_for": False}])
        self.assertFalse((self.folder / "b.mp4").exists())
        self.fault("poll", "status", status=503)
        self.generate("A ship", "-o", "c.mp4", "--timeout", "1", code=7)
        self.assertIn("is under way, and a run waits for it.\nIt costs nothing.", self.generate("A ship", "--dry-run").stdout)
        self.assertIn("It will cost about", self.generate("A ship", "--dry-run", "--reuse", "none").stdout)

    def test_a_model_that_the_service_lacks_is_answered_with_the_nearest(self):
        run = self.generate("A boat", "-o", "a.mp4", "-m", "klingai/video-v2.6-pro-txt-to-video", code=5)
        self.assertTrue(run.stderr.endswith("Did you mean the model klingai/video-v2-6-pro-text-to-video?\n"), run.stderr)

    def test_a_clip_as_it_comes_needs_no_element_of_gstreamer(self):
        bare = {"GST_PLUGIN_SYSTEM_PATH": str(self.folder), "GST_PLUGIN_PATH": str(self.folder),
                "GST_REGISTRY": str(self.folder / "bare.registry")}
        self.generate("-p", "A boat", "-o", "boat.mp4", **bare)
        self.generate("-p", "A boat", "-o", "again.mp4")
        self.assertEqual((self.folder / "boat.mp4").read_bytes(), (self.folder / "again.mp4").read_bytes())
        self.assertEqual(self.bought(), 1)

    def test_every_profile_makes_what_it_says_and_buys_once(self):
        for profile, output, video, audio in (("h264", "a.mp4", "h264", "aac"), ("webm", "a.webm", "vp9", "opus"),
                                              ("prores", "a.mov", "prores", "pcm_s16le"), ("poster", "a.jpg", "mjpeg", None),
                                              ("hls", "a", "h264", "aac")):
            with self.subTest(profile=profile):
                self.generate("-p", "A boat", "--profile", profile, "-o", output)
                streams = self.probe(self.folder / (output + "/index.m3u8" if profile == "hls" else output))
                self.assertEqual(streams["video"]["codec_name"], video)
                self.assertEqual(streams.get("audio", {}).get("codec_name"), audio)
        self.assertIn("#EXT-X-ENDLIST", (self.folder / "a/index.m3u8").read_text())
        self.assertEqual(self.left_over(), [])
        self.assertEqual(self.bought(), 1)

    def test_a_clip_without_sound_gets_silence_where_the_profile_needs_it(self):
        for profile, output, sound in (("h264", "a.mp4", True), ("hls", "a", True), ("webm", "a.webm", False),
                                       ("prores", "a.mov", False)):
            with self.subTest(profile=profile):
                self.generate("-p", "Silence", "--generate-audio", "false", "--profile", profile, "-o", output)
                streams = self.probe(self.folder / (output + "/index.m3u8" if profile == "hls" else output))
                self.assertEqual("audio" in streams, sound)
        streams = self.probe(self.folder / "a.mp4")
        self.assertAlmostEqual(float(streams["audio"]["duration"]), float(streams["video"]["duration"]), delta=0.1)

    def test_size_and_rate_are_normalised(self):
        self.generate("-p", "A boat", "--profile", "h264", "--size", "320x320", "--rate", "30", "-o", "a.mp4")
        video = self.probe(self.folder / "a.mp4")["video"]
        self.assertEqual((video["width"], video["height"], video["r_frame_rate"]), (320, 320, "30/1"))

    def test_what_can_not_be_written_is_refused_before_anything_is_bought(self):
        (self.folder / "there.mp4").write_text("precious")
        (self.folder / "folder").mkdir()
        (self.folder / "folder/precious.txt").write_text("precious")
        for code, output, more in ((3, "there.mp4", ()), (5, "no/such/folder.mp4", ()), (3, "folder", ("--force",)),
                                   (3, "folder", ("--force", "--profile", "hls")), (3, "a.m3u8", ("--profile", "hls")),
                                   (3, "a.avi", ()), (3, "a", ()), (3, "a.webm", ("--profile", "mp4")), (3, "a.jpg", ("--profile", "webm")), (3, "a.MOV", ("--profile", "hls"))):
            with self.subTest(output=output, more=more):
                self.generate("-p", "A boat", "-o", output, *more, code=code)
        self.assertEqual((self.folder / "there.mp4").read_text(), "precious")
        self.assertEqual((self.folder / "folder/precious.txt").read_text(), "precious")
        self.assertEqual(self.bought(), 0)
        self.generate("-p", "A boat", "-o", "there.mp4", "--force")
        self.assertIn("video", self.probe(self.folder / "there.mp4"))

    def test_a_stream_is_replaced_as_a_whole_with_force(self):
        self.generate("-p", "A boat", "--profile", "hls", "-o", "a")
        before = os.stat(self.folder / "a").st_ino
        self.generate("-p", "A boat", "--profile", "hls", "-o", "a", code=3)
        self.generate("-p", "A boat", "--profile", "hls", "-o", "a", "--force")
        self.assertNotEqual(os.stat(self.folder / "a").st_ino, before)
        self.assertEqual(self.left_over(), [])

    def test_mistakes_have_exit_codes(self):
        for code, arguments in ((2, ("-o", "")), (2, ("-o", "a.mp4", "--durration", "5")), (2, ("-o", "a.mp4", "--duration", "x")),
                                (2, ("-o", "a.mp4", "--endpoint", "other")), (2, ("-o", "a.mp4", "--profile", "avi")),
                                (2, ("-o", "a.mp4", "--size", "3x3")), (3, ("-o", "a.mp4", "-d", "7")),
                                (3, ("-o", "a.mp4", "--max-cost", "0.01"))):
            with self.subTest(arguments=arguments):
                self.generate("-p", "A boat", *arguments, code=code)
        self.generate("-p", "A boat", "-o", "a.mp4", code=4, AIMLAPI_KEY="")
        self.generate("-p", "A boat", "-o", "a.mp4", "--timeout", "1", "--base-url", "http://127.0.0.1:1", code=6)
        self.generate("-p", "A boat", "-i", "no.jpg", "-o", "a.mp4", code=5)
        bare = {"GST_PLUGIN_SYSTEM_PATH": str(self.folder), "GST_REGISTRY": str(self.folder / "bare.registry")}
        run = self.generate("-p", "A boat", "-o", "a.webm", "--profile", "webm", code=5, **bare)
        self.assertIn("can't be used: GStreamer has no ", run.stderr)
        self.assertIn("vp9enc", run.stderr)
        self.assertEqual(self.bought(), 0)
        self.fault("create", "moderation")
        self.generate("-p", "A boat", "-o", "a.mp4", code=1)
        self.assertFalse((self.folder / "a.mp4").exists())
        self.assertEqual(self.left_over(), [])

    def test_json_lines_tell_the_progress_and_the_end(self):
        lines = envelope.envelopes(self.generate("-p", "A boat", "-o", "a.mp4", "--json").stdout)
        self.assertEqual({line["event"] for line in lines[:-1]}, {"progress"})
        self.assertEqual((lines[-1]["event"], lines[-1]["data"]["output"], lines[-1]["data"]["origin"]), ("finished", "a.mp4", "bought"))
        self.assertGreater(lines[-1]["data"]["usd_spent"], 0)
        run = self.generate("-p", "A boat", "-d", "7", "-o", "b.mp4", "--json", code=3)
        failed = envelope.answer(run.stdout)
        self.assertEqual((failed["event"], failed["error"]["code"], failed["error"]["exit_code"]), ("failed", "bad-request", 3))

    def on_a_terminal(self, *arguments, until=None, columns=80, **environment):
        """What a terminal gets, to the end or until a pattern is seen: then it is interrupted. (exit code, text)"""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen([COMMAND, "generate", *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=slave,
                                   env=self.environment(TERM="xterm", **environment), cwd=self.folder)
        os.close(slave)
        output = b""
        with open(master, "rb", buffering=0) as terminal:
            try:
                while data := terminal.read(4096):
                    output += data
                    if until and re.search(until, output.decode(errors="replace")):
                        process.send_signal(signal.SIGINT)
                        until = None
            except OSError:
                pass  # how a terminal ends
        return process.wait(60), output.decode()

    def test_a_terminal_gets_a_bar(self):
        self.is_seen_to_generate()
        code, output = self.on_a_terminal("-p", "A boat", "-o", "a.mp4")
        self.assertEqual(code, 0)
        self.assertRegex(output, r"\[#* *\] +\d+ %  generating  \d:\d\d")
        self.assertTrue(output.endswith("\033[J"))

    def test_the_bar_ticks_between_two_polls(self):
        self.fault("poll", "status", status=503)
        code, output = self.on_a_terminal("-p", "A boat", "-o", "a.mp4", "--poll-interval", "60000", until="0:04")
        self.assertEqual(code, 130)
        shown = re.findall(r"(\d+) %  \w+  0:(\d\d), (\d+):(\d\d) left", output)
        seconds = [int(second) for _, second, _, _ in shown]
        self.assertGreaterEqual(set(seconds), {1, 2, 3})
        left = [60 * int(minutes) + int(rest) for _, _, minutes, rest in shown]
        self.assertEqual((seconds, left), (sorted(seconds), sorted(left, reverse=True)))
        for (percent, _, _, _), passed, rest in zip(shown, seconds, left):
            self.assertAlmostEqual(int(percent), 95 * passed / (passed + rest), delta=1)

    def test_a_narrow_terminal_gets_what_fits(self):
        for columns in (20, 40, 59):
            code, output = self.on_a_terminal("-p", f"A boat {columns}", "-o", f"{columns}.mp4", columns=columns)
            self.assertEqual(code, 0)
            for line in re.findall(r"[^\r\n\033]*%[^\r\n\033]*", output):
                self.assertLess(len(line), columns)

    def test_quiet_says_what_was_made_and_what_went_wrong(self):
        run = self.generate("-p", "A boat", "-o", "a.mp4", "--quiet")
        self.assertEqual((run.stdout, run.stderr), ("a.mp4\n", ""))
        self.assertEqual(self.on_a_terminal("-p", "A boat", "-o", "b.mp4", "-q"), (0, ""))
        self.assertIn("exists already", self.generate("-p", "A boat", "-o", "a.mp4", "--quiet", code=3).stderr)

    def test_an_interruption_leaves_a_job_that_two_commands_go_on_with(self):
        self.fault("poll", "status", status=503)
        run = self.start("-p", "A boat", "-o", self.folder / "a.mp4")
        run.wait_for("queued")
        run.interrupt()
        code, output = run.end()
        self.assertEqual(code, 130)
        self.assertIn("Run the same command again", output)
        hint = re.search(r"aimlvideo (jobs resume \d+) \S*a\.mp4", output)
        self.assertTrue(hint, output)
        self.assertEqual(self.left_over(), [])
        self.assertFalse((self.folder / "a.mp4").exists())
        self.generate("-p", "A boat", "-o", "a.mp4", "--timeout", "1", code=7)
        self.no_faults()
        subprocess.run([COMMAND, *hint[1].split(), "b.mp4"], env=self.environment(), cwd=self.folder, check=True,
                       capture_output=True)
        self.generate("-p", "A boat", "-o", "a.mp4")
        self.assertEqual((self.folder / "a.mp4").read_bytes(), (self.folder / "b.mp4").read_bytes())
        self.assertEqual(self.bought(), 1)

    def test_nothing_that_lies_in_the_way_is_followed_or_emptied(self):
        victim = self.folder / "victim"
        victim.mkdir()
        (victim / "precious").write_text("precious")
        (victim / "aimlvideo-work-folder").touch()
        # such names may be anything: a folder of one's own, a link, a folder that another user has prepared
        mine = self.folder / ".a.webm.part-abcdef"
        mine.mkdir(mode=0o700)
        (mine / "precious").write_text("precious")
        (self.folder / ".a.webm.part-ghijkl").symlink_to(victim)
        (self.folder / ".a.webm.part").symlink_to(victim)
        open_one = self.folder / ".a.webm.part-mnopqr"
        shutil.copytree(victim, open_one)
        os.chmod(open_one, 0o755)
        others = self.folder / ".a.webm.part-stuvwx"
        others.mkdir(mode=0o700)
        for name in ("clip", "result"):
            (others / name).symlink_to(victim / "precious")
        (others / "aimlvideo-work-folder").touch()
        if os.geteuid() == 0:
            os.chown(others, 65534, 65534)
        else:
            shutil.rmtree(others)
        before = self.left_over()
        for profile, output in (("webm", "a.webm"), ("mp4", "a.mp4"), ("hls", "a")):
            self.generate("-p", "A boat", "--profile", profile, "-o", output)
        self.assertEqual(self.left_over(), before)
        for folder in (victim, mine, open_one):
            self.assertEqual((folder / "precious").read_text(), "precious")

    def test_force_does_not_replace_what_the_clip_is_made_from(self):
        shutil.copy(IMAGE, self.folder / "mona.jpg")
        (self.folder / "link.jpg").symlink_to("mona.jpg")
        (self.folder / "prompt.txt").write_text("A boat")
        for arguments in (("-p", "A boat", "-i", "mona.jpg", "-o", "mona.jpg", "--profile", "poster"),
                          ("-p", "A boat", "-i", "link.jpg", "-o", "./mona.jpg", "--profile", "poster"),
                          ("-p", "A boat", "-i", "link.jpg", "-o", "link.jpg", "--profile", "poster"),
                          ("--prompt-file", "prompt.txt", "-o", "prompt.txt", "--profile", "mp4")):
            with self.subTest(arguments=arguments):
                run = self.generate(*arguments, "--force", code=3)
                self.assertIn("one of the files that this is made from", run.stderr)
        self.assertEqual((self.folder / "mona.jpg").read_bytes(), IMAGE.read_bytes())
        self.assertEqual(self.bought(), 0)

    def test_a_cap_that_is_no_amount_is_refused(self):
        for amount in ("nan", "-1", "ten"):
            with self.subTest(amount=amount):
                self.generate("-p", "A boat", "-o", "a.mp4", f"--max-cost={amount}", code=2)
        self.assertEqual(self.bought(), 0)

    def test_what_kill_9_leaves_is_cleaned_up_by_the_next_run(self):
        self.fault("clip", "stall", bytes=1000)
        run = self.start("-p", "A boat", "-o", self.folder / "a.mp4")
        run.wait_for("downloading")
        run.process.send_signal(signal.SIGKILL)
        run.end()
        self.assertRegex(" ".join(self.left_over()), r"^\.a\.mp4\.part-\w{6}$")
        self.assertFalse((self.folder / "a.mp4").exists())
        self.no_faults()
        self.generate("-p", "A boat", "-o", "a.mp4")
        self.assertEqual(self.left_over(), [])
        self.assertEqual(self.bought(), 1)


if __name__ == "__main__":
    main()
