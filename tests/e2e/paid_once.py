#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""At most one purchase per request, whatever breaks: faults, several processes, stopped ones, bad disks and clocks."""

import contextlib
import http.server
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
import unittest
import urllib.request

import envelope
import marks
from support import BUILD, KEY, EndToEnd, Launch, main

CLIP = BUILD / "tests/clips/faststart.mp4"
COMMAND = BUILD / "tools/aimlvideo/aimlvideo"
PROMPT = "prompt=a cat on a roof"


class CutHost(http.server.ThreadingHTTPServer):
    """A clip's host that has a part of the clip, and takes it for all."""

    def __init__(self, content):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/clip.mp4"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class PaidOnce(EndToEnd):
    """A service whose log lists submissions at once, and whose clips are one ready file."""

    log_delay = "0"
    emulator_options = ("--clip", str(CLIP))

    def setUp(self):
        self.emulator_options = (*PaidOnce.emulator_options, "--log-delay", self.log_delay)
        super().setUp()
        self.fresh()

    def fresh(self):
        """Another user: an empty ledger and store, and a service that has sold nothing."""
        for folder in self.home.values():
            shutil.rmtree(folder, ignore_errors=True)
        self.call("POST", "/emulator/reset")
        self.clip = self.folder / "clip.mp4"
        self.clip.unlink(missing_ok=True)

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.emulator.url + path, data, method=method)) as answer:
            return answer.read()

    def faults(self, *rules):
        self.call("PUT", "/emulator/faults", [{"match": match, "fault": fault} for match, fault in rules])

    def purchases(self):
        return self.emulator.report()["billable"]

    def start(self, *properties, clip=None, options=("-q",), prefix=(), environment=None):
        arguments = ("aimlvideosrc", PROMPT, *properties, "!", "filesink", f"location={clip or self.clip}")
        return Launch(self.emulator, arguments, options, self.home | (environment or {}), prefix)

    def run_element(self, *properties, **keywords):
        """(whether there is the whole clip, what was said)"""
        clip = keywords.get("clip", self.clip)
        code, output = self.start(*properties, **keywords).end()
        whole = code == 0 and clip.exists() and marks.delivers(clip.read_bytes(), CLIP.read_bytes())
        return whole, output

    def command(self, *arguments, code=0):
        environment = dict(os.environ, AIMLAPI_KEY=KEY, AIMLAPI_BASE_URL=self.emulator.url, **self.home)
        result = subprocess.run([COMMAND, *arguments], env=environment, capture_output=True, text=True)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        self.assertNotIn(KEY, result.stdout + result.stderr)
        return result.stdout + result.stderr

    def answer(self, *arguments):
        return envelope.data(self.command(*arguments, "--json"))

    def jobs(self):
        return self.answer("jobs", "list")["jobs"]


CREATE = {"phase": "create", "nth": 1}
POLLS = {"phase": "poll", "from": 1, "to": 3}
CLIP_ONCE = {"phase": "clip", "nth": 1}

