#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`aimlvideo batch`: a manifest to clips, each bought once whatever breaks.

    batch.py                what CI runs: 20 rows
    batch.py --rows 1000    the long one
    batch.py --measure      how many a second with 1, 8 and 64 at once"""

import collections
import csv
import html.parser
import http.server
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

import envelope
import marks
from support import BUILD, IMAGE, KEY, SOURCE, EndToEnd, Launch

COMMAND = os.environ["AIMLVIDEO_COMMAND"]
CLIP = BUILD / "tests/clips/faststart.mp4"
PRICE = 0.455
ROWS = 20


class Page(html.parser.HTMLParser):
    """What stands in a report: its cells, its pictures, and every address it would fetch."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.addresses = collections.Counter(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags[tag] += 1
        self.addresses += [value for name, value in attributes if name in ("src", "href")]

    def handle_data(self, data):
        self.texts.append(data)


class BatchCase(EndToEnd):
    emulator_options = ("--clip", str(CLIP), "--log-delay", "0", "--history", "100000")

    def setUp(self):
        super().setUp()
        self.out = self.folder / "out"
        self.out.mkdir()

    def arguments(self, *arguments):
        return [COMMAND, "batch", *map(str, arguments)]

    def environment(self):
        return dict(os.environ, AIMLAPI_KEY=KEY, AIMLAPI_BASE_URL=self.emulator.url, **self.home)

    def batch(self, *arguments, code=0, stdin=None):
        run = subprocess.run(self.arguments(*arguments), env=self.environment(), cwd=self.folder, capture_output=True,
                             text=True, input=stdin)
        if code is not None:
            self.assertEqual(run.returncode, code, run.stdout[-3000:] + run.stderr[-3000:])
        self.assertNotIn(KEY, run.stdout + run.stderr)
        return run

    def manifest(self, rows, name="clips.csv"):
        path = self.folder / name
        if name.endswith(".csv"):
            with open(path, "w", newline="") as file:
                writer = csv.DictWriter(file, list(dict.fromkeys(key for row in rows for key in row)))
                writer.writeheader()
                writer.writerows(rows)
        else:
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    def simple(self, count, **more):
        return self.manifest([{"prompt": f"Boat {i}", "output": f"out/{i}.mp4"} | more for i in range(count)])

    def bought(self):
        return self.emulator.report()["billable"]

    def fault(self, match, kind, **settings):
        rule = {"match": match, "fault": {"kind": kind, **settings}}
        urllib.request.urlopen(self.emulator.url + "/emulator/faults", json.dumps(rule).encode()).close()

    def no_faults(self):
        urllib.request.urlopen(urllib.request.Request(self.emulator.url + "/emulator/faults", method="DELETE")).close()

    def assert_made(self, count):
        clip = CLIP.read_bytes()
        self.assertEqual(len(list(self.out.iterdir())), count)
        for path in self.out.iterdir():
            self.assertTrue(marks.delivers(path.read_bytes(), clip), path)


