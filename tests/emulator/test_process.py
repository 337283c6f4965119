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

from harness import ANY_CLIP, BINARY, DEADLINE, TEXT_MODEL, UNIVERSAL, Emulator, EmulatorTest, until, url_of


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
                              (["--retention", "long"], "--retention"), (["--balance", "-1"], "--balance"),
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
                    stalled.sendall(b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    half.sendall(b"POST /v2/video/generations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\n{")
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
            stalled.sendall(b"POST %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer k\r\nContent-Length: %d\r\n\r\n%s" %
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

    def make(self, emulator):
        emulator.fault("create", "endless")
        endless = emulator.create().json["id"]
        ids = [emulator.create(prompt=str(i)).json["id"] for i in range(20)]
        until(lambda: emulator.report()["unfinished"] == 1, "the ends")
        return endless, ids

    def ids(self, emulator):
        return [task["id"] for task in emulator.report()["tasks"]]

    def test_what_nobody_has_fetched_is_remembered(self):
        endless, ids = self.make(self.emulator)
        for generation in ids:
            url = url_of(self.emulator.poll(generation).json)
            # a part is not the whole, and the first half of a clip is no reason to forget the second
            half = self.emulator.call("GET", url, key=None, headers={"Range": "bytes=0-99"})
            self.assertEqual(half.status, 206)
        self.assertEqual(self.ids(self.emulator), [endless, *ids])

    def test_what_was_fetched_is_forgotten_first_oldest_first_and_what_runs_never(self):
        endless, ids = self.make(self.emulator)
        for generation in ids[:2] + ids[10:]:
            self.assertEqual(self.emulator.call("GET", url_of(self.emulator.poll(generation).json), key=None).status, 200)
        self.assertEqual(self.ids(self.emulator), [endless, *ids[2:10]])
        for generation in ids[2:10]:
            url = url_of(self.emulator.poll(generation).json)
            self.assertEqual(self.emulator.call("GET", url, key=None, headers={"Range": "bytes=100-"}).status, 206)
        self.assertEqual(self.ids(self.emulator), [endless, *ids[5:10]])

    def test_a_failure_that_was_told_is_forgotten_like_a_clip_that_was_fetched(self):
        self.emulator.faults({"match": {"phase": "create"}, "fault": {"kind": "failure"}})
        ids = [self.emulator.create(prompt=str(i)).json["id"] for i in range(6)]
        until(lambda: self.emulator.report()["unfinished"] == 0, "the ends")
        self.assertEqual(self.ids(self.emulator), ids)
        self.assertEqual(self.emulator.poll(ids[3]).json["status"], "error")
        self.assertEqual(self.ids(self.emulator), ids[:3] + ids[4:])

    def test_beyond_its_time_the_oldest_is_forgotten_fetched_or_not(self):
        with Emulator(*self.options, "--retention", "0") as emulator:
            endless, ids = self.make(emulator)
            self.assertEqual(self.ids(emulator), [endless, *ids[-5:]])
            self.assertEqual(emulator.poll(ids[0]).status, 404)
            self.assertEqual(emulator.poll(endless).json["status"], "generating")
            self.assertEqual(emulator.report()["billable"], 21)


class Hosts(unittest.TestCase):
    def status(self, emulator, host, path="/v1/models?id=x"):
        parts = urllib.parse.urlsplit(emulator.base)
        with socket.create_connection((parts.hostname, parts.port), DEADLINE) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            return int(connection.makefile("rb").readline().split()[1])

    def test_only_those_who_mean_this_machine_are_answered(self):
        with Emulator(*ANY_CLIP, "--allow-host", "Desk.example", "--clip-host", "clips.example") as emulator:
            port = str(urllib.parse.urlsplit(emulator.base).port)
            for host in ("127.0.0.1:" + port, "localhost", "LOCALHOST.:80", "[::1]:8089", "127.8.9.10", "api.localhost",
                         "desk.example:" + port, "clips.example"):
                with self.subTest(host):
                    self.assertEqual(self.status(emulator, host), 200)
            for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "192.168.1.7", "[::2]",
                         "notlocalhost", "desk.example.evil.example", "0.0.0.0"):
                for path in ("/v1/models?id=x", "/emulator/report", "/clips/1/x"):
                    with self.subTest(host, path=path):
                        self.assertEqual(self.status(emulator, host, path), 403)
            self.assertEqual(emulator.report()["by_endpoint"], {"models": 8})

    def test_on_all_addresses_any_address_is_its_own_and_a_name_is_not(self):
        with Emulator(*ANY_CLIP, "--bind", "0.0.0.0", "--allow-remote") as emulator:
            emulator.base = emulator.base.replace("0.0.0.0", "127.0.0.1")
            for host, status in (("192.168.1.7:8089", 200), ("[fe80::1]", 200), ("evil.example", 403)):
                with self.subTest(host):
                    self.assertEqual(self.status(emulator, host), status)


class Bodies(EmulatorTest):
    options = ANY_CLIP
    LIMIT = 64 << 20

    def send(self, headers, blocks):
        parts = urllib.parse.urlsplit(self.emulator.base)
        with socket.create_connection((parts.hostname, parts.port), DEADLINE) as connection:
            connection.sendall(f"POST {UNIVERSAL} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer k\r\n{headers}"
                               "\r\n\r\n".encode())
            for block in blocks:
                connection.sendall(block)
            return int(connection.makefile("rb").readline().split()[1])

    def memory(self):
        with open(f"/proc/{self.emulator.process.pid}/status", encoding="utf-8") as file:
            return int(next(line for line in file if line.startswith("VmHWM")).split()[1]) << 10

    def test_a_body_that_is_too_long_is_refused_and_not_kept(self):
        before = self.memory()
        block = b" " * (1 << 20)
        self.assertEqual(self.send(f"Content-Length: {self.LIMIT + 1}", [block] * 64 + [b" "]), 413)
        self.assertLess(self.memory() - before, 32 << 20)
        chunk = b"100000\r\n" + block + b"\r\n"
        self.assertEqual(self.send("Transfer-Encoding: chunked", [chunk] * 66 + [b"0\r\n\r\n"]), 413)
        self.assertLess(self.memory() - before, 120 << 20)
        self.assertEqual(self.send(f"Content-Length: {self.LIMIT + 1}\r\nExpect: 100-continue", []), 413)
        self.assertEqual(self.emulator.report()["billable"], 0)

    def test_a_body_up_to_the_limit_is_read(self):
        body = b'{"model": "no/such", "prompt": "%s"}' % (b"a" * (self.LIMIT - 100))
        self.assertEqual(self.send(f"Content-Length: {len(body)}", [body]), 404)


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
        head = b"POST %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer k\r\nContent-Length: %d\r\n\r\n" % (UNIVERSAL.encode(), len(body))
        target = self.emulator.clip_url()[len(self.emulator.base):].encode()
        clip = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % target
        models = b"GET /v1/models?include=pricing HTTP/1.1\r\nHost: localhost\r\n\r\n"
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
