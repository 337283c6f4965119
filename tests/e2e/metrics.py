#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`aimlvideo metrics`: read by Prometheus' own parser, right by the ledger, bounded as a server. `--promtool`: its
names, and the example rules of docs/operating.md, by Prometheus' own tool."""

import concurrent.futures
import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import unittest
import urllib.request
from urllib.parse import urlsplit

import envelope
from support import KEY, PATIENCE, SOURCE, EndToEnd, Launch, main

COMMAND = os.environ["AIMLVIDEO_COMMAND"]
KLING = "klingai/video-v2-6-pro-text-to-video"
PRICE = 0.455
CONNECTIONS = 16
# in Debian's own Python, which has the package
PARSER = """
import json, sys
from prometheus_client.parser import text_string_to_metric_families
json.dump([(f.name, f.type, f.documentation, [(s.name, s.labels, s.value) for s in f.samples])
           for f in text_string_to_metric_families(sys.stdin.read())], sys.stdout)
"""
NAMES = {"aimlvideo_build_info": "gauge", "aimlvideo_jobs": "gauge", "aimlvideo_jobs_unattended": "gauge",
         "aimlvideo_oldest_job_timestamp_seconds": "gauge", "aimlvideo_jobs_accepted": "counter",
         "aimlvideo_jobs_completed": "counter", "aimlvideo_jobs_failed": "counter", "aimlvideo_spent_usd": "counter",
         "aimlvideo_in_flight_usd": "gauge"}


def rules():
    """The example rules of the document."""
    text = (SOURCE / "docs/operating.md").read_text()
    return re.search(r"```yaml\n(groups:\n.*?)```", text, re.DOTALL)[1]