class Batch(BatchCase):
    def test_csv_and_json_lines_say_the_same(self):
        rows = [{"prompt": 'Quotes "here", commas\nand lines', "image": "", "output": "out/a.mp4", "duration": "5"},
                {"prompt": "A boat", "image": "lighthouse.jpg", "output": "out/b.mp4", "duration": ""}]
        shutil.copy(IMAGE, self.folder)
        self.batch(self.manifest(rows))
        rows[0]["duration"] = 5
        rows[0]["output"], rows[1]["output"] = "out/c.mp4", "out/d.mp4"
        rows[1]["parameters"] = {}
        self.batch(self.manifest(rows, "clips.jsonl"))
        self.assert_made(4)
        self.assertEqual(self.bought(), 2)

    def test_all_mistakes_are_named_with_their_rows_and_nothing_is_bought(self):
        (self.out / "there.mp4").write_text("precious")
        path = self.manifest([
            {"prompt": "a", "output": "out/a.mp4", "duration": "7"}, {"prompt": "b", "output": "out/b.mp4"},
            {"prompt": "c", "output": "out/../out/b.mp4"}, {"prompt": "d", "output": ""},
            {"prompt": "e", "output": "no/such.mp4"}, {"prompt": "f", "output": "out/there.mp4"},
            {"prompt": "g", "output": "out/g.mp4", "image": "no.jpg"},
            {"prompt": "h", "output": "out/h.mp4", "profile": "avi"},
            {"prompt": "i", "output": "out/i.mp4", "promt": "x"}])
        text = self.batch(path, code=3).stderr
        for row, what in ((2, "allowed are 5, 10"), (4, "is that of row 3"), (5, "no output"), (6, "no folder no"),
                          (7, "exists already"), (8, "no.jpg"), (9, "no profile"), (1, "Did you mean prompt")):
            self.assertRegex(text, rf"row {row}: .*{what}")
        self.assertIn("8 mistakes", text)
        self.assertEqual(self.bought(), 0)
        self.assertEqual((self.out / "there.mp4").read_text(), "precious")

    def test_a_manifest_that_can_not_be_read_is_refused(self):
        for text in ('prompt,output\na,"b', 'prompt,output\na,b"c', 'prompt,output\na', 'prompt,output\n"a"b,c',
                     "prompt,promt,output\na,b,c", "output,output\na,b", "prompt,,output\na,b,c", "prompt,output\n", "",
                     '{"prompt": ', '{"prompt": ["a"], "output": "out/b.mp4"}', '{"prompt": "a", "output": "b"}\n[]'):
            with self.subTest(text=text):
                (self.folder / "clips").write_text(text)
                self.batch("clips", code=3)
        (self.folder / "clips").write_bytes(b"prompt,output\n\xff,b")
        self.batch("clips", code=3)
        self.batch("missing.csv", code=3)
        self.assertEqual(self.bought(), 0)

    def mistakes(self, text):
        """What is said of a manifest, without the last line, which counts."""
        *lines, last = self.batch("-", code=3, stdin=text).stderr.splitlines()
        prefix = "aimlvideo: standard input: "
        self.assertTrue(all(line.startswith(prefix) for line in lines), lines)
        count = "1 mistake" if len(lines) == 1 else f"{len(lines)} mistakes"
        self.assertEqual(last, f"aimlvideo: {count} in standard input; nothing was bought")
        return [line[len(prefix):] for line in lines]

    def test_mistakes_of_the_form_are_named_all_at_once_and_beside_the_others(self):
        csv_rows = ['prompt,output,duratoin,,output', 'A "boat",out/a.mp4,5,,', 'A ship,out/b.mp4,7,,', 'A ship, with sails,out/c.mp4,5,,',
                    '"A"b,out/d.mp4,5,,', 'A ship,out/e.mp4', '"not closed,out/f.mp4,5,,']
        expected = ["row 1: .* column 4 is empty", "row 1: .* column 5 appears twice: output", r'row 1: .*"duratoin"\. Did you mean duration\?',
                    "row 2: a quotation mark is inside", 'row 3: .*duration is "7", allowed are 5, 10', "row 4: it has 6 fields, the heading 5; .*quotation",
                    "row 5: something follows", "row 6: it has 2 fields, the heading 5$", "row 7: a quotation mark is not closed"]
        for text, wanted in (("\n".join(csv_rows), expected), ("\r\n".join(csv_rows), expected), (
                '{"prompt": "a", "output": "out/a.mp4", "Aspect ratio": "wide"}\nno JSON\n[]\n{"prompt": ["x"], "output": {}}\n'
                '{"prompt": "b", "output": "../../b.mp4", "profile": "avi", "size": "big", "duration": "x", "cfg-scale": "y"}\n'
                '{"prompt": "c", "output": "out/c.mp4"}{"prompt": "d", "output": "out/d.mp4"}',
                ['row 1: .*"Aspect ratio"\. Did you mean aspect-ratio', 'row 1: .*aspect_ratio is "wide"', "row 2: .*not valid JSON",
                 "row 3: .*not a JSON object", "row 4: (prompt|output) must be", "row 4: (prompt|output) must be", "row 5: .*--outputs-to",
                 "row 5: .*avi", "row 5: .*size", "row 5: cfg-scale", "row 5: duration can't be", "row 6: .*something follows"])):
            told = self.mistakes(text)
            self.assertEqual(len(told), len(wanted), told)
            for line, pattern in zip(sorted(told, key=lambda line: line[:6]), wanted):
                self.assertRegex(line, pattern)
            self.assertEqual(told, sorted(told, key=lambda line: line[:6]))
        self.assertEqual(self.bought(), 0)

    def test_a_heading_says_what_is_wrong_with_it(self):
        for separator, name in ((";", "semicolons"), ("\t", "tabs")):
            text = separator.join(("Prompt", "output", "duration")) + "\n" + separator.join(("A boat", "out/a.mp4", "7"))
            told = self.mistakes(text)
            self.assertIn(f"separated by {name}, not by commas", told[0])
            self.assertEqual(told[1], 'row 1: there is no column "Prompt". Did you mean prompt?')
            self.assertIn("row 2: the request does not fit", told[2])
            self.assertEqual(len(told), 3)
        # what the rows say is checked under the name that is meant, and each wrong name is told once
        told = self.mistakes("OUTPUT,promt,notes\n" + "".join(f"out/{i}.mp4,Boat {i},x\n" for i in range(9)))
        self.assertEqual(told, ['row 1: there is no column "OUTPUT". Did you mean output?', 'row 1: there is no column "promt". Did you mean prompt?',
                                "row 1: there is no column \"notes\". 'aimlvideo batch --template csv' prints those that there are."])
        self.assertIn("UTF-16", self.utf16().stderr)
        self.assertEqual(self.bought(), 0)

    def utf16(self):
        (self.folder / "clips.csv").write_bytes("prompt,output\nA boat,out/a.mp4\n".encode("utf-16"))
        return self.batch("clips.csv", code=3)

    def test_a_manifest_comes_on_standard_input_and_is_resumed(self):
        rows = [{"prompt": f"Boat {i}", "output": f"out/{i}.mp4"} for i in range(3)]
        for count in (2, 3):  # the second one knows what the first has made
            self.batch("-", stdin=json.dumps(rows[:count], indent=1))
            self.assert_made(count)
            self.assertEqual(self.bought(), count)
        self.assertTrue((self.folder / "batch.done").exists())
        self.batch("-", "--journal", "other.done", "--force", stdin="\n".join(map(json.dumps, rows)))
        self.assertTrue((self.folder / "other.done").exists())
        self.assertEqual(self.bought(), 3)
        self.assertIn("row 2: it is not a JSON object", self.mistakes('[{"prompt": "a", "output": "out/b.mp4"}, 3]')[0])
        self.assertIn("something follows", self.mistakes(json.dumps(rows) + json.dumps(rows))[0])

    def test_a_template_is_right_as_it_stands(self):
        for form in ("csv", "jsonl"):
            text = self.batch("--template", form).stdout
            (self.folder / f"clips.{form}").write_text(text)
            self.assertIn("3 rows are right, and what is not paid for will cost about 1.365 USD",
                          self.batch(f"clips.{form}", "--check", "--max-cost", 5).stdout)
            data = envelope.data(self.batch("--template", form, "--json").stdout)
            self.assertEqual(data, {"template": text})
        heading = (self.folder / "clips.csv").read_text().splitlines()[0].split(",")
        documented = re.search(r"<!-- fields: columns -->\n(.*?)\n<!-- end -->", (SOURCE / "docs/chains.md").read_text(), re.DOTALL)[1]
        self.assertEqual(sorted(heading), sorted(["output", "profile", "size", "rate", *re.findall("`(.*?)`", documented)]))
        self.batch("--template", "xml", code=2)
        self.batch("--template", "csv", "clips.csv", code=2)
        self.assertEqual(self.bought(), 0)

    def test_a_check_answers_programs(self):
        path = self.simple(2)
        self.assertEqual(envelope.data(self.batch(path, "--check", "--json").stdout), {"rows": 2})
        answer = envelope.answer(self.batch("-", "--check", "--json", code=3, stdin="Prompt;output\nA;out/a.mp4").stdout)
        self.assertEqual(len(answer["error"]["problems"]), 2)

    def test_a_spreadsheets_file_is_read(self):
        (self.folder / "clips.csv").write_bytes(b'\xef\xbb\xbfprompt,output\r\n"A ""boat""",out/a.mp4\r\n\r\nB,out/b.mp4')
        self.batch("clips.csv")
        self.assertEqual({task["request"]["prompt"] for task in self.emulator.report()["tasks"]}, {'A "boat"', "B"})

    def test_the_budget_is_kept_and_what_is_paid_for_is_free(self):
        path = self.simple(6)
        run = self.batch(path, "--max-cost", PRICE * 2.5, "--jobs", 4, code=9)
        self.assertEqual(self.bought(), 2)
        self.assertIn("leaves 4 rows out", run.stderr)
        for file in self.out.iterdir():
            file.unlink()
        self.batch(path, "--max-cost", PRICE * 1.5, "--jobs", 4, code=9)
        self.assertEqual(self.bought(), 3)
        self.assertEqual(len(list(self.out.iterdir())), 3)
        self.batch(path, "--max-cost", PRICE * 3)
        self.assert_made(6)
        self.assertEqual(self.bought(), 6)

    def test_what_fails_costs_no_budget(self):
        self.fault({"phase": "create", "nth": 1}, "failure")
        self.batch(self.simple(3), "--max-cost", PRICE * 2, "--jobs", 1, code=1)
        self.assertEqual(len(list(self.out.iterdir())), 2)

    def test_a_price_that_nobody_knows_is_a_mistake_with_a_budget(self):
        path = self.manifest([{"prompt": "a", "output": "out/a.mp4", "model": "acme/new"}])
        self.assertIn("row 2: the price is not known", self.batch(path, "--max-cost", 5, code=3).stderr)
        self.assertEqual(self.bought(), 0)

    def test_a_row_that_fails_leaves_the_others_alone(self):
        self.fault({"phase": "create", "nth": 2}, "moderation")
        run = self.batch(self.simple(4), "--jobs", 1, code=1)
        self.assertRegex(run.stdout, r"row 3: out/1.mp4: FAILED: ")
        self.assert_made(3)

    def test_a_refused_key_stops_all(self):
        self.fault({"phase": "create"}, "status", status=401)
        run = self.batch(self.simple(10), "--jobs", 2, code=4)
        self.assertIn("not-started", run.stdout)

    def test_an_output_that_was_changed_is_not_taken_for_made(self):
        path = self.simple(3)
        self.batch(path)
        self.assertEqual(self.batch(path).stdout.count("made-before"), 3)
        (self.out / "1.mp4").write_text("edited")
        self.assertIn("row 3: out/1.mp4 exists already", self.batch(path, code=3).stderr)
        self.batch(path, "--force")
        self.assert_made(3)
        (self.out / "2.mp4").unlink()
        self.batch(path)
        self.assert_made(3)
        self.assertEqual(self.bought(), 3)
        self.simple(3, duration=10)  # other requests for the same outputs
        self.assertIn("exists already", self.batch(path, code=3).stderr)
        self.assertEqual(self.bought(), 3)

    def test_the_same_request_twice_is_bought_once(self):
        path = self.manifest([{"prompt": "a", "output": f"out/{i}.mp4"} for i in range(3)])
        self.assertIn("row 3: it asks for the same as row 2", self.batch(path, "--max-cost", PRICE).stderr)
        self.assert_made(3)
        self.assertEqual(self.bought(), 1)

    def test_check_buys_nothing_and_tells_the_price(self):
        self.assertIn("4 rows are right, and what is not paid for will cost about 1.82 USD",
                      self.batch(self.simple(4), "--check", "--max-cost", 5).stdout)
        self.assertEqual(self.bought(), 0)

    def test_money_is_said_once_and_is_what_was_billed(self):
        def generate(prompt, *more, code):
            run = subprocess.run([COMMAND, "generate", "-p", prompt, *more, "--json"], env=self.environment(),
                                 cwd=self.folder, capture_output=True, text=True)
            self.assertEqual(run.returncode, code, run.stdout + run.stderr)
            return envelope.data(run.stdout).get("usd_spent", 0)

        def jobs():
            return envelope.data(subprocess.run([COMMAND, "jobs", "list", "--json"], env=self.environment(),
                                                capture_output=True, text=True, check=True).stdout)["jobs"]

        # one that an earlier run bought whole, one that it bought and left, one of which it lost the answer
        before = generate("replayed", "-o", "earlier.mp4", code=0)
        self.fault({"phase": "poll"}, "status", status=503)
        before += generate("resumed", "-o", "later.mp4", "--timeout", "1", code=7)
        self.assertAlmostEqual(before, 2 * PRICE)
        self.no_faults()
        self.fault({"phase": "create", "nth": 2}, "failure")
        self.fault({"phase": "create", "nth": 3}, "moderation")
        self.fault({"phase": "create", "nth": 4}, "lost-after")
        prompts = ["a", "fails", "moderated", "lost", "replayed", "resumed", "doubled", "doubled", "b"]
        path = self.manifest([{"prompt": prompt, "output": f"out/{i}.mp4"} for i, prompt in enumerate(prompts)])
        run = self.batch(path, "--jobs", 1, "--report", "report", "--max-cost", 5, code=1)
        # and what is made before costs nothing either; these are joined, since both are under way at once
        self.manifest([{"prompt": "joined", "output": f"out/joined{i}.mp4"} for i in range(3)] +
                      [{"prompt": "a", "output": "out/0.mp4"}], "more.csv")
        more = self.batch("more.csv", "--jobs", 3, "--report", "more", "--journal", path.name + ".done", "--json")

        bill = self.emulator.report()["usd"]
        with open(self.folder / "report/report.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        with open(self.folder / "more/report.csv", newline="") as file:
            rows += csv.DictReader(file)
        listed = sum(float(row["usd_spent"] or 0) for row in rows)
        self.assertAlmostEqual(listed, 5 * PRICE)
        self.assertEqual([row["state"] for row in rows].count("made-before"), 1)
        self.assertEqual([row["origin"] for row in rows].count("bought"), 6)  # with the two that failed
        self.assertIn("4 bought for 1.82 USD", run.stdout)
        summary = envelope.data(more.stdout)
        self.assertEqual((summary["bought"], summary["usd_spent"]), (1, PRICE))
        for folder, text in (("report", "<b>1.82 USD</b> this run, for 4 bought"), ("more", "<b>0.455 USD</b> this run, for 1 bought")):
            self.assertIn(text, (self.folder / folder / "index.html").read_text())
        self.assertAlmostEqual(before + listed, bill)
        self.assertAlmostEqual(sum(job.get("usd_spent", 0) for job in jobs()), bill)
        recipe = re.search(r"^aimlvideo jobs list --json \|.*$", (SOURCE / "docs/operating.md").read_text(), re.MULTILINE)[0]
        path = f"{os.path.dirname(COMMAND)}:{os.environ['PATH']}"
        said = subprocess.run(["sh", "-c", recipe], env=self.environment() | {"PATH": path}, capture_output=True, text=True)
        self.assertAlmostEqual(float(said.stdout), bill)
        text = subprocess.run([COMMAND, "jobs"], env=self.environment(), capture_output=True, text=True).stdout
        self.assertEqual(text.splitlines()[-1], f"{len(jobs())} jobs, 3.185 USD")
        self.assertAlmostEqual(bill, 3.185)

    def test_a_bill_that_is_no_amount_lifts_no_cap(self):
        service, said = self.emulator.url, {}

        class Front(http.server.BaseHTTPRequestHandler):
            """The service, but for what it says that it has spent."""
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name: self.headers[name] for name in ("Authorization", "X-Client-Request-Id", "Content-Type")
                           if name in self.headers}
                request = urllib.request.Request(service + self.path, body or None, headers, method=self.command)
                with urllib.request.urlopen(request) as answer:
                    content = re.sub(rb'"usd_spent":[0-9.]+', b'"usd_spent":"%s"' % said["usd"].encode(), answer.read())
                    self.send_response(answer.status)
                    self.send_header("Content-Type", answer.headers["Content-Type"])
                    self.send_header("Content-Length", str(len(content)))
                    self.send_header("x-aimlapi-usd-spent", said["usd"])
                    self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = answer

            def log_message(self, *arguments):
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Front) as front:
            threading.Thread(target=front.serve_forever).start()
            self.addCleanup(front.shutdown)
            for number, said["usd"] in enumerate(("nan", "-1000", "-inf", "1e999"), 1):
                path = self.manifest([{"prompt": f"{said} {i}", "output": f"out/{number}-{i}.mp4"} for i in range(4)])
                run = self.batch(path, "--max-cost", 2.5 * PRICE, "--jobs", 1, "--base-url",
                                 f"http://127.0.0.1:{front.server_port}", "--api-key-file", self.key_file(), code=9)
                self.assertEqual(self.bought(), 2 * number, said)
                self.assertIn("2 bought for at least 0.00 USD", run.stdout)
            front.shutdown()

    def key_file(self):
        (self.folder / "key").write_text(KEY)
        (self.folder / "key").chmod(0o600)
        return self.folder / "key"

    def test_a_cap_that_is_no_amount_is_refused(self):
        path = self.simple(1)
        for amount in ("nan", "-1", "inf", "", "ten", "1,50"):
            with self.subTest(amount=amount):
                self.assertIn("it is an amount in USD", self.batch(path, f"--max-cost={amount}", code=2).stderr)
        self.assertEqual(self.bought(), 0)

    def test_what_may_have_been_bought_counts_as_spent(self):
        self.fault({"phase": "create", "nth": 1}, "lost-after")
        self.fault({"phase": "logs"}, "status", status=404)
        run = self.batch(self.simple(2), "--max-cost", 0.5, "--on-unknown", "resubmit", "--timeout", 20, "--jobs", 1,
                         code=1)
        self.assertRegex(run.stdout, r"row 2: out/0.mp4: FAILED: .*not sent again")
        self.assertIn("over-budget", run.stdout)
        self.assertEqual(self.bought(), 1)

    def test_the_report_is_one_page_with_pictures_and_nothing_in_it_runs(self):
        evil = "<script>alert(1)</script><img src=http://evil/> & \"'"
        path = self.manifest([{"prompt": evil, "output": "out/a.mp4"}, {"prompt": "b", "output": "out/b.webm",
                                                                         "profile": "webm"},
                              {"prompt": "c", "output": "out/c", "profile": "hls"}])
        self.fault({"phase": "create", "nth": 3}, "failure", message="<b>no</b>")
        self.batch(path, "--report", "report", "--jobs", 1, code=1)
        with open(self.folder / "report/report.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["state"] for row in rows], ["made", "made", "failed"])
        self.assertEqual(rows[0]["prompt"], evil)
        self.assertEqual(float(rows[0]["usd_spent"]), PRICE)
        page = Page((self.folder / "report/index.html").read_text())
        # one of the two is data
        self.assertEqual((page.tags["script"], page.tags["img"], page.tags["li"] - page.tags["a"]), (2, 2, 3))
        self.assertIn(evil, page.texts)
        self.assertTrue([text for text in page.texts if "<b>no</b>" in text])
        links = [address for address in page.addresses if not address.startswith("data:image/")]
        self.assertEqual(links, ["../out/a.mp4", "../out/b.webm"])

    def test_nothing_in_a_manifest_acts_on_a_terminal_or_in_a_spreadsheet(self):
        prompts = ["=1+2", "+cmd", "-x", "@SUM(A1)", "\t=1", " =1", "5 - 3"]
        acting = "\x1b]0;x\x07\x9b2J\u202eexe.4pm"
        path = self.manifest([{"prompt": prompt, "output": f"out/{acting}{i}.mp4"} for i, prompt in enumerate(prompts)],
                             "clips.jsonl")
        run = self.batch(path, "--report", "report", "--jobs", 1)
        self.assertIn("out/ ]0;x  2J\ufffdexe.4pm0.mp4: bought", run.stdout)
        # and what programs read is what it was
        told = self.batch(path, "--json").stdout
        for text in (run.stdout, run.stderr, told, (self.folder / "report/index.html").read_text()):
            self.assertNotRegex(text, "[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")
        self.assertEqual(envelope.envelopes(told)[0]["data"]["output"], f"out/{acting}0.mp4")
        with open(self.folder / "report/report.csv", newline="") as file:
            cells = [row["prompt"] for row in csv.DictReader(file)]
        self.assertEqual(cells, ["'=1+2", "'+cmd", "'-x", "'@SUM(A1)", "' =1", "' =1", "5 - 3"])
        (self.folder / "evil.csv").write_text(f"prompt,output\na,no/{acting}\n")
        self.assertNotRegex(self.batch("evil.csv", code=3).stderr, "[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")

    def test_the_name_of_an_output_says_what_is_made_unless_somebody_does(self):
        path = self.manifest([{"prompt": "a", "output": "out/a.webm"}, {"prompt": "a", "output": "out/a.mp4"},
                              {"prompt": "a", "output": "out/b.mp4", "profile": "h264"}])
        self.batch(path)
        codecs = [self.probe(self.folder / name)["video"]["codec_name"] for name in ("out/a.webm", "out/a.mp4", "out/b.mp4")]
        self.assertEqual(codecs, ["vp9", "h264", "h264"])
        wrong = self.manifest([{"prompt": "a", "output": "out/a.avi"}, {"prompt": "a", "output": "out/a"}])
        text = self.batch(wrong, code=3).stderr
        self.assertIn("row 2: it is not known what to make of out/a.avi: no profile makes .avi", text)
        self.assertIn("row 3: it is not known what to make of out/a: its name has no extension", text)
        self.batch(wrong, "--profile", "poster")
        self.assertEqual(self.emulator.report()["billable"], 1)

    def test_quiet_prints_what_failed_and_nothing_else(self):
        run = self.batch(self.simple(2), "--quiet")
        self.assertEqual((run.stdout, run.stderr), ("", ""))

    def test_a_terminal_gets_a_live_table_above_which_the_rows_are_told(self):
        master, slave = pty.openpty()
        process = subprocess.Popen(self.arguments(self.simple(4), "--jobs", 2, "--max-cost", 5), stdout=slave, stderr=slave,
                                   env=self.environment() | {"TERM": "xterm"}, cwd=self.folder)
        os.close(slave)
        output = b""
        with open(master, "rb", buffering=0) as terminal:
            try:
                while data := terminal.read(4096):
                    output += data
            except OSError:
                pass  # how a terminal ends
        self.assertEqual(process.wait(60), 0)
        self.assertRegex(output.decode(), r"(?s)out/\d.mp4  \[#* *\] +\d+ %  \w+ +\d:\d\d(, \d+:\d\d left)?.*"
                                          r"of 4 made, 2 running, 2 waiting.*(; about \d+:\d\d left)?; 0.91 of 5.00 USD committed"
                                          r".*\d\.\d\d USD billed")
        self.assertRegex(output.decode(), r"\033\[J(row \d: out/\d.mp4: bought, 0.455 USD, \d:\d\d\r\n)+")

    def test_a_row_that_waits_has_no_file_no_folder_and_no_pipeline(self):
        self.fault({"phase": "poll"}, "status", status=503)
        path = self.manifest([{"prompt": f"{i}", "output": str(self.out / f"{i}.webm"), "profile": "webm"} for i in range(8)])
        run = Launch(self.emulator, ["batch", str(path), "--jobs", "8"], environment=self.home, program=COMMAND)
        self.addCleanup(run.process.kill)
        self.emulator.wait_until(lambda report: report["billable"] == 8, "the purchases")
        self.assertEqual(os.listdir(self.out), [])
        process = f"/proc/{run.process.pid}"
        open_files = [os.readlink(f"{process}/fd/{number}") for number in os.listdir(f"{process}/fd")]
        self.assertEqual([name for name in open_files if name.startswith(str(self.out))], [])
        threads = [pathlib.Path(f"{process}/task/{task}/comm").read_text() for task in os.listdir(f"{process}/task")]
        self.assertEqual([name for name in threads if re.search(r":src|:sink|aimlvideosrc", name)], [])
        run.interrupt()
        self.assertEqual(run.end()[0], 130)
        self.assertEqual(os.listdir(self.out), [])

    def test_one_process_at_a_time(self):
        self.fault({"phase": "create"}, "endless")
        run = Launch(self.emulator, ["batch", str(self.manifest([{"prompt": "a", "output": str(self.out / "a.mp4")}]))],
                     environment=self.home, program=COMMAND)
        self.emulator.wait_until(lambda report: report["billable"] == 1, "the purchase")
        self.assertIn("another process", self.batch("clips.csv", code=6).stderr)
        run.interrupt()
        code, output = run.end()
        self.assertEqual(code, 130)
        self.assertIn("Run the same command again", output)


class OthersManifest(BatchCase):
    """A manifest that somebody else has written."""

    def setUp(self):
        super().setUp()
        self.work = self.folder / "work"
        self.work.mkdir()
        shutil.copy(IMAGE, self.folder / "outside.jpg")
        shutil.copy(IMAGE, self.work / "inside.jpg")
        (self.folder / "secret.txt").write_text("the secret\n")
        (self.folder / "outside.json").write_text('{"seed": 1}')

    def row(self, code=3, options=(), **row):
        path = self.manifest([{"prompt": "a", "output": "out/a.mp4"} | row], "work/clips.jsonl")
        return self.batch(path, *options, code=code)

    def test_a_row_says_what_is_to_be_made_and_nothing_else(self):
        may = {"prompt", "negative-prompt", "prompt-file", "image", "tail-image", "model", "duration", "aspect-ratio",
               "cfg-scale", "generate-audio", "seed", "parameters", "take", "generation-id"}
        facts = envelope.data(subprocess.run([COMMAND, "help", "--json"], capture_output=True, text=True).stdout)
        options = next(command["options"] for command in facts["commands"] if command["name"] == "generate")
        others = {option["name"] for option in options if option["group"] in ("What to make", "Money", "The service")}
        others -= may | {"dry-run"}  # of generate alone
        self.assertGreaterEqual(others, {"base-url", "api-key-file", "proxy", "timeout", "reuse", "on-unknown", "max-cost"})
        for name in others:
            with self.subTest(name=name):
                self.assertRegex(self.row(**{name: "1"}).stderr,
                                 rf"row 1: the column {name} is not for a manifest: .* command line: --{'check' if name == 'dry-run' else name}")
        self.assertIn("$AIMLAPI_KEY", self.row(**{"api-key": KEY[::-1]}).stderr)
        self.assertEqual(self.emulator.report()["requests"], 0)
        self.assertIn("reuse can't be none", self.row(options=("--reuse", "none")).stderr)

    def test_files_are_read_below_the_folder_of_the_manifest_only(self):
        (self.work / "link.txt").symlink_to(self.folder / "secret.txt")
        (self.work / "link.jpg").symlink_to("../outside.jpg")
        (self.work / "away").symlink_to(self.folder)
        (self.work / "again.json").write_text(f"@{self.folder}/outside.json")
        inside = {"model": "klingai/video-v2-6-pro-image-to-video"}
        for row in ({"prompt": "", "prompt-file": "secret.txt"}, {"prompt": "", "prompt-file": "work/link.txt"},
                    {"prompt": "", "prompt-file": str(self.folder / "secret.txt")},
                    {"prompt": "", "prompt-file": "work/away/secret.txt"},
                    {"prompt": "", "prompt-file": "/proc/self/environ"},
                    {"image": "outside.jpg"}, {"image": "work/../outside.jpg"}, {"image": "work/link.jpg"},
                    {"image": (self.folder / "outside.jpg").as_uri()}, {"image": "work/inside.jpg", "tail-image": "outside.jpg"},
                    {"parameters": "@outside.json"}, {"parameters": "@work/again.json"},
                    inside | {"parameters": {"image_url": "outside.jpg"}},
                    inside | {"parameters": {"image_url": (self.folder / "outside.jpg").as_uri()}}):
            with self.subTest(row=row):
                self.assertRegex(self.row(**row).stderr, "row 1: .*(outside the manifest's folder|no JSON object)")
                self.assertNotIn("the secret", self.row(**row).stderr)
        self.assertEqual(self.bought(), 0)

    def test_a_file_that_has_lost_its_name_is_outside(self):
        path = self.manifest([{"prompt-file": "/proc/self/fd/0", "output": "out/a.mp4"}], "work/clips.jsonl")
        with tempfile.TemporaryFile() as secret:
            secret.write(b"the secret")
            secret.flush()
            run = subprocess.run(self.arguments(path), env=self.environment(), cwd=self.folder, stdin=secret,
                                 capture_output=True, text=True)
        self.assertEqual(run.returncode, 3, run.stdout + run.stderr)
        self.assertIn("outside the manifest's folder", run.stderr)
        self.assertEqual(self.bought(), 0)

    def test_files_below_it_are_read_and_elsewhere_where_the_command_line_says_so(self):
        (self.work / "prompt.txt").write_text("from a file\n")
        (self.work / "more.json").write_text('{"negative_prompt": "rain"}')
        self.row(code=0, **{"prompt": "", "prompt-file": "work/prompt.txt", "parameters": "@work/more.json",
                            "image": "work/inside.jpg"})
        task = self.emulator.report()["tasks"][0]["request"]
        self.assertEqual((task["prompt"], task["parameters"]["negative_prompt"]), ("from a file", "rain"))
        # it is the same request as the one that says it all by itself
        self.row(code=0, output="out/b.mp4", prompt="from a file", parameters={"negative_prompt": "rain"},
                 image=(self.work / "inside.jpg").as_uri())
        self.assertEqual(self.bought(), 1)
        self.row(code=0, options=("--files-from", self.folder), image="outside.jpg", output="out/c.mp4")
        for option in ("--files-from", "--outputs-to"):
            self.assertIn(f'{option} can\'t be "nowhere": there is no such folder', self.row(code=2, options=(option, "nowhere")).stderr)
        self.assertEqual(self.bought(), 2)

    def test_outputs_stay_below_the_manifest_and_the_present_folder(self):
        with tempfile.TemporaryDirectory() as elsewhere:
            (self.work / "away").symlink_to(elsewhere)
            for output in (f"{elsewhere}/a.mp4", "../a.mp4", "work/away/a.mp4", "/a.mp4"):
                with self.subTest(output=output):
                    self.assertIn("--outputs-to", self.row(output=output).stderr)
            self.assertEqual(self.bought(), 0)
            self.row(code=0, output=f"{elsewhere}/a.mp4", options=("--outputs-to", elsewhere))
            self.assertEqual(os.listdir(elsewhere), ["a.mp4"])

    def test_force_replaces_neither_the_manifest_nor_what_a_clip_is_made_from(self):
        path = self.work / "clips.jsonl"
        for row in ({"output": "work/clips.jsonl", "profile": "mp4"},
                    {"output": "work/../work/clips.jsonl.done", "profile": "mp4"},
                    {"output": "work/inside.jpg", "image": "work/inside.jpg", "profile": "poster"}):
            with self.subTest(row=row):
                text = self.row(options=("--force",), **row).stderr
                self.assertIn("one of the files that this is made from", text)
                self.assertIn('"prompt"', path.read_text())
        (self.folder / "clips.csv").write_text("prompt,output\na,out/a.mp4\n")
        shutil.copy(self.folder / "clips.csv", self.work / "report.csv")
        self.batch("work/report.csv", "--report", "work", code=3)
        self.batch("clips.csv", "--journal", "clips.csv", code=3)
        self.batch("clips.csv", "--journal", "work/index.html", "--report", "work", code=3)
        self.assertEqual((self.work / "report.csv").read_text(), (self.folder / "clips.csv").read_text())
        self.assertEqual(self.bought(), 0)

    def test_a_journal_follows_no_link(self):
        (self.folder / "precious").write_text("precious")
        (self.work / "clips.jsonl.done").symlink_to(self.folder / "precious")
        self.assertIn("symbolic link", self.row(code=None).stderr)
        (self.work / "clips.jsonl.done").unlink()
        (self.work / "clips.jsonl.done").hardlink_to(self.folder / "precious")
        self.assertIn("hard-linked", self.row(code=None).stderr)
        self.assertEqual((self.folder / "precious").read_text(), "precious")
        self.assertEqual(self.bought(), 0)


class Interrupted(BatchCase):
    def settle_what_never_arrived(self):
        """As a user does who finds nothing in the account's logs. Until then nothing is sent again."""
        def jobs(*arguments):
            return subprocess.run([COMMAND, "jobs", *arguments], env=self.environment(), capture_output=True, text=True,
                                  check=True).stdout
        lost = [job for job in envelope.data(jobs("list", "--unfinished", "--json"))["jobs"] if job["state"] == "sent"]
        arrived = {task["client_request_id"] for task in self.emulator.report()["tasks"]}
        for job in lost:
            self.assertNotIn(job["client_request_id"], arrived)
            jobs("resolve", str(job["id"]), "--not-bought")
        return len(lost)

    def test_kill_9_in_the_middle_and_the_same_command_again_buys_each_row_once(self):
        path = self.simple(ROWS)
        for share in (0.3, 0.6):
            process = subprocess.Popen(self.arguments(path, "--jobs", 8), env=self.environment(), cwd=self.folder,
                                       stdout=subprocess.DEVNULL)
            self.emulator.wait_until(lambda report: report["billable"] >= ROWS * share, "the purchases")
            process.kill()
            process.wait()
        first = self.batch(path, "--jobs", 8, "--timeout", 15, code=None)
        lost = self.settle_what_never_arrived()
        print(f"{lost} were killed between the ledger's `sent` and the request's arrival", flush=True)
        self.assertEqual(first.returncode == 0, lost == 0, first.stdout[-3000:] + first.stderr[-3000:])
        run = self.batch(path, "--jobs", 8, "--report", "report")
        self.assertIn(f"{ROWS} of {ROWS} made", run.stdout)
        self.assert_made(ROWS)
        prompts = collections.Counter(task["request"]["prompt"] for task in self.emulator.report()["tasks"])
        self.assertEqual((len(prompts), set(prompts.values())), (ROWS, {1}))
        self.assertEqual(self.bought(), ROWS)
        requests = self.emulator.report()["requests"]
        self.batch(path, "--jobs", 8)
        self.assertEqual(self.emulator.report()["requests"], requests)
        with open(self.folder / "report/report.csv", newline="") as file:
            self.assertEqual(len(list(csv.reader(file))), ROWS + 1)


class Stopped(BatchCase):
    emulator_options = BatchCase.emulator_options + ("--generation-time", "60")

    def test_an_interruption_leaves_nothing_to_look_up_that_never_left(self):
        said, doubtful = 0, 0
        for accepted in (5, 20, 35, 50, 65):
            rows = [{"prompt": f"{accepted} {i}", "output": f"out/{i}.mp4"} for i in range(100)]
            process = subprocess.Popen(self.arguments(self.manifest(rows), "--jobs", 100, "--json"), cwd=self.folder,
                                       env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            before = self.bought()
            while self.bought() < before + accepted:
                pass
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate()
            self.assertEqual(process.returncode, 130)
            doubtful += int((re.search(r"(\d+) rows were sent and not answered", errors) or ["", 0])[1])
            said += envelope.data(output)["bought"]
        jobs = envelope.data(subprocess.run([COMMAND, "jobs", "list", "--json"], env=self.environment(), check=True,
                                            capture_output=True, text=True).stdout)["jobs"]
        arrived = {task["client_request_id"] for task in self.emulator.report()["tasks"]}
        self.assertEqual([job for job in jobs if job["state"] == "sent" and job["client_request_id"] not in arrived], [])
        states = collections.Counter(job["state"] for job in jobs)
        self.assertEqual((said, doubtful), (states["running"], states["sent"]))


class Throughput(BatchCase):
    def test_how_many_a_second(self):
        for at_once, count in ((1, 20), (8, 100), (64, 300)):
            path = self.manifest([{"prompt": f"{at_once} {i}", "output": f"out/{at_once}-{i}.mp4"} for i in range(count)])
            begun = time.monotonic()
            self.batch(path, "--jobs", at_once)
            seconds = time.monotonic() - begun
            print(f"{at_once} at once: {count} clips in {seconds:.1f} s, {count / seconds:.1f} a second", file=sys.stderr)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    cases = [Batch, OthersManifest, Interrupted, Stopped]
    if "--rows" in arguments:
        ROWS = int(arguments[arguments.index("--rows") + 1])
        cases = [Interrupted]
    elif "--measure" in arguments:
        cases = [Throughput]
    suite = unittest.TestSuite(unittest.defaultTestLoader.loadTestsFromTestCase(case) for case in cases)
    sys.exit(0 if unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful() else 1)
