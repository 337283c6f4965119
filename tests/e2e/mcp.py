#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`aimlvideo mcp`: what agents may do and may not, by the protocol as it is written, and by clients that others wrote.

The clients run under node where scripts/install-mcp-clients.sh has put them; --clients demands them.
"""

import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import threading
import urllib.request

import envelope
import marks
from support import BUILD, IMAGE, KEY, PATIENCE, SOURCE, EndToEnd, main

COMMAND = os.environ["AIMLVIDEO_COMMAND"]
CLIP = BUILD / "tests/clips/faststart.mp4"
CLIENTS = pathlib.Path(os.environ.get("AIMLVIDEO_MCP_CLIENTS", BUILD / "mcp-clients"))
CLIENTS_DEMANDED = "--clients" in sys.argv
PRICE = 0.455
MODERN = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}


class Server:
    """A process of `aimlvideo mcp`, spoken to line by line."""

    def __init__(self, test, *arguments, **environment):
        self.test = test
        self.process = subprocess.Popen([COMMAND, "mcp", *map(str, arguments)], env=test.environment(**environment),
                                        cwd=test.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.answers = queue.Queue()
        self.output = b""
        self.errors = b""
        self.threads = [threading.Thread(target=self._read), threading.Thread(target=self._drain)]
        for thread in self.threads:
            thread.start()
        self.number = 0

    def _read(self):
        for line in self.process.stdout:
            self.output += line
            self.answers.put(json.loads(line))
        self.answers.put(None)

    def _drain(self):
        self.errors = self.process.stderr.read()

    def write(self, data):
        self.process.stdin.write(data if isinstance(data, bytes) else data.encode())
        self.process.stdin.flush()

    def next(self):
        return self.answers.get(timeout=PATIENCE)

    def send(self, method, params=None, meta=MODERN):
        self.number += 1
        params = dict(params or {})
        if meta:
            params["_meta"] = meta
        self.write(json.dumps({"jsonrpc": "2.0", "id": self.number, "method": method, "params": params}) + "\n")
        return self.number

    def ask(self, method, params=None, meta=MODERN):
        number = self.send(method, params, meta)
        answer = self.next()
        self.test.assertEqual((answer["jsonrpc"], answer["id"]), ("2.0", number))
        return answer

    def result(self, method, params=None, meta=MODERN):
        answer = self.ask(method, params, meta)
        self.test.assertNotIn("error", answer)
        return answer["result"]

    def call(self, tool, **arguments):
        """The envelope that a tool answers with, which is what the command prints that is called so."""
        result = self.result("tools/call", {"name": tool, "arguments": arguments})
        told = result["structuredContent"]
        self.test.assertEqual(json.loads(result["content"][0]["text"]), told)
        self.test.assertEqual(envelope.answer(json.dumps(told)), told)
        pending = "retry_after" in told.get("error", {})
        self.test.assertEqual(result["isError"], not told["ok"] and not pending)
        return told

    def end(self, code=0):
        if not self.process.stdin.closed:
            self.process.stdin.close()
        self.test.assertEqual(self.process.wait(PATIENCE), code)
        for thread in self.threads:
            thread.join()
        self.process.stdout.close()
        self.process.stderr.close()
        self.test.assertNotIn(KEY.encode(), self.output + self.errors)
        return self.errors.decode()


class McpCase(EndToEnd):
    emulator_options = ("--clip", str(CLIP))

    def setUp(self):
        super().setUp()
        self.out = self.folder / "out"
        self.out.mkdir()

    def environment(self, **more):
        return dict(os.environ, AIMLAPI_BASE_URL=self.emulator.url, AIMLAPI_KEY=KEY, **self.home) | more

    def serve(self, *arguments, **environment):
        server = Server(self, *arguments, **environment)
        self.addCleanup(lambda: server.process.poll() is None and server.process.kill())
        return server

    def emulate(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        urllib.request.urlopen(urllib.request.Request(self.emulator.url + path, data, method=method)).close()

    def faults(self, *rules):
        self.emulate("PUT", "/emulator/faults", [{"match": match, "fault": fault} for match, fault in rules])

    def bought(self):
        return self.emulator.report()["billable"]


class Protocol(McpCase):
    def test_each_request_may_stand_for_itself(self):
        server = self.serve()
        found = server.result("server/discover")
        self.assertIn("2026-07-28", found["supportedVersions"])
        self.assertEqual(found["capabilities"], {"tools": {}, "resources": {}})
        self.assertIn("buys nothing", found["instructions"])
        for result in (found, server.result("tools/list"), server.result("resources/list"),
                       server.result("resources/templates/list"), server.result("resources/read", {"uri": "aimlvideo-data:ledger"})):
            self.assertEqual(result["resultType"], "complete")
            self.assertEqual(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "aimlvideo")
            self.assertGreaterEqual(result["ttlMs"], 0)
            self.assertEqual(result["cacheScope"], "private")
        refused = server.ask("tools/list", meta=MODERN | {"io.modelcontextprotocol/protocolVersion": "1900-01-01"})["error"]
        self.assertEqual((refused["code"], refused["data"]["requested"]), (-32022, "1900-01-01"))
        self.assertEqual(refused["data"]["supported"], found["supportedVersions"])
        self.assertEqual(server.ask("tools/list", meta={"io.modelcontextprotocol/protocolVersion": "2026-07-28"})["error"]["code"], -32602)
        self.assertEqual(server.ask("tools/list", meta=None)["error"]["code"], -32602)
        self.assertEqual(server.ask("ping")["error"]["code"], -32601)
        self.assertEqual(server.ask("initialize")["error"]["code"], -32601)
        server.end()

    def test_a_handshake_opens_the_earlier_revisions(self):
        for asked, agreed in (("2025-11-25", "2025-11-25"), ("2024-11-05", "2024-11-05"), ("2030-01-01", "2025-11-25")):
            server = self.serve()
            opened = server.result("initialize", {"protocolVersion": asked, "capabilities": {}, "clientInfo": {}}, meta=None)
            self.assertEqual((opened["protocolVersion"], opened["serverInfo"]["name"]), (agreed, "aimlvideo"))
            server.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
            self.assertEqual(server.result("ping", meta=None), {})
            self.assertNotIn("resultType", server.result("tools/list", meta=None))
            self.assertEqual(server.ask("resources/read", {"uri": "file:///etc/passwd"}, meta=None)["error"]["code"], -32002)
            self.assertEqual(server.ask("server/discover", meta=None)["error"]["code"], -32601)
            server.end()

    def test_hostile_lines_are_refused_and_the_next_is_answered(self):
        server = self.serve("--max-cost", 5)
        hostile = [("{", -32700), ("]", -32700), ("nonsense", -32700), ('{"a":}', -32700), ("[" * 1000, -32700), (b'"\xff\xfe"', -32700),
                   ("[]", -32600), ('[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600), ("5", -32600), ("null", -32600), ('"x"', -32600),
                   ("{}", -32600), ('{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600), ('{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600),
                   ('{"jsonrpc":"2.0","id":[],"method":"ping"}', -32600), ('{"jsonrpc":"2.0","id":1,"method":5}', -32600),
                   ('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}', -32600), ('{"jsonrpc":"2.0","id":1}', -32600)]
        for line, code in hostile:
            server.write(line if isinstance(line, bytes) else line.encode())
            server.write(b"\n")
            answer = server.next()
            self.assertEqual((answer["error"]["code"], "result" in answer), (code, False), (line, answer))
            self.assertEqual("batches" in answer["error"]["message"], isinstance(line, str) and line.startswith("[") and code == -32600)
        for method, params, code in (("tools/call", {}, -32602), ("tools/call", {"name": "rm"}, -32602), ("tools/call", {"name": "jobs", "arguments": []}, -32602),
                                     ("tools/call", {"name": 5}, -32602), ("nonsense", {}, -32601), ("resources/read", {}, -32602),
                                     ("resources/read", {"uri": "file:///etc/passwd"}, -32602), ("prompts/list", {}, -32601), ("x" * 100000, {}, -32601)):
            self.assertEqual(server.ask(method, params)["error"]["code"], code, method[:50])
        # what nobody answers: blank lines, notifications, answers
        server.write('\n  \r\n{"jsonrpc":"2.0","method":"nonsense"}\n{"jsonrpc":"2.0","id":7,"result":{}}\n{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}\n')
        self.assertEqual(len(server.result("tools/list")["tools"]), 7)
        self.assertEqual(self.bought(), 0)
        server.end()

    def test_a_line_without_end_is_refused_once_and_takes_no_memory(self):
        server = self.serve()
        block = b"x" * (1 << 20)
        for _ in range(200):
            server.write(block)
        self.assertEqual(server.next()["error"]["code"], -32700)
        with open(f"/proc/{server.process.pid}/status") as status:
            high = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
        if "address" not in str(BUILD):
            self.assertLess(high, 260 * 1024)  # KiB
        server.write(b"\n")
        self.assertEqual(len(server.result("tools/list")["tools"]), 7)
        server.end()

    def test_several_calls_are_under_way_at_once_and_one_is_given_up(self):
        self.faults(({"phase": "poll"}, {"kind": "stall"}))
        server = self.serve("--max-cost", 5)
        job = server.call("submit", prompt="A boat")["data"]["job"]["id"]
        slow = server.send("tools/call", {"name": "wait", "arguments": {"jobs": [job], "timeout": 600}})
        self.assertTrue(server.call("jobs")["ok"])
        again = {"jsonrpc": "2.0", "id": slow, "method": "tools/call", "params": {"name": "jobs", "_meta": MODERN}}
        server.write(json.dumps(again) + "\n")
        self.assertEqual(server.next()["error"]["code"], -32600)
        server.write(json.dumps({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": slow}}) + "\n")
        self.assertTrue(server.call("jobs")["ok"])  # and nothing about the other
        server.write(json.dumps(again) + "\n")  # whose id is free again
        self.assertTrue(server.next()["result"]["structuredContent"]["ok"])
        server.end()

    def test_it_ends_with_its_input_or_a_signal_and_leaves_what_is_bought(self):
        self.faults(({"phase": "poll"}, {"kind": "stall"}))
        for leave in (lambda process: process.stdin.close(), lambda process: process.send_signal(signal.SIGTERM)):
            server = self.serve("--max-cost", 5)
            job = server.call("submit", prompt="A boat")["data"]["job"]
            server.send("tools/call", {"name": "wait", "arguments": {"jobs": [job["id"]], "timeout": 600}})
            leave(server.process)
            server.end()
            self.assertEqual(job["state"], "running")
        self.assertEqual(self.bought(), 1)

    def test_a_last_line_without_its_break_is_answered(self):
        for request, name in (({"name": "balance"}, "balance"), ({"name": "check", "arguments": {"prompt": "A boat"}}, "check")):
            server = self.serve()
            server.write(json.dumps({"jsonrpc": "2.0", "id": "a", "method": "tools/call", "params": request | {"_meta": MODERN}}))
            server.process.stdin.close()
            self.assertEqual(server.next()["result"]["structuredContent"]["command"], name)
            server.end()


class Tools(McpCase):
    def test_a_clip_is_chosen_checked_bought_awaited_and_fetched(self):
        server = self.serve("--max-cost", 5, "--output-folder", self.out)
        models = server.call("models", words="Kling text-to-video")["data"]["models"]
        self.assertTrue(models)
        self.assertTrue(all("kling" in json.dumps(model).lower() and "parameters" not in model for model in models))
        self.assertIn("parameters", server.call("models", id=models[0]["id"])["data"])
        self.assertIn("Did you mean", server.call("models", id=models[0]["id"] + "x")["error"]["hint"])
        checked = server.call("check", prompt="A boat", duration=5, parameters={"negative_prompt": "people"})["data"]
        self.assertEqual((checked["usd_estimated"], checked["request"]["negative_prompt"]), (PRICE, "people"))
        self.assertEqual(server.call("check", prompt="A boat", duration=7)["error"]["code"], "bad-request")
        bought = server.call("submit", prompt="A boat", duration=5)["data"]
        job = bought["job"]["id"]
        self.assertEqual((bought["origin"], bought["job"]["usd_spent"]), ("bought", PRICE))
        self.assertEqual(server.call("submit", prompt="A boat", duration=5)["data"]["job"]["id"], job)
        self.assertEqual(server.call("wait", jobs=[job])["data"]["jobs"][0]["state"], "completed")
        fetched = server.call("fetch", job=job, output="boat.mp4")["data"]
        self.assertEqual(fetched["output"], str(self.out.resolve() / "boat.mp4"))
        self.assertTrue(marks.delivers((self.out / "boat.mp4").read_bytes(), CLIP.read_bytes()))
        self.assertEqual(server.call("fetch", job=job, output="boat.mp4")["data"], fetched)
        server.call("fetch", job=job, output="boat.webm", profile="webm", timeout=600)
        self.assertIn("video", self.probe(self.out / "boat.webm"))
        listed = server.call("jobs")["data"]
        self.assertEqual(([row["id"] for row in listed["jobs"]], listed["usd_spent"]), ([job], PRICE))
        self.assertEqual(server.call("jobs", job=job)["data"]["state"], "completed")
        self.assertEqual(server.call("jobs", unfinished=True)["data"]["jobs"], [])
        self.assertEqual(server.call("jobs", job=99)["error"]["code"], "not-found")
        self.assertGreater(server.call("balance")["data"]["balance"], 0)
        ledger = server.result("resources/read", {"uri": "aimlvideo-data:ledger"})["contents"][0]
        self.assertEqual(json.loads(ledger["text"])["jobs"][0]["id"], job)
        catalogue = server.result("resources/read", {"uri": "aimlvideo-data:catalogue"})["contents"][0]
        self.assertEqual(len(json.loads(catalogue["text"])["models"]), 153)
        self.assertEqual(self.bought(), 1)
        server.end()

    def test_nothing_is_bought_without_a_limit_and_what_is_paid_for_is_had(self):
        server = self.serve()
        refused = server.call("submit", prompt="A boat")
        self.assertEqual(refused["error"]["code"], "over-budget")
        self.assertIn("without --max-cost", refused["error"]["message"])
        subprocess.run([COMMAND, "submit", "A boat"], env=self.environment(), check=True, capture_output=True)
        self.assertEqual(server.call("submit", prompt="A boat")["data"]["origin"], "resumed")
        self.assertEqual(self.bought(), 1)
        server.end()

    def test_the_limits_hold_for_a_call_and_for_all_of_them_also_at_once(self):
        server = self.serve("--max-cost", 1, "--max-cost-per-call", 0.5)
        self.assertEqual(server.call("submit", prompt="too long", duration=10)["error"]["code"], "over-budget")
        calls = [server.send("tools/call", {"name": "submit", "arguments": {"prompt": f"boat {i}"}}) for i in range(6)]
        answers = {}
        for _ in calls:
            answer = server.next()
            answers[answer["id"]] = answer["result"]["structuredContent"]
        told = [answers[call].get("error", {}).get("code") for call in calls]
        self.assertEqual(sorted(told, key=str), [None, None] + ["over-budget"] * 4)
        self.assertEqual(self.bought(), 2)
        # what is not billed is not spent
        server.end()
        server = self.serve("--max-cost", 0.5)
        self.faults(({"phase": "create", "nth": 1}, {"kind": "moderation"}))
        bad = server.call("submit", prompt="bad")
        if bad["ok"]:  # and fails later
            self.assertEqual(server.call("submit", prompt="good")["error"]["code"], "over-budget")
            self.assertEqual(server.call("wait", jobs=[bad["data"]["job"]["id"]])["error"]["code"], "generation-failed")
        self.faults()
        self.assertTrue(server.call("submit", prompt="good")["ok"])
        self.assertEqual(server.call("submit", prompt="better")["error"]["code"], "over-budget")
        server.end()

    def test_what_may_have_been_bought_counts_as_spent(self):
        self.faults(({"phase": "create", "nth": 1}, {"kind": "lost-after"}), ({"phase": "logs"}, {"kind": "status", "status": 503}))
        server = self.serve("--max-cost", 0.5)
        pending = server.call("submit", prompt="A boat")
        self.assertEqual((pending["error"]["code"], pending["data"]["job"]["state"]), ("outcome-pending", "sent"))
        self.faults()
        self.assertEqual(server.call("submit", prompt="A ship")["error"]["code"], "over-budget")
        self.assertEqual(server.call("submit", prompt="A boat")["data"]["origin"], "looked-up")
        self.assertEqual(self.bought(), 1)
        server.end()

    def test_a_submission_that_is_given_up_counts_as_spent_as_far_as_it_left(self):
        self.faults(({"phase": "create", "nth": 1}, {"kind": "stall"}))
        server = self.serve("--max-cost", 0.5)
        call = server.send("tools/call", {"name": "submit", "arguments": {"prompt": "A boat"}})
        self.emulator.wait_until(lambda report: report["by_endpoint"].get("create", 0) > 0, "the request")
        server.write(json.dumps({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": call}}) + "\n")
        self.assertEqual(server.call("submit", prompt="A ship")["error"]["code"], "over-budget")
        server.end()

    def test_files_are_made_below_one_folder_and_nowhere_else(self):
        (self.folder / "elsewhere").mkdir()
        (self.out / "sub").mkdir()
        (self.out / "link").symlink_to(self.folder / "elsewhere")
        (self.out / "file.mp4").symlink_to(self.folder / "elsewhere/file.mp4")
        (self.out / "there.mp4").write_text("precious")
        server = self.serve("--max-cost", 5, "--output-folder", self.out)
        job = server.call("submit", prompt="A boat")["data"]["job"]["id"]
        for output in ("../a.mp4", "/tmp/a.mp4", str(self.folder / "a.mp4"), "sub/../../a.mp4", "sub/../a.mp4", "./a.mp4", "link/a.mp4", "file.mp4",
                       "", ".", "..", "sub/", "missing/a.mp4", "there.mp4", "a\n.mp4", "a\u202e.mp4", "a.webm"):
            told = server.call("fetch", job=job, output=output)
            self.assertEqual(told["error"]["code"], "bad-request", (output, told))
        for output in ("a.mp4", "sub/b.mp4"):
            self.assertTrue(server.call("fetch", job=job, output=output)["ok"], output)
        self.assertEqual(list((self.folder / "elsewhere").iterdir()), [])
        self.assertEqual((self.out / "there.mp4").read_text(), "precious")
        self.assertEqual({path.name for path in self.out.rglob("*.mp4")}, {"a.mp4", "b.mp4", "file.mp4", "there.mp4"})
        self.assertEqual(server.call("fetch", job=99, output="c.mp4")["error"]["code"], "not-found")
        server.end()
        server = self.serve()
        self.assertIn("--output-folder", server.call("fetch", job=job, output="c.mp4")["error"]["message"])
        server.end()

    def test_local_files_are_sent_from_one_folder_only(self):
        allowed = self.folder / "pictures"
        allowed.mkdir()
        shutil.copy(IMAGE, allowed / "boat.jpg")
        shutil.copy(IMAGE, self.folder / "secret.jpg")
        (allowed / "link.jpg").symlink_to(self.folder / "secret.jpg")
        (self.folder / "secret.txt").write_text("secret words")
        for options, fine in ((("--files-from", allowed), True), ((), False)):
            server = self.serve("--max-cost", 5, *options)
            told = server.call("check", prompt="A boat", image=str(allowed / "boat.jpg"))
            self.assertEqual(told["ok"], fine, told)
            for arguments in ({"image": str(self.folder / "secret.jpg")}, {"image": str(allowed / "link.jpg")},
                              {"image": str(allowed / "../secret.jpg")}, {"image": (self.folder / "secret.jpg").as_uri()},
                              {"prompt-file": str(self.folder / "secret.txt")}, {"model": "klingai/video-v2-6-pro-image-to-video", "parameters": {"image_url": str(self.folder / "secret.jpg")}},
                              {"tail-image": str(self.folder / "secret.jpg"), "image": str(allowed / "boat.jpg")}):
                for tool in ("check", "submit"):
                    told = server.call(tool, **({"prompt": "A boat"} if "prompt-file" not in arguments else {}) | arguments)
                    self.assertEqual(told["error"]["code"], "bad-request", (arguments, told))
                    self.assertNotIn("secret words", json.dumps(told))
            server.end()
        self.assertEqual(self.emulator.report()["tasks"], [])

    def test_wrong_arguments_are_told_to_the_model(self):
        server = self.serve("--max-cost", 5, "--output-folder", self.out)
        wrong = [("submit", {"promt": "A boat"}), ("submit", {"prompt": "A boat", "generation-id": "x"}), ("submit", {"prompt": "A boat", "api-key": "x"}),
                 ("submit", {"prompt": "A boat", "base-url": "http://evil"}), ("submit", {"prompt": "A boat", "max-cost": 100}), ("submit", {"prompt": ["A boat"]}),
                 ("submit", {"prompt": "A boat", "reuse": "none"}), ("submit", {"prompt": "A boat", "on-lost": "buy"}), ("check", {"x": 1}),
                 ("wait", {}), ("wait", {"jobs": []}), ("wait", {"jobs": ["1"]}), ("wait", {"jobs": [0]}), ("wait", {"jobs": [1.5]}), ("wait", {"jobs": [1], "timeout": 0}),
                 ("wait", {"jobs": [1], "timeout": 1e9}), ("wait", {"jobs": [1e300]}), ("fetch", {}), ("fetch", {"job": -1, "output": "a.mp4"}), ("fetch", {"job": 1, "output": "a.mp4", "force": True}),
                 ("jobs", {"limit": 0}), ("jobs", {"job": {}}), ("balance", {"x": 1}), ("models", {"x": 1})]
        for tool, arguments in wrong:
            told = server.call(tool, **arguments)
            self.assertIn(told["error"]["code"], ("usage", "bad-request"), (tool, arguments, told))
        self.assertEqual(server.call("submit")["error"]["code"], "bad-request")
        self.assertEqual(self.bought(), 0)
        server.end()

    def test_what_takes_long_goes_on_and_is_told_to_the_next_call(self):
        server = self.serve("--max-cost", 5, "--output-folder", self.out)
        job = server.call("submit", prompt="A boat")["data"]["job"]["id"]
        server.call("wait", jobs=[job])
        self.faults(({"phase": "clip"}, {"kind": "stall", "bytes": 1000}))
        told = server.call("fetch", job=job, output="boat.mp4", timeout=1)
        self.assertEqual((told["error"]["code"], told["error"]["retry_after"] > 0), ("not-ready", True))
        self.assertIn("another job", server.call("fetch", job=server.call("submit", prompt="A ship")["data"]["job"]["id"], output="boat.mp4", timeout=1)["error"]["message"])
        self.faults()
        self.emulate("POST", "/emulator/release")
        self.assertTrue(server.call("fetch", job=job, output="boat.mp4", timeout=60)["ok"])
        self.assertTrue(marks.delivers((self.out / "boat.mp4").read_bytes(), CLIP.read_bytes()))
        server.end()

    def test_a_job_that_is_not_made_yet_is_returned(self):
        self.faults(({"phase": "poll"}, {"kind": "unknown-state", "state": "generating"}))
        server = self.serve("--max-cost", 5, "--output-folder", self.out)
        job = server.call("submit", prompt="A boat")["data"]["job"]["id"]
        told = server.call("wait", jobs=[job], timeout=1)
        self.assertEqual((told["error"]["code"], told["data"]["jobs"][0]["state"]), ("not-ready", "running"))
        self.assertEqual(server.call("fetch", job=job, output="boat.mp4", timeout=1)["error"]["code"], "not-ready")
        self.assertEqual(list(self.out.iterdir()), [])
        self.faults()
        self.assertTrue(server.call("fetch", job=job, output="boat.mp4")["ok"])
        server.end()

    def test_a_wrong_command_line_is_refused(self):
        for arguments in (("--max-cost", "x"), ("--max-cost-per-call", "1"), ("--output-folder", "nowhere"), ("--files-from", "nowhere"), ("x",)):
            run = subprocess.run([COMMAND, "mcp", *arguments], env=self.environment(), cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True)
            self.assertEqual((run.returncode, run.stdout), (2, ""), arguments)


class Clients(McpCase):
    """Of the protocol's own authors, who judge our messages by their schemas."""

    def run_client(self, package, *more):
        if not (CLIENTS / "node_modules" / package).is_dir():
            if CLIENTS_DEMANDED:
                self.fail(f"{package} is not in {CLIENTS}: scripts/install-mcp-clients.sh")
            self.skipTest(f"{package} is not in {CLIENTS}: scripts/install-mcp-clients.sh puts it there")
        script = CLIENTS / "mcp_client.mjs"
        shutil.copy(SOURCE / "tests/e2e/mcp_client.mjs", script)
        run = subprocess.run(["node", script, package, *more, "--", COMMAND, "mcp", "--max-cost", "1", "--output-folder", str(self.out)],
                             env=self.environment(), capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertNotIn(KEY, run.stdout + run.stderr)
        told = json.loads(run.stdout)
        self.assertEqual(told["tools"], ["models", "check", "submit", "wait", "fetch", "jobs", "balance"])
        self.assertEqual(told["resources"], ["aimlvideo-data:catalogue", "aimlvideo-data:ledger"])
        for name, answer in told["answers"].items():
            self.assertEqual(envelope.answer(json.dumps(answer)), answer, name)
        self.assertTrue(marks.delivers((self.out / "boat.mp4").read_bytes(), CLIP.read_bytes()))
        self.assertEqual(self.bought(), 1)
        return told

    def test_the_sdk_of_the_revisions_with_a_handshake_works_with_it(self):
        self.assertEqual(self.run_client("@modelcontextprotocol/sdk")["version"], "2025-11-25")

    def test_the_client_of_the_present_revision_works_with_it(self):
        if int(subprocess.run(["node", "--version"], capture_output=True, text=True).stdout[1:].split(".")[0]) < 20:
            self.skipTest("it needs node 20")
        self.assertEqual(self.run_client("@modelcontextprotocol/client")["version"], "2026-07-28")


if __name__ == "__main__":
    sys.argv = [argument for argument in sys.argv if argument != "--clients"]
    main()