# name, rules, what an accepting service with a log that lists at once leads to: the clip, after one purchase
MENDED = [
    ("the answer is lost", [(CREATE, {"kind": "lost-after"})]),
    ("502 for what was accepted", [(CREATE, {"kind": "status", "status": 502, "accepted": True})]),
    ("500 for what was accepted", [(CREATE, {"kind": "status", "status": 500, "accepted": True})]),
    ("504 for what was accepted", [(CREATE, {"kind": "status", "status": 504, "accepted": True})]),
    ("408 for what was accepted", [(CREATE, {"kind": "status", "status": 408, "accepted": True})]),
    ("a reset after acceptance", [(CREATE, {"kind": "reset", "accepted": True})]),
    ("half an answer", [(CREATE, {"kind": "truncated", "bytes": 5})]),
    ("a web page for an answer", [(CREATE, {"kind": "html"})]),
    ("an empty answer", [(CREATE, {"kind": "empty"})]),
    ("half the JSON", [(CREATE, {"kind": "invalid-json"})]),
    ("429 with Retry-After", [(CREATE, {"kind": "status", "status": 429, "retry_after": 1})]),
    ("429 without Retry-After", [(CREATE, {"kind": "status", "status": 429})]),
    ("503 before acceptance", [(CREATE, {"kind": "status", "status": 503})]),
    ("413 before acceptance", [(CREATE, {"kind": "status", "status": 413})]),
    ("polls that fail with 503", [(POLLS, {"kind": "status", "status": 503})]),
    ("polls that are reset", [(POLLS, {"kind": "reset"})]),
    ("polls that bring a web page", [(POLLS, {"kind": "html"})]),
    ("polls without an answer", [(POLLS, {"kind": "lost-before"})]),
    ("polls with half an answer", [(POLLS, {"kind": "truncated"})]),
    ("a download that breaks", [(CLIP_ONCE, {"kind": "truncated", "bytes": 20000})]),
    ("a download that is reset", [(CLIP_ONCE, {"kind": "reset", "bytes": 20000})]),
    ("a link that has expired", [(CLIP_ONCE, {"kind": "expired-link"})]),
    ("a download that brings a web page", [(CLIP_ONCE, {"kind": "html"})]),
    ("a lost answer and a log that fails", [(CREATE, {"kind": "lost-after"}),
                                            ({"phase": "logs", "nth": 1}, {"kind": "status", "status": 503}),
                                            ({"phase": "logs", "nth": 2}, {"kind": "html"})]),
]


class Faults(PaidOnce):
    def test_every_fault_that_can_be_mended_costs_one_purchase(self):
        for name, rules in MENDED:
            with self.subTest(name):
                self.fresh()
                self.faults(*rules)
                whole, output = self.run_element("timeout=60")
                self.assertTrue(whole, output)
                self.assertEqual(self.purchases(), 1)
                # and the same line again costs nothing and asks nothing
                before = self.emulator.report()["requests"]
                self.assertTrue(self.run_element()[0])
                self.assertEqual(self.emulator.report()["requests"], before)

    def test_what_was_not_accepted_and_may_have_been_is_not_sent_again(self):
        for fault in ({"kind": "lost-before"}, {"kind": "status", "status": 502}):
            with self.subTest(fault):
                self.fresh()
                self.faults((CREATE, fault))
                for _ in range(2):
                    whole, output = self.run_element("timeout=2")
                    self.assertFalse(whole)
                    self.assertIn("aimlvideo jobs resolve 1", output)
                    self.assertEqual(self.emulator.report()["by_endpoint"].get("create", 1), 1)
                self.assertEqual(self.purchases(), 0)
                for number in ("1x", " 1", "1.0"):  # no other job is meant by a slip
                    self.assertIn("has no job", self.command("jobs", "resolve", number, "--not-bought", code=5))
                self.command("jobs", "resolve", "1", "--not-bought")
                whole, output = self.run_element()
                self.assertTrue(whole, output)
                self.assertEqual(self.purchases(), 1)

    def test_a_moderated_request_is_reported_once_and_not_sent_again(self):
        self.faults((CREATE, {"kind": "moderation", "message": "sensitive content"}))
        for _ in range(2):
            whole, output = self.run_element()
            self.assertFalse(whole)
            self.assertIn("sensitive content", output)
        self.assertEqual(self.purchases(), 1)
        self.assertTrue(self.run_element("reuse=none")[0])

    def test_a_failed_generation_is_not_billed_and_made_again(self):
        self.faults((CREATE, {"kind": "failure"}))
        self.assertFalse(self.run_element()[0])
        self.assertTrue(self.run_element()[0])
        self.assertEqual(self.purchases(), 2)
        self.assertEqual(self.jobs()[1]["state"], "failed")

    def test_a_timeout_is_gone_on_with(self):
        self.faults(({"phase": "poll"}, {"kind": "status", "status": 503}))
        whole, output = self.run_element("timeout=2")
        self.assertFalse(whole)
        self.assertIn("generation-id=", output)
        self.faults()
        whole, output = self.run_element()
        self.assertTrue(whole, output)
        self.assertEqual(self.purchases(), 1)


