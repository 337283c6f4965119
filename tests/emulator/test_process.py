#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The emulator as a process: how it starts and ends, what it forgets, and that rude clients do not disturb it."""

import os
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import unittest
import urllib.parse
import urllib.request

from harness import ANY_CLIP, BINARY, DEADLINE, TEXT_MODEL, UNIVERSAL, Emulator, EmulatorTest, until


def run(*options):
    return subprocess.run([BINARY, *options], capture_output=True, text=True, timeout=DEADLINE)


class Start(unittest.TestCase):
    def test_a_port_in_use_is_named(self):
        with Emulator(*ANY_CLIP) as emulator:
            port = str(urllib.parse.urlsplit(emulator.base).port)
            second = run("--port", port, *ANY_CLIP)
            self.assertEqual(second.returncode, 1)
            self.assertIn("127.0.0.1:" + port, second.stderr)
            self.assertIn("in use", second.stderr)

    def test_an_option_that_makes_no_sense_is_explained(self):
        for options, word in ((["--layout", "round"], "faststart, moov-last, fragmented"), (["--bind", "0.0.0.0"], "--allow-remote"),
                              (["--tls", "cert"], "CERT KEY"), (["--generation-time", "soon"], "number of seconds"),
                              (["--bandwidth", "fast"], "2.5M"), (["--state-spelling", "lost=x"], "completed"),
                              (["--unknown-keys", "keep"], "ignore, warn, refuse"), (["--log-delay", "later"], "--log-delay"), (["--history", "0"], "--history"),
                              (["--clip", "/nonexistent.mp4"], "/nonexistent.mp4"), (["--what"], "--what"),
                              (["--scenario", "/nonexistent.json"], "/nonexistent.json"), (["stray"], "stray")):
            with self.subTest(options):
                result = run("--port", "0", *options)
                self.assertEqual((result.returncode, result.stdout), (1, ""))
                self.assertIn(word, result.stderr)

    def test_the_version_is_told(self):
        self.assertRegex(run("--version").stdout, r"^aimlapi-emulator \d+\.\d+\.\d+\n$")

    def test_it_speaks_tls_with_a_given_certificate(self):
        with tempfile.TemporaryDirectory() as folder:
            certificate, key = folder + "/cert.pem", folder + "/key.pem"
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
                            "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
                           check=True, capture_output=True)
            with Emulator(*ANY_CLIP, "--tls", certificate, key) as emulator:
                self.assertTrue(emulator.base.startswith("https://127.0.0.1:"), emulator.base)
                trust = ssl.create_default_context(cafile=certificate)
                emulator.opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=trust))
                url = emulator.clip_url()
                self.assertTrue(url.startswith(emulator.base + "/clips/"), url)
                self.assertEqual(emulator.call("GET", url, key=None).status, 200)


class End(unittest.TestCase):
    def test_a_signal_ends_it_cleanly_with_everything_under_way(self):
        for sig in (signal.SIGTERM, signal.SIGINT):
            # full size: what waits to be rendered would take minutes
            with self.subTest(sig), Emulator("--render-size", "0") as emulator:
                for i in range(30):
                    emulator.create(prompt=f"number {i}")
                emulator.fault("models", "stall")
                parts = urllib.parse.urlsplit(emulator.base)
                with socket.create_connection((parts.hostname, parts.port)) as stalled, \
                     socket.create_connection((parts.hostname, parts.port)) as half:
                    stalled.sendall(b"GET /v1/models HTTP/1.1\r\nHost: h\r\n\r\n")
                    half.sendall(b"POST /v2/video/generations HTTP/1.1\r\nHost: h\r\nContent-Length: 500\r\n\r\n{")
                    until(lambda: emulator.report()["faults"].get("stall"), "the stall")
                    emulator.process.send_signal(sig)
                    self.assertEqual(emulator.process.wait(20), 0)
                    self.assertEqual(stalled.recv(1), b"")
                emulator.stop = emulator.process.stdout.close

    def test_nothing_is_left_in_the_temporary_folder(self):
        with tempfile.TemporaryDirectory() as folder:
            before = os.environ.get("TMPDIR")
            os.environ["TMPDIR"] = folder
            try:
                with Emulator() as emulator:
                    emulator.create()
                    until(lambda: os.listdir(folder), "its folder")
            finally:
                del os.environ["TMPDIR"]
                if before is not None:
                    os.environ["TMPDIR"] = before
            self.assertEqual(os.listdir(folder), [])


