#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Over TLS: the command line parses certificates once, and the plugin leaves alone what belongs to the whole process."""

import ctypes
import os
import pathlib
import subprocess
import tempfile
import unittest

from support import EndToEnd, Launch, main

COMMAND = os.environ["AIMLVIDEO_COMMAND"]
GLIB = ctypes.CDLL("libglib-2.0.so.0")
GLIB.glib_check_version.restype = ctypes.c_char_p


class TlsTrust(EndToEnd):
    def setUp(self):
        certificates = tempfile.TemporaryDirectory()
        self.addCleanup(certificates.cleanup)
        self.certificate, key = (str(pathlib.Path(certificates.name, name)) for name in ("cert.pem", "key.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key,
                        "-out", self.certificate], check=True, stderr=subprocess.DEVNULL)
        self.emulator_options = ("--tls", self.certificate, key)
        super().setUp()
        self.log = self.folder / "log"

    def run_with(self, program, *arguments):
        """What the program prints, and how often it has replaced its process's default database."""
        environment = self.home | {"LD_PRELOAD": os.environ["AIMLVIDEO_DEFAULT_TRUST"], "AIMLVIDEO_TRUST": self.certificate,
                                   "AIMLVIDEO_TRUST_LOG": str(self.log)}
        code, output = Launch(self.emulator, arguments, environment=environment, program=program).end()
        self.assertEqual(code, 0, output)
        self.assertEqual(self.emulator.report()["billable"], 1)
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0

    def test_the_plugin_leaves_the_default_database_of_its_process(self):
        self.assertEqual(self.run_with("gst-launch-1.0", "aimlvideosrc", "prompt=A boat", "!", "fakesink"), 0)

    @unittest.skipIf(GLIB.glib_check_version(2, 80, 0) is None, "this GLib parses certificates once by itself")
    def test_the_command_line_has_another_one_while_a_connection_is_made(self):
        replaced = self.run_with(COMMAND, "generate", "-p", "A boat", "-o", str(self.folder / "boat.mp4"))
        self.assertGreater(replaced, 0)
        self.assertEqual(replaced % 2, 0)  # and restored


if __name__ == "__main__":
    main()