class LateLog(PaidOnce):
    log_delay = "1.5"

    def test_a_row_that_comes_late_is_waited_for(self):
        self.faults((CREATE, {"kind": "lost-after"}))
        whole, output = self.run_element("timeout=60", options=())
        self.assertTrue(whole, output)
        self.assertIn("looking up", output)
        self.assertEqual(self.purchases(), 1)


class LogAtCompletion(PaidOnce):
    log_delay = "completed"

    def test_a_row_that_comes_with_the_completion_is_waited_for(self):
        self.faults((CREATE, {"kind": "lost-after"}))
        whole, output = self.run_element("timeout=60")
        self.assertTrue(whole, output)
        self.assertEqual(self.purchases(), 1)


class NoLog(PaidOnce):
    log_delay = "3600"

    def test_without_a_row_it_is_settled_by_hand(self):
        self.faults((CREATE, {"kind": "lost-after"}))
        for _ in range(2):
            whole, output = self.run_element("timeout=2")
            self.assertFalse(whole)
            self.assertIn("client_request_id", output)
            self.assertEqual(self.purchases(), 1)
        bought = self.emulator.report()["tasks"][0]["id"]
        self.command("jobs", "resolve", "1", "--bought", bought)
        whole, output = self.run_element()
        self.assertTrue(whole, output)
        self.assertEqual(self.purchases(), 1)

    def test_resubmit_is_the_users_own_decision(self):
        self.faults((CREATE, {"kind": "lost-after"}))
        whole, output = self.run_element("timeout=2", "on-unknown=resubmit")
        self.assertTrue(whole, output)
        self.assertEqual(self.purchases(), 2)


class Processes(PaidOnce):
    def start_many(self, number):
        clips = [self.folder / f"clip{i}.mp4" for i in range(number)]
        return [(clip, self.start(clip=clip)) for clip in clips]

    def test_two_and_eight_at_once_make_one_purchase_and_all_deliver(self):
        for number in (2, 8):
            with self.subTest(number):
                self.fresh()
                for clip, process in self.start_many(number):
                    code, output = process.end()
                    self.assertEqual(code, 0, output)
                    self.assertTrue(marks.delivers(clip.read_bytes(), CLIP.read_bytes()))
                self.assertEqual(self.purchases(), 1)

    def wait_for_purchase(self):
        self.emulator.wait_until(lambda report: report["billable"] == 1, "a purchase")

    def test_a_second_process_takes_over_from_one_that_is_killed(self):
        self.faults(({"phase": "poll"}, {"kind": "status", "status": 503}))
        owner = self.start(clip=self.folder / "owner.mp4")
        self.wait_for_purchase()
        second = self.start(options=())
        second.wait_for("in use by process")
        self.faults()
        owner.process.kill()
        owner.end()
        code, output = second.end()
        self.assertEqual(code, 0, output)
        self.assertTrue(marks.delivers(self.clip.read_bytes(), CLIP.read_bytes()))
        self.assertEqual(self.purchases(), 1)

    def test_a_stopped_owner_keeps_its_purchase_to_itself(self):
        self.faults(({"phase": "poll", "from": 1, "to": 1}, {"kind": "stall"}))
        owner = self.start(clip=self.folder / "owner.mp4")
        self.wait_for_purchase()
        owner.process.send_signal(signal.SIGSTOP)
        whole, output = self.run_element("timeout=2")
        self.assertFalse(whole)
        self.assertIn(f"process {owner.process.pid}", output)
        owner.process.send_signal(signal.SIGCONT)
        self.call("POST", "/emulator/release")
        code, output = owner.end()
        self.assertEqual(code, 0, output)
        self.assertTrue(self.run_element()[0])
        self.assertEqual(self.purchases(), 1)

    @unittest.skipUnless(shutil.which("faketime"), "the command faketime is not installed")
    def test_a_clock_that_jumps_buys_nothing(self):
        for jump in ("+10d", "-10d"):
            with self.subTest(jump):
                self.fresh()
                self.faults((CREATE, {"kind": "lost-after"}), ({"phase": "logs"}, {"kind": "status", "status": 503}))
                first = self.start(options=())
                first.wait_for("looking up")
                first.process.kill()
                first.end()
                self.faults()
                whole, output = self.run_element("timeout=60", prefix=("faketime", "-f", jump),
                                                 environment={"FAKETIME_DONT_FAKE_MONOTONIC": "1",
                                                              "DONT_FAKE_MONOTONIC": "1"})
                self.assertTrue(whole, output)
                self.assertEqual(self.purchases(), 1)


