#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The API key is nowhere but in the requests to the service, however much is logged and whatever breaks."""

import base64
import json
import os
import shutil
import subprocess
import urllib.parse
import urllib.request

from support import BUILD, KEY, EndToEnd, Launch, main

CLIP = BUILD / "tests/clips/faststart.mp4"
COMMAND = BUILD / "tools/aimlvideo/aimlvideo"
DISGUISES = {
    "plain": KEY.encode(),
    "Base64": base64.b64encode(KEY.encode())[:-3],
    "Base64, one byte on": base64.b64encode(b"x" + KEY.encode())[4:-3],
    "Base64, two bytes on": base64.b64encode(b"xx" + KEY.encode())[4:-3],
    "hex": KEY.encode().hex().encode(),
    "percent-encoded": urllib.parse.quote(KEY).replace("-", "%2D").encode(),
    "UTF-16": KEY.encode("utf-16-le"),
}
# what breaks, and the phase where the program meets it
FAULTS = {
    "nothing": [],
    "the key is refused": [{"match": {"phase": "create"}, "fault": {"kind": "status", "status": 401}}],
    "the request is refused": [{"match": {"phase": "create"}, "fault": {"kind": "status", "status": 400}}],
    "the answer is lost": [{"match": {"phase": "create", "nth": 1}, "fault": {"kind": "lost-after"}}],
    "polls fail": [{"match": {"phase": "poll", "nth": 1}, "fault": {"kind": "status", "status": 502}}],
    "the download is cut": [{"match": {"phase": "clip", "nth": 1}, "fault": {"kind": "truncated", "bytes": 20000}}],
}


class Secrets(EndToEnd):
    emulator_options = ("--clip", str(CLIP), "--log-delay", "0")

    def expect_no_key(self, where, data):
        for disguise, form in DISGUISES.items():
            at = data.find(form)
            self.assertEqual(at, -1, f"{where} holds the key ({disguise}): {data[max(0, at - 200):at + 100]!r}")

    def expect_no_key_below(self, folder):
        files = [path for path in folder.rglob("*") if path.is_file()]
        for path in files:
            self.expect_no_key(path, path.read_bytes())
        return len(files)

    def run_loudly(self, properties, environment):
        """A run that logs, prints, draws and dumps all that it can."""
        drawings = self.folder / "drawings"
        drawings.mkdir(exist_ok=True)
        everything = {"GST_DEBUG": "*:9", "GST_DEBUG_FILE": str(self.folder / "debug.log"), "G_MESSAGES_DEBUG": "all",
                      "GST_DEBUG_DUMP_DOT_DIR": str(drawings), "GST_DEBUG_NO_COLOR": "1",
                      "TMPDIR": str(self.folder), "GST_REGISTRY": str(self.folder / "registry.bin")}
        arguments = ("aimlvideosrc", "prompt=a cat on a roof", *properties, "!", "typefind", "!", "fakesink")
        launch = Launch(self.emulator, arguments, ("-v", "-m"), self.home | everything | environment)
        return launch.end()

    def test_no_run_shows_the_key(self):
        for fault, rules in FAULTS.items():
            with self.subTest(fault):
                for folder in self.home.values():
                    shutil.rmtree(folder, ignore_errors=True)
                request = urllib.request.Request(self.emulator.url + "/emulator/faults", json.dumps(rules).encode(),
                                                 method="PUT")
                urllib.request.urlopen(request).close()
                code, output = self.run_loudly((), {})
                self.assertEqual(code != 0, "refused" in fault, output[-2000:])
                self.assertIn("aimlvideosrc", (self.folder / "debug.log").read_text(errors="replace"))
                self.expect_no_key("the output", output.encode())
                # the ledger and its journal, the clips, the registry, the drawings and the log
                self.assertGreater(self.expect_no_key_below(self.folder), 5)
        self.assertTrue(list((self.folder / "drawings").glob("*PAUSED_PLAYING*.dot")))

    def test_a_key_file_is_not_shown_either(self):
        file = self.folder / "key"
        file.write_text(KEY + "\n")
        file.chmod(0o644)
        try:
            code, output = self.run_loudly((f"api-key-file={file}",), {"AIMLAPI_KEY": ""})
        finally:
            file.unlink()
        self.assertEqual(code, 0, output[-2000:])
        self.assertIn("every user of this machine can read the API key", output)
        self.expect_no_key("the output", output.encode())
        self.expect_no_key_below(self.folder)

    def test_the_command_line_shows_no_key(self):
        environment = dict(os.environ, AIMLAPI_KEY=KEY, AIMLAPI_BASE_URL=self.emulator.url, G_MESSAGES_DEBUG="all",
                           **self.home)
        self.play("aimlvideosrc", "prompt=a cat on a roof", "!", "fakesink")
        for arguments in (("balance",), ("metrics",), ("jobs", "list", "--json"), ("jobs", "show", "1"), ("models", "--json"),
                          ("cache", "list"), ("check", "prompt=a cat"), ("jobs", "show", "99"), ("nonsense",)):
            done = subprocess.run([COMMAND, *arguments], env=environment, capture_output=True)
            self.expect_no_key(arguments, done.stdout + done.stderr)


if __name__ == "__main__":
    main()
