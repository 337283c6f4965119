#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Models that are newer than the catalogue: `aimlvideo models --refresh`, and what the service gives up."""

import contextlib
import http.server
import json
import os
import pathlib
import subprocess
import tempfile
import threading
import urllib.request

import envelope
from support import KEY, EndToEnd, main

COMMAND = os.environ["AIMLVIDEO_COMMAND"]
KNOWN = "klingai/video-v2-6-pro-text-to-video"
NEW = "acme/dream-2"
# what the service has and the catalogue lacks
NEWS = {"version": 1, "models": [
    {"id": NEW, "aliases": ["dream-2"], "vendor": "Acme", "kind": "text-or-image-to-video",
     "inputs": {"text": ["prompt"], "image": ["image_url"]},
     "parameters": [{"name": "prompt", "type": "string", "required": True}, {"name": "image_url", "type": "string", "format": "uri"},
                    {"name": "last_image_url", "type": "string", "format": "uri"},
                    {"name": "duration", "type": "integer", "enum": [4, 8], "default": 4},
                    {"name": "style", "type": "string|array", "alternatives": [
                        {"type": "string", "enum": ["oil", "ink"]}, {"type": "array", "items": "string", "max_items": 2}]}]},
    {"id": KNOWN, "aliases": ["kling-of-tomorrow"], "parameters": [{"name": "grain", "type": "integer", "max": 9}]}]}