class Ledger(EndToEnd):
    def setUp(self):
        super().setUp()
        # neither a key nor a service
        self.alone = dict(os.environ, AIMLAPI_KEY="", AIMLAPI_BASE_URL="http://127.0.0.1:1", **self.home)
        self.database = self.folder / "state/aimlvideo/ledger.sqlite3"

    def run_command(self, *arguments, code=0, **environment):
        run = subprocess.run([COMMAND, *map(str, arguments)], env=self.alone | environment, cwd=self.folder,
                             capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        return run

    def buy(self, prompt, command="generate", code=0):
        output = ("-o", f"{prompt}.mp4") if command == "generate" else ()
        return self.run_command(command, prompt, "-m", KLING, *output, code=code, AIMLAPI_KEY=KEY, AIMLAPI_BASE_URL=self.emulator.url)

    def fault(self, match, kind, **settings):
        rule = {"match": match, "fault": {"kind": kind, **settings}}
        urllib.request.urlopen(self.emulator.url + "/emulator/faults", json.dumps(rule).encode()).close()

    def read(self, text):
        """{(name, label values in the order of their names): value}"""
        self.assertTrue(text.endswith("\n"))
        parsed = subprocess.run(["/usr/bin/python3", "-c", PARSER], input=text, capture_output=True, text=True)
        self.assertEqual(parsed.returncode, 0, parsed.stderr)
        values = {}
        for family, kind, documentation, samples in json.loads(parsed.stdout):
            self.assertEqual(kind, NAMES[family], family)
            self.assertTrue(documentation)
            for name, labels, value in samples:
                self.assertEqual(name, family + ("_total" if kind == "counter" else ""))
                key = (name.removeprefix("aimlvideo_"), *(label for _, label in sorted(labels.items())))
                self.assertNotIn(key, values)
                values[key] = value
        return values

    def metrics(self):
        return self.read(self.run_command("metrics").stdout)


class Metrics(Ledger):
    def test_what_was_bought_failed_and_spent_is_told_without_key_and_network(self):
        self.buy("A cat")
        self.buy("A dog")
        self.fault({"phase": "create", "nth": 1}, "moderation")
        self.buy("A fight", code=1)
        self.fault({"phase": "create", "nth": 1}, "failure")
        self.buy("A fault", code=1)
        asked = self.emulator.report()
        values = self.metrics()
        self.assertEqual(self.emulator.report()["requests"], asked["requests"])
        for key, value in {("jobs", KLING, "completed"): 2, ("jobs", KLING, "moderated"): 1, ("jobs", KLING, "failed"): 1,
                           ("jobs", KLING, "running"): 0, ("jobs_completed_total", KLING): 2,
                           ("jobs_failed_total", "moderated", KLING): 1, ("jobs_failed_total", "failed", KLING): 1,
                           ("spent_usd_total", KLING): 2 * PRICE, ("in_flight_usd", KLING): 0,
                           ("jobs_unattended", "running"): 0}.items():
            self.assertEqual(values[key], value, key)
        self.assertFalse([key for key in values if key[0] == "oldest_job_timestamp_seconds"])
        listed = envelope.data(self.run_command("jobs", "list", "--json").stdout)
        self.assertEqual(listed["usd_spent"], values["spent_usd_total", KLING])
        # what is forgotten stays counted
        for job in listed["jobs"]:
            self.run_command("jobs", "forget", job["id"], "--force")
        after = self.metrics()
        self.assertEqual({key: value for key, value in after.items() if key[0].endswith("_total")},
                         {key: value for key, value in values.items() if key[0].endswith("_total")})
        self.assertFalse([key for key in after if key[0] == "jobs"])

    def test_what_is_in_flight_has_an_age_and_whoever_is_at_work_on_it(self):
        emulator = self.emulator
        self.fault({"phase": "poll"}, "status", status=503)  # it goes on for as long as the test wants
        before = time.time()
        self.buy("A cat", "submit")
        values = self.metrics()
        self.assertEqual(values["jobs", KLING, "running"], 1)
        self.assertEqual((values["jobs_accepted_total", KLING], values["jobs_completed_total", KLING]), (1, 0))
        self.assertEqual(values["jobs_unattended", "running"], 1)
        self.assertEqual(values["spent_usd_total", KLING], 0)
        self.assertEqual(values["in_flight_usd", KLING], PRICE)
        begun = values["oldest_job_timestamp_seconds", "running"]
        self.assertTrue(int(before) <= begun <= time.time())
        waiting = Launch(emulator, ("1",), ("wait",), self.home, program=COMMAND)
        try:
            deadline = time.monotonic() + PATIENCE
            while self.metrics()["jobs_unattended", "running"]:
                self.assertLess(time.monotonic(), deadline)
            self.assertEqual(self.metrics()["oldest_job_timestamp_seconds", "running"], begun)
        finally:
            waiting.process.kill()
            waiting.end()
        self.assertEqual(self.metrics()["jobs_unattended", "running"], 1)

    def test_looking_makes_nothing(self):
        self.assertEqual({key[0] for key in self.metrics()}, {"build_info", "jobs_unattended"})
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_names_of_models_are_escaped(self):
        hostile = 'a "model"\\n\\ of\nlines {x="y"} 1 ü'
        self.buy("A cat")
        with sqlite3.connect(self.database) as database:
            database.execute("UPDATE purchase SET model = ?", (hostile,))
        self.assertEqual(self.metrics()["jobs_completed_total", hostile], 1)

    def test_a_file_is_replaced_as_a_whole_and_others_can_read_it(self):
        os.umask(0o022)
        (self.folder / "collected").mkdir()
        file = self.folder / "collected/aimlvideo.prom"
        file.write_text("old\n" * 9)
        with file.open() as reader:
            self.assertEqual(self.run_command("metrics", "--output", file).stdout, "")
            self.assertEqual(reader.read(), "old\n" * 9)  # whoever has it open reads on
        self.assertEqual(file.read_text(), self.run_command("metrics").stdout)
        self.assertEqual(file.stat().st_mode & 0o777, 0o644)
        self.assertEqual(list(file.parent.iterdir()), [file])
        self.assertIn("can't be written", self.run_command("metrics", "-o", self.folder / "none/x.prom", code=1).stderr)
        self.buy("A cat")
        self.database.write_bytes(b"no database")
        kept = file.read_text()
        self.assertIn("can't be read", self.run_command("metrics", "--output", file, code=1).stderr)
        self.assertEqual(file.read_text(), kept)

    def test_programs_get_the_same(self):
        self.buy("A cat")
        told = envelope.data(self.run_command("metrics", "--json").stdout)["metrics"]
        values = {(sample_name.removeprefix("aimlvideo_"), *(value for _, value in sorted(sample["labels"].items()))): sample["value"]
                  for sample_name, samples in ((metric["name"], metric["samples"]) for metric in told) for sample in samples}
        self.assertEqual(values, self.metrics())

    def test_the_document_names_each_and_its_rules_no_other(self):
        text = (SOURCE / "docs/operating.md").read_text()
        names = {name + ("_total" if kind == "counter" else "") for name, kind in NAMES.items()}
        self.assertEqual(set(re.findall(r"^\| `(aimlvideo_\w+)", text, re.MULTILINE)), names)
        self.assertEqual(set(re.findall(r"aimlvideo_\w+", rules())) - names, set())


class Server(Ledger):
    def serve(self, *arguments, **environment):
        """Where it listens."""
        process = subprocess.Popen([COMMAND, "metrics", "--listen", *arguments], env=self.alone | environment, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)

        def end():
            process.kill()
            process.communicate()

        self.addCleanup(end)
        url = process.stdout.readline().strip().removeprefix("listening on ")
        self.assertRegex(url, r"^http://.+:\d+/metrics$")
        return process, url

    def ask(self, url, method="GET", path="/metrics", body=None, headers={}):
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer, text

    def test_it_serves_the_ledger_as_it_is_and_ends_when_it_is_told_to(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            process, url = self.serve("127.0.0.1:0")
            answer, text = self.ask(url)
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "text/plain; version=0.0.4; charset=utf-8"))
            self.assertEqual(text, self.run_command("metrics").stdout)
            self.buy(f"A cat at {number}")
            self.assertEqual(self.read(self.ask(url)[1])["jobs_completed_total", KLING], 1 if number == signal.SIGINT else 2)
            head, text = self.ask(url, "HEAD")
            self.assertEqual((head.status, text), (200, ""))
            silent = socket.create_connection((urlsplit(url).hostname, urlsplit(url).port))
            process.send_signal(number)
            self.assertEqual(process.wait(PATIENCE), 0)
            self.assertEqual(silent.recv(1), b"")
            silent.close()

    def test_it_answers_nothing_else(self):
        _, url = self.serve("127.0.0.1:0")
        for path in ("/", "/metrics/", "/metricsx", "/../metrics/x", "/emulator/"):
            self.assertEqual(self.ask(url, path=path)[0].status, 404, path)
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            answer, _ = self.ask(url, method, body=b"x" * 1_000_000 if method == "POST" else None)
            self.assertEqual((answer.status, answer.headers["Allow"]), (405, "GET, HEAD"), method)

    def test_no_web_page_can_pose_as_its_own(self):
        _, url = self.serve("127.0.0.1:0")
        for host, status in (("evil.example", 403), ("evil.example:80", 403), ("192.0.2.1", 403), ("localhost.evil.example", 403),
                             ("localhost:9470", 200), ("[::1]:9470", 200), ("127.0.0.1", 200)):
            answer, text = self.ask(url, headers={"Host": host})
            self.assertEqual((answer.status, "aimlvideo_" in text), (status, status == 200), host)

    def test_a_ledger_that_can_not_be_read_is_an_error_until_it_can(self):
        _, url = self.serve("localhost:0")
        self.buy("A cat")
        whole = self.database.read_bytes()
        self.database.write_bytes(b"no database")
        answer, text = self.ask(url)
        self.assertEqual(answer.status, 503)
        self.assertIn("can't be read", text)
        self.database.write_bytes(whole)
        self.assertEqual(self.ask(url)[0].status, 200)

    def test_connections_are_few_and_short(self):
        process, url = self.serve("127.0.0.1:0")
        place = (urlsplit(url).hostname, urlsplit(url).port)
        silent = [socket.create_connection(place, PATIENCE) for _ in range(CONNECTIONS)]
        with socket.create_connection(place, PATIENCE) as extra:
            self.assertEqual(extra.recv(1), b"")
        silent[0].setblocking(False)
        self.assertRaises(BlockingIOError, silent[0].recv, 1)  # and those before it are open
        silent[0].settimeout(PATIENCE)
        silent.pop().close()
        deadline = time.monotonic() + PATIENCE
        while True:  # until it has noticed
            try:
                self.assertEqual(self.ask(url)[0].status, 200)
                break
            except (ConnectionError, http.client.BadStatusLine):
                self.assertLess(time.monotonic(), deadline)
        for connection in silent:  # they are not kept for ever
            self.assertEqual(connection.recv(1), b"")
            connection.close()
        self.assertIsNone(process.poll())

    def test_many_at_once_get_the_same(self):
        self.buy("A cat")
        _, url = self.serve("127.0.0.1:0")
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = [answer.result()[1] for answer in [pool.submit(self.ask, url) for _ in range(40)]]
        self.assertEqual(set(answers), {self.run_command("metrics").stdout})

    def test_other_machines_are_let_in_only_if_asked_for(self):
        for address in ("0.0.0.0:0", "[::]:0", "192.0.2.1:9470"):
            self.assertIn("--allow-remote", self.run_command("metrics", "--listen", address, code=3).stderr)
        for address in ("127.0.0.1", "9470", "example.com:9470", "127.0.0.1:99999", "", ":9470", "127.0.0.1:http"):
            self.assertIn("no address to listen on", self.run_command("metrics", "--listen", address, code=3).stderr)
        _, url = self.serve("0.0.0.0:0", "--allow-remote")
        self.assertEqual(self.ask(url.replace("0.0.0.0", "127.0.0.1"), headers={"Host": "farm.example"})[0].status, 200)
        self.assertIn("nothing can listen on", self.run_command("metrics", "--listen", urlsplit(url).netloc.replace("0.0.0.0", "127.0.0.1"), code=6).stderr)
        self.assertIn("exclude each other", self.run_command("metrics", "--listen", "[::1]:0", "-o", "x", code=2).stderr)
        self.assertIn("needs --listen", self.run_command("metrics", "--allow-remote", code=2).stderr)

    def test_programs_are_told_where(self):
        process = subprocess.Popen([COMMAND, "metrics", "--listen", "[::1]:0", "--json"], env=self.alone, stdout=subprocess.PIPE, text=True)
        line = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=PATIENCE)
        first, answer = envelope.envelopes(line + rest)
        self.assertEqual((first["event"], answer["data"]), ("listening", first["data"]))
        self.assertTrue(answer["data"]["url"].startswith("http://[::1]:"))