class Disks(PaidOnce):
    def tmpfs(self, path, *options):
        path.mkdir(parents=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(("size=64k", *options)), "tmpfs", path],
                              capture_output=True, text=True)
        if done.returncode:
            self.skipTest("no tmpfs can be mounted here: " + done.stderr.strip())
        self.addCleanup(subprocess.run, ["umount", "-l", path])

    def test_a_read_only_state_folder_refuses_to_buy(self):
        state = self.folder / "state"
        self.tmpfs(state, "ro")
        whole, output = self.run_element()
        self.assertFalse(whole)
        self.assertIn("nothing was bought", output)
        self.assertIn(str(state), output)
        self.assertEqual(self.purchases(), 0)

    @unittest.skipUnless(os.geteuid() == 0, "only root can give a folder away")
    def test_a_state_folder_of_another_user_refuses_to_buy_for_root_too(self):
        state = self.folder / "state/aimlvideo"
        state.mkdir(parents=True, mode=0o700)
        os.chown(state, 65534, 65534)
        whole, output = self.run_element()
        self.assertFalse(whole)
        self.assertIn("belongs to another user", output)
        self.assertEqual(list(state.iterdir()), [])
        self.assertEqual(self.purchases(), 0)

    def test_a_full_state_folder_refuses_to_buy(self):
        state = self.folder / "state"
        self.tmpfs(state)
        with open(state / "filler", "wb", buffering=0) as filler:
            try:
                while filler.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        whole, output = self.run_element()
        self.assertFalse(whole)
        self.assertIn("nothing was bought", output)
        self.assertEqual(self.purchases(), 0)

    def test_a_full_cache_plays_the_clip_all_the_same(self):
        self.tmpfs(self.folder / "cache", "nr_inodes=64")
        whole, output = self.run_element()
        self.assertTrue(whole, output)
        self.assertTrue(self.run_element()[0])
        self.assertEqual(self.purchases(), 1)

    def test_a_damaged_ledger_is_kept_aside_and_said(self):
        self.assertTrue(self.run_element()[0])
        ledger = self.folder / "state/aimlvideo/ledger.sqlite3"
        ledger.write_bytes(b"not a database " * 1000)
        for leftover in ("-wal", "-shm"):
            ledger.with_name(ledger.name + leftover).unlink(missing_ok=True)
        whole, output = self.run_element("take=1")
        self.assertFalse(whole)
        self.assertIn("damaged", output)
        self.assertEqual(self.purchases(), 1)
        self.assertTrue(self.run_element("take=1")[0])
        self.assertIn("ledger.sqlite3.damaged-", self.command("jobs", "list"))