class Reset(EmulatorTest):
    def test_a_reset_stops_what_is_under_way(self):
        before = self.emulator.report()["rendered"]
        self.emulator.fault("create", "stall", nth=41)
        ids = [self.emulator.create(prompt=f"reset {i}").json["id"] for i in range(40)]
        parts = urllib.parse.urlsplit(self.emulator.base)
        body = b'{"model": "%s", "prompt": "stalled"}' % TEXT_MODEL.encode()
        with socket.create_connection((parts.hostname, parts.port), timeout=DEADLINE) as stalled:
            stalled.sendall(b"POST %s HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer k\r\nContent-Length: %d\r\n\r\n%s" %
                            (UNIVERSAL.encode(), len(body), body))
            until(lambda: self.emulator.report()["faults"].get("stall"), "the stall")
            self.emulator.call("POST", "/emulator/reset", key=None)
            self.assertEqual(stalled.recv(1), b"")
        self.assertEqual(self.emulator.poll(ids[0]).status, 404)
        usd = self.emulator.create(prompt="afterwards").json["meta"]["usage"]["usd_spent"]
        until(lambda: self.emulator.report()["unfinished"] == 0, "the end of the new one")
        report = self.emulator.report()
        self.assertLess(report["rendered"] - before, 40)
        self.assertEqual((report["billable"], report["usd"], len(report["tasks"]), report["rules"]), (1, usd, 1, []))
        rows = self.emulator.call("GET", "/v2/logs?period=24h&limit=100").json["data"]
        self.assertFalse({row["inference_id"] for row in rows} & set(ids))

    def test_a_create_that_waits_for_its_clip_is_answered(self):
        self.emulator.faults({"match": {"phase": "create", "nth": 41}, "fault": {"kind": "completed-at-once"}})
        for i in range(40):
            self.emulator.create(prompt=f"waiting {i}")
        import threading
        statuses = []
        thread = threading.Thread(target=lambda: statuses.append(self.emulator.create(prompt="at once").json["status"]))
        thread.start()
        until(lambda: len(self.emulator.report()["tasks"]) == 41, "the create")
        self.emulator.call("POST", "/emulator/reset", key=None)
        thread.join()
        self.assertEqual(statuses, ["error"])


class History(EmulatorTest):
    options = (*ANY_CLIP, "--history", "5", "--generation-time", "0")

    def test_the_oldest_ended_tasks_are_forgotten_and_running_ones_never(self):
        self.emulator.fault("create", "endless")
        endless = self.emulator.create().json["id"]
        ids = [self.emulator.create(prompt=str(i)).json["id"] for i in range(20)]
        until(lambda: self.emulator.report()["unfinished"] == 1, "the ends")
        self.assertEqual([task["id"] for task in self.emulator.report()["tasks"]], [endless, *ids[-5:]])
        self.assertEqual(self.emulator.poll(ids[0]).status, 404)
        self.assertEqual(self.emulator.poll(endless).json["status"], "generating")
        self.assertEqual(self.emulator.report()["billable"], 21)


class RudeClients(EmulatorTest):
    options = (*ANY_CLIP, "--latency", "0.05", "--bandwidth", "2k")

    def leave(self, request, wait_for_bytes=0):
        """Sends the request, reads so many bytes of the answer and is gone, with a reset."""
        parts = urllib.parse.urlsplit(self.emulator.base)
        connection = socket.create_connection((parts.hostname, parts.port), timeout=DEADLINE)
        connection.sendall(request)
        received = 0
        while received < wait_for_bytes:
            received += len(connection.recv(100))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    def test_a_client_that_is_killed_at_any_moment_disturbs_no_other(self):
        body = b'{"model": "%s", "prompt": "killed"}' % TEXT_MODEL.encode()
        head = b"POST %s HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer k\r\nContent-Length: %d\r\n\r\n" % (UNIVERSAL.encode(), len(body))
        target = self.emulator.clip_url()[len(self.emulator.base):].encode()
        clip = b"GET %s HTTP/1.1\r\nHost: h\r\n\r\n" % target
        models = b"GET /v1/models?include=pricing HTTP/1.1\r\nHost: h\r\n\r\n"
        for _ in range(10):
            self.leave(b"")
            self.leave(head[:40])
            self.leave(head + body[:10])
            self.leave(head + body)
            self.leave(b"\x16\x03\x01 no http \x00\xff\r\n\r\n")
            self.leave(models, 200)
            self.leave(clip)
            self.leave(clip, 600)
        for kind in ("stall", "slow", "reset", "lost-after", "truncated", "chunked"):
            self.emulator.faults({"match": {"phase": "clip"}, "fault": {"kind": kind}})
            self.leave(clip)
        self.emulator.faults()
        self.assertEqual(self.emulator.generate().json["status"], "completed")
        # the clip, this one, and those of the ten that came before their client's reset
        report = until(lambda: (r := self.emulator.report()) and not r["unfinished"] and r, "the ends")
        self.assertEqual(report["billable"], len(report["tasks"]))
        self.assertIn(report["billable"], range(2, 13))


if __name__ == "__main__":
    unittest.main()
