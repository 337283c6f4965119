#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`aimlvideo doctor`: right where all is right, and each of its lines fails where what it looks at is broken."""

import http.server
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import threading
import unittest
import urllib.request

import envelope
from support import BUILD, KEY, SOURCE, EndToEnd, Emulator, main

COMMAND = os.environ["AIMLVIDEO_COMMAND"]
PROFILES = ("mp4", "h264", "webm", "hls", "prores", "poster")


class Doctor(EndToEnd):
    emulator_options = ("--balance", "100")

    def run_doctor(self, *arguments, prefix=(), **environment):
        """What it found by line, and its exit code; what people and programs are told agrees, and shows no key."""
        environment = dict(os.environ, AIMLAPI_BASE_URL=self.emulator.url, AIMLAPI_KEY=KEY, **self.home) | environment
        told = []
        for more in ((), ("--json",)):
            told.append(subprocess.run([*prefix, COMMAND, "doctor", *map(str, arguments), *more], env=environment,
                                       cwd=self.folder, capture_output=True, text=True))
            self.assertNotIn(environment["AIMLAPI_KEY"] or "-none-", told[-1].stdout + told[-1].stderr)
        plain, answer = told[0].stdout, envelope.answer(told[1].stdout)
        self.assertEqual(told[0].returncode, told[1].returncode)
        checks = {check["check"]: check for check in answer["data"]["checks"]}
        self.assertEqual(len(checks), len(answer["data"]["checks"]))
        self.assertEqual([(check["state"], name) for name, check in checks.items()],
                         re.findall(r"^(ok|warning|failed|skipped) +(\w+(?: \w+)?)(?:  |$)", plain, re.MULTILINE), plain)
        failed = [name for name, check in checks.items() if check["state"] == "failed"]
        self.assertEqual(told[0].returncode, 1 if failed else 0)
        if failed:
            self.assertEqual(answer["error"]["code"], "checks-failed")
            self.assertEqual([problem.partition(":")[0] for problem in answer["error"]["problems"]], failed)
        for name in failed:  # says what to do
            self.assertTrue(checks[name]["hint"], name)
            self.assertIn("-> " + checks[name]["hint"].split()[0], plain)
        return checks, failed

    def fails(self, lines, text, hint, *arguments, **keywords):
        """Exactly these lines fail; the first with this text and this advice."""
        checks, failed = self.run_doctor(*arguments, **keywords)
        self.assertEqual(failed, lines, checks)
        self.assertIn(text, checks[lines[0]]["text"])
        self.assertIn(hint, checks[lines[0]]["hint"])
        return checks

    def server(self, status, date=None):
        """Something that answers everything with this status."""
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response_only(status)
                if date:
                    self.send_header("Date", date)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *arguments):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}"

    def test_all_is_right_and_nothing_is_bought_or_changed(self):
        checks, failed = self.run_doctor()
        self.assertEqual({check["state"] for check in checks.values()}, {"ok"}, checks)
        self.assertIn("$AIMLAPI_KEY", checks["key"]["text"])
        self.assertIn("100.00 USD", checks["balance"]["text"])
        self.assertEqual(checks["plugin"]["text"].partition(" in ")[2], str(BUILD / "gst-plugin/libgstaimlapi.so"))
        report = self.emulator.report()
        self.assertEqual((report["tasks"], report["billable"]), ([], 0))
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_the_document_has_each_line_and_no_other(self):
        text = (SOURCE / "docs/doctor.md").read_text()
        lines = re.findall(r"^\| `([\w ]+)` \|", text.partition("| line |")[2], re.MULTILINE)
        checks, _ = self.run_doctor()
        self.assertEqual(list(checks), lines[:-1] + [f"profile {name}" for name in PROFILES])
        self.assertEqual(lines[-1], "profile NAME")

    def test_a_profile_needs_what_it_uses(self):
        checks, _ = self.run_doctor("--offline", "--profile", "mp4")
        self.assertEqual(list(checks)[-2:], ["disk", "profile mp4"])
        self.assertEqual([checks[name]["state"] for name in ("name", "connection", "clock", "balance")], ["skipped"] * 4)
        checks, _ = self.run_doctor("--offline", "--profile", "h264")
        self.assertEqual(list(checks)[-2:], ["decoders", "profile h264"])
        wrong = subprocess.run([COMMAND, "doctor", "--offline", "--profile", "h265"], env=os.environ | self.home, capture_output=True, text=True)
        self.assertEqual(wrong.returncode, 3)
        self.assertIn("Did you mean h264?", wrong.stderr)

    def test_key(self):
        offline = ("--offline",)
        self.fails(["key"], "there is no API key", "Get a key at", *offline, AIMLAPI_KEY="")
        self.fails(["key"], "has quotation marks", "Write the key alone", *offline, AIMLAPI_KEY=f'"{KEY}"')
        self.fails(["key"], "a space, a line break", "Copy it again", *offline, AIMLAPI_KEY=f"Bearer {KEY}")
        file = self.folder / "key"
        file.write_text(KEY + "\n")
        file.chmod(0o644)
        # others can read it, and it serves all the same
        checks = self.fails(["key"], "every user of this machine can read", f"chmod go= {file}", "--api-key-file", file)
        self.assertEqual(checks["balance"]["state"], "ok")
        file.chmod(0o600)
        self.assertEqual(self.run_doctor("--api-key-file", file)[1], [])
        self.fails(["key"], "missing", "", *offline, "--api-key-file", self.folder / "missing")
        checks = self.run_doctor(AIMLAPI_KEY="")[0]
        self.assertEqual((checks["connection"]["state"], checks["balance"]["state"]), ("ok", "skipped"))

    def test_what_failed_is_red(self):
        run = subprocess.run([COMMAND, "doctor", "--offline", "--profile", "mp4", "--color=always"], capture_output=True, text=True,
                             env=os.environ | self.home | {"AIMLAPI_KEY": ""})
        self.assertEqual(re.findall(r"\x1b\[31m(\w+ +\w+)", run.stdout), ["failed   key"])

    def test_address(self):
        self.fails(["address"], "http", "", AIMLAPI_BASE_URL="http://example.com")

    def test_name(self):
        checks = self.fails(["name"], "nosuch.invalid", "name servers", AIMLAPI_BASE_URL="https://nosuch.invalid")
        self.assertEqual([checks[name]["state"] for name in ("connection", "clock", "balance")], ["skipped"] * 3)

    def test_connection_refused(self):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            self.fails(["connection"], "refused", "firewall", AIMLAPI_BASE_URL=f"http://127.0.0.1:{unused.getsockname()[1]}")

    def test_connection_through_a_proxy_is_told_without_its_password(self):
        checks = self.fails(["connection"], "through the proxy http://127.0.0.1:1", "proxy",
                            AIMLAPI_BASE_URL="https://api.invalid", https_proxy="http://user:s3cret@127.0.0.1:1")
        self.assertEqual(checks["name"]["state"], "skipped")
        self.assertNotIn("s3cret", str(checks))

    def test_connection_to_something_else(self):
        self.fails(["connection"], "status 404", "another program", AIMLAPI_BASE_URL=self.server(404))
        self.fails(["connection"], "status 503", "Try again later", AIMLAPI_BASE_URL=self.server(503))

    def test_connection_over_tls(self):
        certificate, key = (str(self.folder / name) for name in ("cert.pem", "key.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key,
                        "-out", certificate], check=True, stderr=subprocess.DEVNULL)
        secure = Emulator("--tls", certificate, key)
        self.addCleanup(secure.stop)
        self.fails(["connection"], "not signed by a trusted authority", "ca-certificates", AIMLAPI_BASE_URL=secure.url)
        self.fails(["connection"], "", "Install glib-networking", AIMLAPI_BASE_URL=secure.url, GIO_USE_TLS="dummy")

    @unittest.skipUnless(shutil.which("faketime"), "the command faketime is not installed")
    def test_clock(self):
        for jump, text in (("+1h", "s ahead of"), ("-1h", "s behind")):
            self.fails(["clock"], text, "NTP", "--profile", "mp4", prefix=("faketime", "-f", jump))
        checks, _ = self.run_doctor(AIMLAPI_BASE_URL=self.server(200))
        self.assertEqual(checks["clock"]["state"], "skipped")

    def test_balance(self):
        poor = Emulator("--balance", "0")
        self.addCleanup(poor.stop)
        self.fails(["balance"], "0.00 USD", "Add funds", AIMLAPI_BASE_URL=poor.url)
        fault = b'{"match": {"phase": "billing"}, "fault": {"kind": "status", "status": 401}}'
        urllib.request.urlopen(self.emulator.url + "/emulator/faults", fault).close()
        self.fails(["balance"], "", "key")

    def ledger(self):
        subprocess.run([COMMAND, "jobs"], env=os.environ | self.home, check=True, capture_output=True)
        return self.folder / "state/aimlvideo/ledger.sqlite3"

    def test_ledger(self):
        file = self.ledger()
        self.assertIn("whole, 0 jobs", self.run_doctor()[0]["ledger"]["text"])
        whole = file.read_bytes()
        offline = ("--offline", "--profile", "mp4")
        damaged = whole[:4096] + b"x" * 4096 + whole[8192:]
        for broken, text in ((damaged, "damaged"), (b"no database", "damaged"), (b"", "the file is empty")):
            file.write_bytes(broken)
            self.fails(["ledger"], text, "The next run", *offline)
            self.assertEqual(file.read_bytes(), broken)  # it is left to the next run to set it aside
        file.write_bytes(whole)
        with sqlite3.connect(file) as database:
            version = database.execute("PRAGMA user_version").fetchone()[0]
            database.execute(f"PRAGMA user_version = {version - 1}")
        self.assertIn("of an older version", self.run_doctor(*offline)[0]["ledger"]["text"])
        with sqlite3.connect(file) as database:
            database.execute("PRAGMA user_version = 99")
        self.fails(["ledger"], "newer version of aimlvideo (schema 99)", "Use that version", *offline)

    def test_ledger_in_use(self):
        file = self.ledger()
        with sqlite3.connect(file, isolation_level=None) as database:
            database.execute("BEGIN IMMEDIATE")
            self.assertEqual(self.run_doctor("--offline")[0]["ledger"]["state"], "ok")

    def test_folders_that_can_not_be_written(self):
        for variable, line in (("XDG_STATE_HOME", "ledger"), ("XDG_CACHE_HOME", "clips")):
            occupied = self.folder / variable
            occupied.mkdir()
            (occupied / "aimlvideo").write_text("")
            self.fails([line], "is not a folder", f"${variable}", "--offline", "--profile", "mp4", **{variable: str(occupied)})

    @unittest.skipUnless(os.geteuid() == 0, "only root can give a folder away")
    def test_folders_of_another_user(self):
        for variable, path, line in (("XDG_STATE_HOME", "aimlvideo", "ledger"), ("XDG_CACHE_HOME", "aimlvideo/clips", "clips")):
            folder = self.folder / variable / path
            folder.mkdir(parents=True)
            os.chown(folder, 65534, 65534)
            self.fails([line], "belongs to another user", f"${variable}", "--offline", "--profile", "mp4",
                       **{variable: str(self.folder / variable)})

    def test_disk(self):
        for size, state in (("64m", "failed"), ("500m", "warning")):
            folder = self.folder / size
            folder.mkdir()
            done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True, text=True)
            if done.returncode:
                self.skipTest("no tmpfs can be mounted here: " + done.stderr.strip())
            self.addCleanup(subprocess.run, ["umount", "-l", folder])
            checks, failed = self.run_doctor("--offline", "--profile", "mp4", XDG_CACHE_HOME=str(folder))
            self.assertEqual(checks["disk"]["state"], state)
            self.assertIn("cache prune", checks["disk"]["hint"])
            self.assertEqual(failed, ["disk"] if state == "failed" else [])

    def plugins(self, *files):
        """The environment of a GStreamer that sees these files alone, besides its own."""
        folder = self.folder / "plugins"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, content in files:
            (folder / name).write_bytes(content)
        registry = self.folder / "registry"
        registry.unlink(missing_ok=True)
        return {"GST_PLUGIN_PATH": str(folder), "GST_REGISTRY": str(registry)}

    def test_plugin(self):
        real = (BUILD / "gst-plugin/libgstaimlapi.so").read_bytes()
        version = re.search(r"version: '([\d.]+)'", (SOURCE / "meson.build").read_text())[1]
        other = real.replace(version.encode() + b"\0", b"9" + version[1:].encode() + b"\0")
        name = "libgstaimlapi.so"
        self.fails(["plugin"], "GStreamer finds none", "gstreamer1.0-aimlvideo", "--offline", **self.plugins())
        self.fails(["plugin"], "could not load", "ldd", "--offline", **self.plugins((name, b"no library")))
        self.fails(["plugin"], f"version 9{version[1:]} in", "from one version", "--offline", **self.plugins((name, other)))
        self.assertEqual(self.run_doctor("--offline", **self.plugins((name, real)))[1], [])

    def test_decoders_and_profiles(self):
        bare = self.plugins() | {"GST_PLUGIN_SYSTEM_PATH_1_0": str(self.folder / "nowhere")}
        checks, failed = self.run_doctor("--offline", **bare)
        self.assertEqual(failed, ["plugin", "decoders", *(f"profile {name}" for name in PROFILES if name != "mp4")])
        self.assertIn("none for MP4, H.264, AAC", checks["decoders"]["text"])
        self.assertIn("x264enc", checks["profile h264"]["text"])
        self.assertIn("gstreamer1.0-plugins-base", checks["profile h264"]["hint"])


if __name__ == "__main__":
    main()