@unittest.skipUnless("--promtool" in sys.argv, "--promtool runs it")
class Promtool(Ledger):
    """Missing promtool is a failure: the package prometheus has it."""

    def promtool(self, *arguments, text=None):
        run = subprocess.run(["promtool", *arguments], input=text, cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertNotIn("warning", (run.stdout + run.stderr).lower())

    def test_names_and_form(self):
        self.buy("A cat")
        self.fault({"phase": "poll"}, "status", status=503)
        self.buy("A dog", "submit")
        self.promtool("check", "metrics", text=self.run_command("metrics").stdout)

    def test_the_rules_of_the_document_tell_what_they_say(self):
        (self.folder / "rules.yml").write_text(rules())
        self.promtool("check", "rules", "rules.yml")
        self.assertEqual(set(re.findall(r"- alert: (\w+)", rules())), set(re.findall(r"alertname: (\w+)", TEST_OF_RULES)))
        (self.folder / "rules.yml").write_text(re.sub(r" +annotations:\n +summary: .*\n", "", rules()))
        (self.folder / "test.yml").write_text(TEST_OF_RULES)
        self.promtool("test", "rules", "test.yml")


# Where nothing is wrong none of them fires, although a model is bought for the first time; each fires where it should.
TEST_OF_RULES = """
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: 'up{job="aimlvideo"}', values: '1x1500'}
      - {series: 'aimlvideo_oldest_job_timestamp_seconds{state="running"}', values: '0+60x1500'}
      - {series: 'aimlvideo_jobs_unattended{state="running"}', values: '0x1500'}
      - {series: 'aimlvideo_jobs_unattended{state="sent"}', values: '0x1500'}
      - {series: 'aimlvideo_spent_usd_total{model="a"}', values: '1000x1500'}
      - {series: 'aimlvideo_spent_usd_total{model="b"}', values: '_x700 19x800'}
    alert_rule_test:
      - {alertname: VideoOutcomeUnknown, eval_time: 24h}
      - {alertname: VideoTakesLong, eval_time: 24h}
      - {alertname: VideoUnattended, eval_time: 24h}
      - {alertname: VideoSpending, eval_time: 24h}
      - {alertname: VideoMetricsMissing, eval_time: 24h}
  - interval: 1m
    input_series:
      - {series: 'up{job="aimlvideo"}', values: '0x1500'}
      - {series: 'aimlvideo_oldest_job_timestamp_seconds{state="sent"}', values: '0x1500'}
      - {series: 'aimlvideo_oldest_job_timestamp_seconds{state="running"}', values: '0x1500'}
      - {series: 'aimlvideo_oldest_job_timestamp_seconds{state="intent"}', values: '0x1500'}
      - {series: 'aimlvideo_jobs_unattended{state="running"}', values: '2x1500'}
      - {series: 'aimlvideo_spent_usd_total{model="a"}', values: '1000x1500'}
      - {series: 'aimlvideo_spent_usd_total{model="b"}', values: '_x700 21x800'}
    alert_rule_test:
      - {alertname: VideoOutcomeUnknown, eval_time: 24h, exp_alerts: [{exp_labels: {state: sent}}]}
      - {alertname: VideoTakesLong, eval_time: 24h, exp_alerts: [{exp_labels: {state: running}}]}
      - {alertname: VideoUnattended, eval_time: 24h, exp_alerts: [{exp_labels: {state: running}}]}
      - {alertname: VideoSpending, eval_time: 24h, exp_alerts: [{exp_labels: {}}]}
      - {alertname: VideoMetricsMissing, eval_time: 24h, exp_alerts: [{exp_labels: {job: aimlvideo}}]}
"""


if __name__ == "__main__":
    sys.argv = [argument for argument in sys.argv if argument != "--promtool"]
    main()