class Commands(PaidOnce):
    def test_jobs_lists_shows_resumes_and_forgets(self):
        self.assertTrue(self.run_element()[0])
        job = self.jobs()[0]
        self.assertEqual((job["state"], job["prompt"]), ("completed", "a cat on a roof"))
        self.assertIn("a cat on a roof", self.command("jobs"))
        self.assertIn(job["generation_id"], self.command("jobs", "show", "1"))
        self.assertIn("a cat on a roof", self.command("jobs", "show", "1"))
        self.command("jobs", "resume", "1", str(self.folder / "resumed.mp4"))
        self.assertTrue(marks.delivers((self.folder / "resumed.mp4").read_bytes(), CLIP.read_bytes()))
        (self.folder / "there.mp4").write_text("precious")
        self.assertIn("--force overwrites it",
                      self.command("jobs", "resume", "1", str(self.folder / "there.mp4"), code=3))
        self.assertEqual((self.folder / "there.mp4").read_text(), "precious")
        self.command("jobs", "resume", "1", str(self.folder / "there.mp4"), "--force")
        self.assertTrue(marks.delivers((self.folder / "there.mp4").read_bytes(), CLIP.read_bytes()))
        self.command("jobs", "forget", "1", code=3)
        self.command("jobs", "forget", "1", "--force")
        self.assertEqual(self.jobs(), [])
        self.assertEqual(self.purchases(), 1)
        self.command("jobs", "show", "1", code=5)
        self.command("jobs", "settle", "1", code=2)

    def test_what_there_is_of_a_clip_that_its_host_has_cut_is_resumed_to_a_file_when_asked(self):
        cut = CLIP.read_bytes()[:9000]
        with CutHost(cut) as host:
            self.faults(({"phase": "clip"}, {"kind": "moved-link", "target": host.url}))
            self.assertIn("--incomplete", self.run_element()[1])
            self.command("jobs", "resume", "1", str(self.folder / "resumed.mp4"), code=1)
            self.assertFalse((self.folder / "resumed.mp4").exists())
            self.command("jobs", "resume", "1", str(self.folder / "resumed.mp4"), "--incomplete")
        self.assertEqual((self.folder / "resumed.mp4").read_bytes(), cut)
        self.faults()
        self.command("jobs", "resume", "1", str(self.folder / "resumed.mp4"), "--incomplete", "--force")
        self.assertTrue(marks.delivers((self.folder / "resumed.mp4").read_bytes(), CLIP.read_bytes()))
        self.assertEqual(self.purchases(), 1)

    def test_an_unfinished_job_is_resumed_to_a_file_and_not_forgotten_by_mistake(self):
        self.faults(({"phase": "poll"}, {"kind": "status", "status": 503}))
        self.assertFalse(self.run_element("timeout=1")[0])
        self.assertEqual([job["state"] for job in self.answer("jobs", "list", "--unfinished")["jobs"]],
                         ["running"])
        self.command("jobs", "forget", "1", code=3)
        self.command("jobs", "resolve", "1", "--not-bought", code=3)
        self.faults()
        self.command("jobs", "resume", "1", str(self.clip), "--force")  # the pipeline has left an empty file there
        self.assertTrue(marks.delivers(self.clip.read_bytes(), CLIP.read_bytes()))
        self.assertEqual(self.purchases(), 1)

    def test_the_cache_is_listed_verified_and_pruned(self):
        self.assertTrue(self.run_element()[0])
        entry = self.answer("cache", "list")["files"][0]
        self.assertEqual(entry["size"], CLIP.stat().st_size)
        self.command("cache", "verify")
        with open(entry["file"], "r+b") as clip:
            clip.seek(5000)
            byte = clip.read(1)
            clip.seek(5000)
            clip.write(bytes([byte[0] ^ 1]))
        self.assertIn("1 were damaged", self.command("cache", "verify", code=1))
        whole, output = self.run_element()
        self.assertTrue(whole, output)
        self.assertEqual(self.purchases(), 1)
        self.assertIn("1 clips removed", self.command("cache", "prune", "--max-size", "0"))
        self.assertEqual(self.answer("cache", "size")["clips"], 0)

    def test_a_stored_clip_is_not_removed_because_it_was_touched(self):
        self.assertTrue(self.run_element()[0])
        with contextlib.closing(sqlite3.connect(self.folder / "state/aimlvideo/ledger.sqlite3")) as ledger:
            ledger.execute("UPDATE purchase SET clip_checksum = ''")  # the run ended before it was taken
            ledger.commit()
        clip = pathlib.Path(self.answer("cache", "list")["files"][0]["file"])
        os.utime(clip, (1_000_000_000, 1_000_000_000))
        self.assertIn("1 were damaged", self.command("cache", "verify", code=1))
        self.assertEqual(clip.read_bytes(), CLIP.read_bytes())


if __name__ == "__main__":
    main()
