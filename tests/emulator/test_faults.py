#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What goes wrong, goes wrong as it was asked for: each kind of fault, and the rules that choose requests."""

import json
import re
import socket
import tempfile
import time
import unittest
import urllib.parse

from harness import ANY_CLIP, TEXT_MODEL, UNIVERSAL, Emulator, EmulatorTest, until, url_of

BODY = json.dumps({"model": TEXT_MODEL, "prompt": "a fox"}).encode()


class FaultTest(EmulatorTest):
    options = (*ANY_CLIP, "--seed", "3")

    def raw(self, method="GET", target="/v1/models?id=x", body=b"", timeout=20, headers=""):
        """All bytes of an answer until the connection ends, and how it ends: "end", "reset" or "silence"."""
        parts = urllib.parse.urlsplit(self.emulator.base)
        key = "" if target.startswith("/clips/") else "Authorization: Bearer k\r\n"
        with socket.create_connection((parts.hostname, parts.port), timeout) as connection:
            connection.sendall(f"{method} {target} HTTP/1.1\r\nHost: {parts.netloc}\r\n{key}{headers}"
                               f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
            received = b""
            while True:
                try:
                    block = connection.recv(65536)
                except ConnectionResetError:
                    return received, "reset"
                except TimeoutError:
                    return received, "silence"
                if not block:
                    return received, "end"
                received += block

    def clip_target(self):
        url = self.emulator.clip_url()
        self.emulator.call("GET", url, key=None)
        return url[len(self.emulator.base):]

    def clip(self, target, **headers):
        return self.emulator.call("GET", target, key=None, headers={k.replace("_", "-"): v for k, v in headers.items()})


class Lost(FaultTest):
    def test_an_answer_lost_before_accepting_bought_nothing(self):
        self.emulator.fault("create", "lost-before")
        self.assertEqual(self.raw("POST", UNIVERSAL, BODY), (b"", "end"))
        self.assertEqual(self.emulator.report()["billable"], 0)

    def test_an_answer_lost_after_accepting_bought_a_generation(self):
        self.emulator.fault("create", "lost-after")
        headers = "X-Client-Request-Id: lost-1\r\n"
        self.assertEqual(self.raw("POST", UNIVERSAL, BODY, headers=headers), (b"", "end"))
        report = self.emulator.report()
        self.assertEqual((report["billable"], report["tasks"][0]["client_request_id"]), (1, "lost-1"))
        rows = until(lambda: [r for r in self.emulator.call("GET", "/v2/logs?period=24h").json["data"]
                              if r["client_request_id"] == "lost-1"], "the row")
        self.assertEqual(rows[0]["inference_id"], report["tasks"][0]["id"])

    def test_a_reset_is_a_reset_before_the_answer_and_within_it(self):
        self.emulator.fault("create", "reset")
        self.assertEqual(self.raw("POST", UNIVERSAL, BODY), (b"", "reset"))
        self.assertEqual(self.emulator.report()["billable"], 0)
        target = self.clip_target()
        self.emulator.fault("clip", "reset", bytes=1000)
        received, end = self.raw(target=target)
        self.assertEqual(end, "reset")
        self.assertLessEqual(len(received.partition(b"\r\n\r\n")[2]), 1000)

    def test_a_fault_can_strike_before_or_after_the_request_is_accepted(self):
        self.emulator.fault("create", "reset", accepted=True)
        self.raw("POST", UNIVERSAL, BODY)
        self.assertEqual(self.emulator.report()["billable"], 1)
        self.emulator.fault("create", "html", accepted=False)
        self.emulator.create()
        self.assertEqual(self.emulator.report()["billable"], 1)


class Statuses(FaultTest):
    def test_every_error_status_comes_with_the_documented_body(self):
        for status in (400, 401, 402, 403, 404, 405, 408, 409, 410, 413, 422, 429, 500, 501, 502, 503, 504, 520):
            with self.subTest(status):
                self.emulator.fault("create", "status", status=status)
                answer = self.emulator.create()
                self.assertEqual((answer.status, answer.json["statusCode"]), (status, status))
                self.assertEqual(set(answer.json), {"message", "path", "requestId", "statusCode", "timestamp"})
        self.assertEqual(self.emulator.report()["billable"], 0)

    def test_retry_after_is_absent_or_seconds_or_a_date(self):
        self.emulator.fault("poll", "status", status=429)
        self.assertNotIn("Retry-After", self.emulator.poll("x").headers)
        self.emulator.fault("poll", "status", status=429, retry_after=7)
        self.assertEqual(self.emulator.poll("x").headers["Retry-After"], "7")
        self.emulator.fault("poll", "status", status=503, retry_after=60, retry_after_as_date=True)
        self.assertRegex(self.emulator.poll("x").headers["Retry-After"], r"^\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT$")

    def test_the_body_can_be_given(self):
        self.emulator.fault("create", "status", status=403, body={"name": "ForbiddenException", "message": "no card"})
        self.assertEqual(self.emulator.create().json["name"], "ForbiddenException")
        self.emulator.fault("create", "status", status=500, body="plain\ntext", content_type="text/x-odd")
        answer = self.emulator.create()
        self.assertEqual((answer.body, answer.headers["Content-Type"]), (b"plain\ntext", "text/x-odd"))
        self.emulator.fault("create", "status", status=500, message="The model is under maintenance")
        self.assertEqual(self.emulator.create().json["message"], "The model is under maintenance")

    def test_an_accepted_request_can_be_answered_with_an_error(self):
        self.emulator.fault("create", "status", status=504, accepted=True)
        self.assertEqual(self.emulator.create().status, 504)
        self.assertEqual(self.emulator.report()["billable"], 1)


class Bodies(FaultTest):
    def test_html_empty_and_invalid_json(self):
        generation = self.emulator.create().json["id"]
        self.emulator.fault("poll", "html")
        answer = self.emulator.poll(generation)
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "text/html"))
        self.assertIn(b"<html>", answer.body)
        self.emulator.fault("poll", "html", status=502)
        self.assertEqual(self.emulator.poll(generation).status, 502)
        self.emulator.fault("poll", "empty")
        self.assertEqual((self.emulator.poll(generation).status, self.emulator.poll(generation).status), (200, 200))
        self.emulator.fault("poll", "empty", status=204)
        self.assertEqual(self.emulator.poll(generation).body, b"")
        self.emulator.fault("poll", "invalid-json")
        with self.assertRaises(ValueError):
            self.emulator.poll(generation).json
        self.emulator.fault("poll", "invalid-json", body="{'id': 1}")
        self.assertEqual(self.emulator.poll(generation).body, b"{'id': 1}")
        self.assertEqual(self.emulator.poll(generation).json["id"], generation)

    def length_and_body(self, target="/v1/models"):
        received, end = self.raw(target=target)
        self.assertEqual(end, "end")
        head, _, body = received.partition(b"\r\n\r\n")
        return int(re.search(rb"Content-Length: (\d+)", head)[1]), body

    def test_a_truncated_body_is_shorter_than_its_length_says(self):
        whole = self.emulator.call("GET", "/v1/models").body
        self.emulator.fault("models", "truncated", bytes=100)
        self.assertEqual(self.length_and_body(), (len(whole), whole[:100]))
        target = self.clip_target()
        size = len(self.clip(target).body)
        self.emulator.fault("clip", "truncated")
        length, body = self.length_and_body(target)
        self.assertEqual((length, len(body)), (size, size // 2))

    def test_a_wrong_length_may_be_too_small_or_too_large(self):
        whole = self.emulator.call("GET", "/v1/models").body
        for delta in (-16, 16):
            self.emulator.fault("models", "wrong-length", delta=delta)
            self.assertEqual(self.length_and_body(), (len(whole) + delta, whole))

    def test_a_chunked_body_has_no_length(self):
        target = self.clip_target()
        whole = self.clip(target).body
        self.emulator.fault("clip", "chunked")
        answer = self.clip(target)
        self.assertEqual(answer.headers["Transfer-Encoding"], "chunked")
        self.assertNotIn("Content-Length", answer.headers)
        self.assertEqual(answer.body, whole)

    def test_a_slow_body_drips(self):
        whole = self.emulator.call("GET", "/v1/models?id=" + TEXT_MODEL).body
        self.emulator.fault("models", "slow", bytes_per_second=len(whole))
        start = time.monotonic()
        self.assertEqual(self.emulator.call("GET", "/v1/models?id=" + TEXT_MODEL).body, whole)
        self.assertGreater(time.monotonic() - start, 0.5)


class Stalls(FaultTest):
    def test_a_stall_lasts_until_it_is_released(self):
        import threading
        self.emulator.fault("create", "stall")
        ends = []
        thread = threading.Thread(target=lambda: ends.append(self.raw("POST", UNIVERSAL, BODY, timeout=60)))
        thread.start()
        until(lambda: self.emulator.report()["faults"].get("stall"), "the stall")
        self.assertEqual(self.emulator.report()["billable"], 1)
        until(lambda: self.emulator.call("POST", "/emulator/release", key=None).json["released"] == 1, "the release")
        thread.join()
        self.assertEqual(ends, [(b"", "end")])

    def test_a_stall_may_come_within_the_body_and_ends_when_the_client_leaves(self):
        target = self.clip_target()
        self.emulator.fault("clip", "stall", bytes=500)
        received, end = self.raw(target=target, timeout=0.3)
        self.assertEqual((len(received.partition(b"\r\n\r\n")[2]), end), (500, "silence"))
        until(lambda: self.emulator.call("POST", "/emulator/release", key=None).json["released"] == 0, "the end")


class ClipFaults(FaultTest):
    def setUp(self):
        super().setUp()
        self.target = self.clip_target()
        self.whole = self.clip(self.target).body

    def test_a_wrong_content_range(self):
        self.emulator.fault("clip", "wrong-content-range")
        answer = self.clip(self.target, Range="bytes=10-19")
        self.assertEqual((answer.status, answer.body), (206, self.whole[10:20]))
        self.assertEqual(answer.headers["Content-Range"], f"bytes 11-20/{len(self.whole) + 1}")
        self.emulator.fault("clip", "wrong-content-range", value="nonsense")
        self.assertEqual(self.clip(self.target, Range="bytes=10-19").headers["Content-Range"], "nonsense")

    def test_an_ignored_range(self):
        self.emulator.fault("clip", "ignored-range")
        answer = self.clip(self.target, Range="bytes=10-19")
        self.assertEqual((answer.status, answer.body), (200, self.whole))
        self.assertNotIn("Accept-Ranges", answer.headers)

    def test_a_changing_etag(self):
        self.emulator.faults({"match": {"phase": "clip"}, "fault": {"kind": "changing-etag"}})
        first, second = self.clip(self.target), self.clip(self.target)
        self.assertNotEqual(first.headers["ETag"], second.headers["ETag"])
        self.assertEqual(self.clip(self.target, Range="bytes=1-2", If_Range=first.headers["ETag"]).status, 200)

    def test_an_expired_link_stays_expired_and_the_next_poll_tells_a_new_one(self):
        self.emulator.fault("clip", "expired-link")
        generation = self.emulator.report()["tasks"][0]["id"]
        self.assertEqual(self.clip(self.target).status, 403)
        self.assertEqual(self.clip(self.target).status, 403)
        fresh = url_of(self.emulator.poll(generation).json)
        self.assertNotEqual(fresh, self.emulator.base + self.target)
        self.assertEqual(self.clip(fresh).body, self.whole)

    def test_an_expired_link_may_say_so_in_other_words(self):
        self.emulator.fault("clip", "expired-link", status=410)
        self.assertEqual(self.clip(self.target).status, 410)

    def test_a_moved_link_redirects(self):
        self.emulator.fault("clip", "moved-link")
        moved = self.clip(self.target)
        self.assertEqual(moved.status, 302)
        self.assertEqual(self.clip(moved.headers["Location"]).body, self.whole)
        self.emulator.fault("clip", "moved-link", status=307, target="https://elsewhere.example/x.mp4")
        moved = self.clip(self.target)
        self.assertEqual((moved.status, moved.headers["Location"]), (307, "https://elsewhere.example/x.mp4"))

    def test_a_moved_link_may_lead_nowhere(self):
        self.emulator.faults({"match": {"phase": "clip"}, "fault": {"kind": "moved-link", "loop": True}})
        location = self.clip(self.target).headers["Location"]
        self.assertEqual(self.clip(location).headers["Location"], location)


class Generations(FaultTest):
    def test_moderation_ends_a_generation_with_an_error_that_costs_nothing(self):
        self.emulator.fault("create", "moderation")
        failed = self.emulator.generate().json
        self.assertEqual(failed["status"], "error")
        self.assertEqual(failed["error"]["name"], "ContentModerationError")
        self.assertEqual(self.emulator.report()["usd"], 0)

    def test_a_failure_says_what_it_is_told(self):
        self.emulator.fault("create", "failure", name="InternalError", message="the GPU caught fire")
        self.assertEqual(self.emulator.generate().json["error"], {"name": "InternalError", "message": "the GPU caught fire"})

    def test_an_unknown_state_of_one_poll_and_of_a_whole_generation(self):
        generation = self.emulator.create().json["id"]
        self.emulator.fault("poll", "unknown-state", state="streaming")
        self.assertEqual(self.emulator.poll(generation).json["status"], "streaming")
        self.emulator.fault("create", "unknown-state")
        answer = self.emulator.wait(self.emulator.create().json["id"], pending=("dreaming", "queued", "generating"))
        self.assertEqual(answer.json["status"], "completed")
        self.assertEqual(set(answer.states), {"dreaming", "completed"})

    def test_an_endless_generation_never_ends(self):
        self.emulator.fault("create", "endless")
        endless = self.emulator.create().json["id"]
        self.emulator.generate(prompt="another one, which ends")
        until(lambda: self.emulator.poll(endless).json["status"] == "generating", "generating")
        self.assertEqual(self.emulator.report()["unfinished"], 1)

    def test_a_create_may_answer_with_the_finished_clip(self):
        self.emulator.fault("create", "completed-at-once")
        created = self.emulator.create().json
        self.assertEqual(created["status"], "completed")
        self.assertEqual(self.clip(url_of(created)).status, 200)


class Rules(FaultTest):
    def statuses(self, count, path="/v1/models?id=x"):
        return [self.emulator.call("GET", path).status for _ in range(count)]

    def rule(self, status=500, **match):
        return {"match": match, "fault": {"kind": "status", "status": status}}

    def test_the_nth_request(self):
        self.emulator.faults(self.rule(phase="models", nth=3))
        self.assertEqual(self.statuses(5), [200, 200, 500, 200, 200])

    def test_a_window_of_requests(self):
        self.emulator.faults(self.rule(**{"phase": "models", "from": 2, "to": 3}))
        self.assertEqual(self.statuses(5), [200, 500, 500, 200, 200])

    def test_a_share_of_requests_is_the_same_for_the_same_seed(self):
        seen = []
        for seed in (1, 1, 2):
            self.emulator.faults(self.rule(phase="models", share=0.3, seed=seed))
            seen.append(self.statuses(60))
        self.assertEqual(seen[0], seen[1])
        self.assertNotEqual(seen[0], seen[2])
        self.assertTrue(8 < seen[0].count(500) < 30, seen[0])

    def test_a_path(self):
        self.emulator.faults(self.rule(path="id=bad"))
        self.assertEqual(self.statuses(1) + self.statuses(1, "/v1/models?id=bad"), [200, 500])

    def test_a_pattern_that_would_take_for_ever_is_given_up(self):
        path = "/v1/models?id=" + "a" * 1900 + "b"
        for pattern in ("(a+)+$", "(a|a)*c", "(.*)*(.*)*(.*)*x", "(a?){40}a{40}c"):
            with self.subTest(pattern):
                self.emulator.faults(self.rule(path=pattern))
                start = time.monotonic()
                self.assertEqual(self.statuses(5, path), [200] * 5)
                self.assertLess(time.monotonic() - start, 5)
        answer = self.emulator.call("PUT", "/emulator/faults", [self.rule(path="a" * 1001)])
        self.assertEqual(answer.status, 400)

    def test_a_fault_counts_only_the_requests_that_it_can_strike(self):
        self.emulator.faults({"match": {"nth": 1}, "fault": {"kind": "endless"}})
        self.statuses(2)
        self.assertEqual([(r["seen"], r["applied"]) for r in self.emulator.report()["rules"]], [(0, 0)])
        self.emulator.create()
        self.assertEqual(self.emulator.report()["tasks"][0]["faults"], ["endless"])

    def test_the_first_rule_that_applies_wins_and_all_count_what_they_see(self):
        self.emulator.faults(self.rule(phase="models", nth=2), self.rule(502, phase="models"))
        self.assertEqual(self.statuses(3), [502, 500, 502])
        rules = self.emulator.report()["rules"]
        self.assertEqual([(r["seen"], r["applied"]) for r in rules], [(3, 1), (3, 2)])
        self.assertEqual(self.emulator.report()["faults"], {"status": 3})

    def test_rules_can_be_added_listed_and_removed(self):
        self.emulator.faults(self.rule(phase="models"))
        number = self.emulator.call("POST", "/emulator/faults", self.rule(502, phase="poll")).json["rules"][1]["number"]
        self.assertEqual(self.emulator.poll("x").status, 502)
        self.assertEqual(self.emulator.call("DELETE", f"/emulator/faults/{number}").status, 200)
        self.assertEqual(self.emulator.call("DELETE", f"/emulator/faults/{number}").status, 404)
        self.assertEqual(self.emulator.poll("x").status, 404)
        self.assertEqual(len(self.emulator.call("GET", "/emulator/faults").json["rules"]), 1)
        self.emulator.call("DELETE", "/emulator/faults")
        self.assertEqual(self.statuses(1), [200])

    def test_a_rule_that_makes_no_sense_is_refused_as_a_whole(self):
        self.emulator.faults(self.rule(phase="models"))
        good = self.rule(phase="models")
        for bad in ({"match": {"phase": "lunch"}, "fault": {"kind": "html"}}, {"match": {}, "fault": {"kind": "gremlin"}},
                    {"match": {"nth": 0}, "fault": {"kind": "html"}}, {"match": {"share": 2}, "fault": {"kind": "html"}},
                    {"match": {"path": "("}, "fault": {"kind": "html"}}, {"match": {"n": 1}, "fault": {"kind": "html"}},
                    {"match": {"phase": "poll"}, "fault": {"kind": "endless"}},
                    {"match": {}, "fault": {"kind": "status", "retry-after": 5}}, {"fault": {}}, 5):
            with self.subTest(bad):
                answer = self.emulator.call("PUT", "/emulator/faults", [good, bad])
                self.assertEqual(answer.status, 400)
                self.assertIn("rule 2", answer.json["message"])
        self.assertEqual(len(self.emulator.call("GET", "/emulator/faults").json["rules"]), 1)

    def test_another_web_page_may_not_change_them(self):
        answer = self.emulator.call("POST", "/emulator/reset", headers={"Origin": "https://evil.example"})
        self.assertEqual(answer.status, 403)
        answer = self.emulator.call("POST", "/emulator/reset", headers={"Origin": self.emulator.base})
        self.assertEqual(answer.status, 200)


class Scenario(unittest.TestCase):
    def test_a_scenario_file_is_loaded_at_the_start(self):
        rules = {"faults": [{"match": {"phase": "create", "nth": 1}, "fault": {"kind": "status", "status": 503}}]}
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(rules, file)
            file.flush()
            with Emulator(*ANY_CLIP, "--scenario", file.name) as emulator:
                self.assertEqual([emulator.create().status for _ in range(2)], [503, 200])


class Latency(unittest.TestCase):
    def test_each_answer_of_the_service_waits(self):
        with Emulator(*ANY_CLIP, "--latency", "0.3") as emulator:
            start = time.monotonic()
            emulator.poll("x")
            self.assertGreater(time.monotonic() - start, 0.29)
            start = time.monotonic()
            emulator.report()
            self.assertLess(time.monotonic() - start, 0.29)


if __name__ == "__main__":
    unittest.main()