class Refresh(EndToEnd):
    def setUp(self):
        # the emulator reads such a file, too: it stands for a service with newer models
        service = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (service / "aimlvideo").mkdir()
        (service / "aimlvideo/models.json").write_text(json.dumps(NEWS))
        before = os.environ.get("XDG_CACHE_HOME", "")
        os.environ["XDG_CACHE_HOME"] = str(service)
        super().setUp()
        os.environ["XDG_CACHE_HOME"] = before
        self.file = self.folder / "cache/aimlvideo/models.json"

    def run_command(self, *arguments, code=0, **environment):
        environment = dict(os.environ, AIMLAPI_BASE_URL=self.emulator.url, AIMLAPI_KEY=KEY, **self.home) | environment
        run = subprocess.run([COMMAND, *map(str, arguments)], env=environment, cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        return run

    def check(self, model, code=0, **parameters):
        return self.run_command("check", "--offline", "--json", "-m", model, "--parameters", json.dumps(parameters), code=code)

    def refresh(self):
        return envelope.data(self.run_command("models", "--refresh", "--json").stdout)

    def test_newer_models_and_parameters_are_checked_after_a_refresh_and_never_without_one(self):
        before = self.check(NEW, prompt="a", duration=5)
        self.assertIn("not in the catalogue", before.stdout)
        self.assertFalse(self.file.exists())
        self.assertEqual(self.emulator.report()["by_endpoint"], {})

        found = self.refresh()
        self.assertEqual((found["added_models"], found["added_parameters"], found["unreadable"]), (1, 1, 0))
        self.assertEqual((self.file.stat().st_mode & 0o777, self.file.parent.stat().st_mode & 0o777), (0o600, 0o700))
        self.assertIn("allowed are 4, 8", self.check(NEW, code=3, prompt="a", duration=5).stdout)
        self.assertIn("prompt is missing", self.check("dream-2", code=3, duration=4).stdout)
        self.assertIn("allowed are oil, ink", self.check(NEW, code=3, prompt="a", style="wax").stdout)
        self.assertEqual(envelope.data(self.check(NEW, prompt="a", style=["x"]).stdout)["warnings"], [])
        self.assertIn("at most 9", self.check(KNOWN, code=3, prompt="a", grain=10).stdout)
        self.assertIn("at most 9", self.check("kling-of-tomorrow", code=3, prompt="a", grain=10).stdout)
        self.assertIn("Acme", self.run_command("models", "dream-2", "--offline").stdout)
        self.assertIn(NEW, self.run_command("models").stdout)
        self.assertIn(NEW, {model["id"] for model in envelope.data(self.run_command("models", "--json").stdout)["models"]})
        with open(self.file, encoding="utf-8") as file:
            self.assertEqual({model["id"] for model in json.load(file)["models"]}, {NEW, KNOWN})

    def test_the_element_checks_by_it_and_a_known_request_stays_the_same_purchase(self):
        known = ("aimlvideosrc", "prompt=a", "!", "fakesink")
        self.play(*known)
        body = self.check(KNOWN, prompt="a", duration=5).stdout
        self.refresh()
        self.assertEqual(self.check(KNOWN, prompt="a", duration=5).stdout, body)
        self.play(*known)
        self.assertEqual(self.emulator.report()["billable"], 1)
        code, output = self.launch("aimlvideosrc", "model=" + NEW, "prompt=a", "duration=5", "!", "fakesink").end()
        self.assertNotEqual(code, 0)
        self.assertIn("allowed are 4, 8", output)
        self.play("aimlvideosrc", "model=" + NEW, "prompt=a", "tail-image=https://h/i.png", "image=https://h/i.png", "!", "fakesink")
        request = self.emulator.report()["tasks"][-1]["request"]
        self.assertIn("last_image_url", request["parameters"])

    def test_a_damaged_file_is_ignored_with_a_warning(self):
        self.file.parent.mkdir(parents=True)
        for contents, mode, why in (("<html>", 0o600, "not valid JSON"), (json.dumps(NEWS), 0o666, "others can write to it")):
            self.file.write_text(contents)
            self.file.chmod(mode)
            warnings = envelope.data(self.check(KNOWN, prompt="a").stdout)["warnings"]
            self.assertEqual(len(warnings), 1)
            self.assertIn(why, warnings[0])
            self.assertIn(why, self.run_command("models").stderr)
            self.assertIn("not in the catalogue", self.check(NEW, prompt="a").stdout)
        self.refresh()
        self.assertEqual(envelope.data(self.check(KNOWN, prompt="a").stdout)["warnings"], [])

    def test_what_fails_on_the_way_leaves_the_file_as_it_was(self):
        self.refresh()
        before = self.file.read_bytes()
        self.assertIn("as it was", self.run_command("models", "--refresh", code=6, AIMLAPI_BASE_URL="http://127.0.0.1:1").stderr)
        for phase, kind in (("models", "html"), ("models", "truncated"), ("schema", "status")):
            put_fault(self.emulator, {"match": {"phase": phase}, "fault": {"kind": kind}})
            self.run_command("models", "--refresh", code=6)
            self.assertEqual(self.file.read_bytes(), before)
        put_fault(self.emulator, {"match": {"phase": "schema", "nth": 3}, "fault": {"kind": "status"}})
        self.assertEqual(self.refresh()["unreadable"], 1)

    def test_a_hostile_description_leaves_nothing_but_facts(self):
        properties = {"model": {"enum": ["acme/a"]}, "prompt": {"type": "string", "description": "Words\u001b[2J", "minLength": -5},
                      "size": {"type": "integer", "maximum": 4}}
        page = {"paths": {"/v2/video/generations": {"post": {"requestBody": {"content": {"application/json": {"schema": {
            "properties": properties, "required": ["model", "prompt"]}}}}}}}}
        pages = {"/docs-json": page}
        with server(pages) as (service, _):
            entry = {"id": "acme/a", "type": "internal/video-generations/submit", "legacy_path": "/evil",
                     "info": {"docsJson": service + "/docs-json", "developer": "Acme\u001b]0;x\u0007"}}
            pages["/v1/models"] = {"data": [entry]}
            found = envelope.data(self.run_command("models", "--refresh", "--json", AIMLAPI_BASE_URL=service).stdout)
            self.assertEqual((found["added_models"], found["unreadable"]), (1, 0))
            text = self.file.read_text()
            self.assertNotIn("\\u00", text)
            self.assertNotIn("evil", text)
            self.assertNotIn("min_length", text)
            self.assertIn("at most 4", self.check("acme/a", code=3, prompt="a", size=5).stdout)
            properties["a b"] = {"type": "string"}
            found = envelope.data(self.run_command("models", "--refresh", "--json", AIMLAPI_BASE_URL=service).stdout)
            self.assertEqual((found["added_models"], found["unreadable"]), (0, 1))
            self.assertIn("not in the catalogue", self.check("acme/a", prompt="a").stdout)

    def test_descriptions_elsewhere_are_not_fetched_and_no_key_is_sent(self):
        with server({}) as (elsewhere, visitors):
            entries = [{"id": "acme/a", "type": "internal/video-generations/submit", "aliases": [],
                        "info": {"docsJson": elsewhere + "/docs-json?model=acme/a"}},
                       {"id": "acme/b\x1b[2J", "type": "internal/video-generations/submit"},
                       {"id": "acme/chat", "type": "openai/chat-completions"}]
            with server({"/v1/models": {"data": entries}}) as (service, requests):
                found = envelope.data(self.run_command("models", "--refresh", "--json", AIMLAPI_BASE_URL=service).stdout)
                self.assertEqual((found["listed"], found["added_models"], found["unreadable"]), (1, 0, 1))
                self.assertEqual(len(requests), 1)
                self.assertNotIn("authorization", str(requests).lower())
                self.assertNotIn(KEY, str(requests))
            self.assertEqual(visitors, [])


def put_fault(emulator, *rules):
    request = urllib.request.Request(emulator.url + "/emulator/faults", json.dumps(rules).encode(), method="PUT")
    urllib.request.urlopen(request).close()


@contextlib.contextmanager
def server(pages):
    """Serves JSON by path: (its address, the requests that came)."""
    requests = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            requests.append((self.path, dict(self.headers)))
            page = pages.get(self.path.split("?")[0])
            body = json.dumps(page).encode()
            self.send_response(404 if page is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        thread = threading.Thread(target=listener.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.server_port}", requests
        finally:
            listener.shutdown()
            thread.join()


class Deprecations(EndToEnd):
    run_command = Refresh.run_command
    WITHDRAWN, SUCCESSOR = "kling-video/v1.5/standard/text-to-video", "kling-video/v1.6/standard/text-to-video"

    def test_a_check_warns_of_a_model_that_the_service_gives_up(self):
        for model, words in ((self.WITHDRAWN, f"has withdrawn the model {self.WITHDRAWN} on 2026-07-30; use {self.SUCCESSOR} instead"),
                             ("google/gemini-omni-flash-preview", "will withdraw"),
                             ("openai/sora-2-pro", "use openai/sora-2-pro-t2v instead")):
            with self.subTest(model):
                self.assertIn(words, self.run_command("check", "-m", model, "-p", "a").stderr)
        self.assertNotIn("withdraw", self.run_command("check", "-m", self.WITHDRAWN, "-p", "a", "--offline").stderr)
        self.assertNotIn("withdraw", self.run_command("check", "-p", "a").stderr)

    def test_the_error_of_a_withdrawn_model_names_what_takes_its_place(self):
        run = self.run_command("generate", "-m", self.WITHDRAWN, "-p", "a", "-o", "a.mp4", code=5)
        self.assertIn(f"use {self.SUCCESSOR} instead", run.stderr)
        code, output = self.launch("aimlvideosrc", "model=" + self.WITHDRAWN, "prompt=a", "!", "fakesink").end()
        self.assertNotEqual(code, 0)
        self.assertIn(self.SUCCESSOR, output)
        self.assertEqual(self.emulator.report()["billable"], 0)
        # the service may refuse it in other words
        put_fault(self.emulator, {"match": {"phase": "create"}, "fault": {"kind": "status", "status": 400}})
        run = self.run_command("generate", "-m", self.WITHDRAWN, "-p", "a", "-o", "a.mp4", code=3)
        self.assertIn(f"use {self.SUCCESSOR} instead", run.stderr)
        run = self.run_command("generate", "-m", KNOWN, "-p", "a", "-o", "a.mp4", code=3)
        self.assertNotIn("instead", run.stderr)
        self.assertEqual(self.emulator.report()["by_endpoint"]["deprecations"], 3)
        put_fault(self.emulator)
        # one that never was is told as before
        run = self.run_command("generate", "-m", "acme/never", "-p", "a", "-o", "a.mp4", code=5)
        self.assertNotIn("instead", run.stderr)


if __name__ == "__main__":
    main()
