#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The models, the logs and the account's money."""

import datetime
import json
import os
import unittest
import urllib.parse

from harness import ANY_CLIP, IMAGE_MODEL, KLING, TEXT_MODEL, Emulator, EmulatorTest, until


class Models(EmulatorTest):
    options = ANY_CLIP

    def models(self, query=""):
        answer = self.emulator.call("GET", "/v1/models" + query, key=None)
        self.assertEqual(answer.status, 200)
        return answer.json["data"]

    def test_no_key_is_needed_and_all_models_are_listed(self):
        models = self.models()
        with open(os.environ["AIMLAPI_CATALOGUE"], encoding="utf-8") as file:
            self.assertEqual([m["id"] for m in models], [m["id"] for m in json.load(file)["models"]])
        self.assertEqual({m["type"] for m in models}, {"internal/video-generations/submit"})
        self.assertIn("model=klingai%2Fvideo-v2-6-pro-text-to-video", next(
            m for m in models if m["id"] == TEXT_MODEL)["info"]["docsJson"])

    def test_a_model_is_found_by_id_and_by_alias(self):
        self.assertEqual([m["id"] for m in self.models("?id=" + TEXT_MODEL)], [TEXT_MODEL])
        self.assertEqual([m["id"] for m in self.models("?id=sora-2-i2v")], ["openai/sora-2-i2v"])
        self.assertEqual(self.models("?id=no/such"), [])

    def test_models_are_filtered_by_what_they_do(self):
        images = self.models("?capabilities=image_to_video")
        self.assertIn(IMAGE_MODEL, [m["id"] for m in images])
        self.assertNotIn(TEXT_MODEL, [m["id"] for m in images])
        self.assertEqual(len(self.models("?capabilities=image_to_video,text_to_video&output_modalities=video")),
                         len(set(m["id"] for m in self.models() if {"image_to_video", "text_to_video"} & set(m["capabilities"]))))
        self.assertEqual(self.models("?output_modalities=image"), [])

    def test_prices_come_when_they_are_asked_for(self):
        self.assertNotIn("pricing", self.models("?id=" + TEXT_MODEL)[0])
        fixed = self.models(f"?id={TEXT_MODEL}&include=pricing")[0]["pricing"]
        self.assertEqual(fixed["kind"], "fixed")
        self.assertEqual(set(fixed["units"][0]), {"name", "measure", "price", "per"})
        # the vendor's form: the unit is in name, measure is its direction
        self.assertEqual((fixed["units"][0]["name"], fixed["units"][0]["measure"]), ("second", "output"))
        variants = self.models("?id=pixverse/v5/text-to-video&include=pricing")[0]["pricing"]
        self.assertEqual((variants["kind"], variants["dimensions"]), ("variants", ["resolution"]))
        self.assertIn("resolution", variants["variants"][0]["when"])

    def test_the_price_list_is_what_is_charged(self):
        price = self.models(f"?id={TEXT_MODEL}&include=pricing")[0]["pricing"]["units"][0]["price"]
        usage = self.emulator.create(duration=10).json["meta"]["usage"]
        self.assertAlmostEqual(usage["usd_spent"], price * 10)
        self.assertAlmostEqual(usage["credits_used"], price * 10 * 2e6)

    def test_one_model_has_its_own_address_with_plain_slashes(self):
        answer = self.emulator.call("GET", f"/model/{TEXT_MODEL}?include=pricing", key=None)
        self.assertEqual((answer.status, answer.json["object"]), (200, "model"))
        self.assertEqual(answer.json["data"]["id"], TEXT_MODEL)
        self.assertIn("pricing", answer.json["data"])
        self.assertEqual(self.emulator.call("GET", "/model/no/such", key=None).status, 404)
        escaped = urllib.parse.quote(TEXT_MODEL, safe="")
        self.assertEqual(self.emulator.call("GET", "/model/" + escaped, key=None).status, 404)

    def test_a_known_list_is_not_sent_again(self):
        etag = self.emulator.call("GET", "/v1/models", key=None).headers["ETag"]
        again = self.emulator.call("GET", "/v1/models", key=None, headers={"If-None-Match": etag})
        self.assertEqual((again.status, again.body), (304, b""))
        other = self.emulator.call("GET", "/v1/models?include=pricing", key=None, headers={"If-None-Match": etag})
        self.assertEqual(other.status, 200)

    def test_each_model_has_a_description_at_the_address_that_the_list_names(self):
        for model in self.models():
            url = model["info"]["docsJson"]
            self.assertTrue(url.startswith(self.emulator.base), url)
        description = self.emulator.call("GET", self.models("?id=minimax/hailuo-02")[0]["info"]["docsJson"], key=None).json
        schema = description["paths"]["/v2/video/generations"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        self.assertEqual(schema["properties"]["model"]["enum"], ["minimax/hailuo-02"])
        self.assertEqual(schema["properties"]["duration"]["enum"], [6, 10])
        self.assertIn("prompt", schema["required"])
        self.assertEqual(self.emulator.call("GET", "/docs-json?model=no/such", key=None).status, 404)

    def test_models_that_are_given_up_are_listed_by_state_and_date(self):
        rows = {}
        for path in ("/v1/models/deprecations", "/models/deprecated", "/api/v1/models/deprecations"):
            answer = self.emulator.call("GET", path, key=None)
            rows = {row["status"]: row for row in answer.json["data"]}
            self.assertEqual(set(rows), {"deprecated", "withdrawn", "superseded"})
        again = self.emulator.call("GET", "/v1/models/deprecations", key=None, headers={"If-None-Match": answer.headers["ETag"]})
        self.assertEqual(again.status, 304)
        self.assertIsNone(rows["superseded"]["shutdown_at"])
        self.assertEqual(set(rows["withdrawn"]), {"id", "aliases", "status", "deprecated_at", "shutdown_at", "replaced_by", "reason"})
        self.assertEqual(self.emulator.create(rows["withdrawn"]["id"]).status, 404)
        for query, states in (("?status=WITHDRAWN,superseded", {"withdrawn", "superseded"}), ("?status=lost", set(rows)),
                              ("?since=2026-08-01", {"deprecated"})):
            found = self.emulator.call("GET", "/v1/models/deprecations" + query, key=None).json["data"]
            self.assertEqual({row["status"] for row in found}, states, query)

    def test_the_list_has_three_addresses(self):
        bodies = {self.emulator.call("GET", path + "?id=" + TEXT_MODEL, key=None).body
                  for path in ("/v1/models", "/models", "/api/v1/models")}
        self.assertEqual(len(bodies), 1)

    def test_metrics(self):
        metrics = self.emulator.call("GET", "/models/metrics?id=" + TEXT_MODEL, key=None).json["data"]
        self.assertEqual(metrics, [{"id": TEXT_MODEL, "latency_seconds": 152}])


class LogTest(EmulatorTest):
    options = ANY_CLIP

    def logs(self, query="period=24h", status=200):
        answer = self.emulator.call("GET", "/v2/logs?" + query)
        self.assertEqual(answer.status, status, answer.body)
        return answer.json

    def row_of(self, client_request_id, query="period=24h&limit=100"):
        return next((r for r in self.logs(query)["data"] if r["client_request_id"] == client_request_id), None)


class Logs(LogTest):
    def test_a_completed_generation_is_found_by_its_client_request_id(self):
        created = self.emulator.create(headers={"X-Client-Request-Id": "find-me"})
        row = until(lambda: self.row_of("find-me"), "the row")
        self.assertEqual(row["inference_id"], created.json["id"])
        self.assertEqual((row["status"], row["model"]), ("succeeded", TEXT_MODEL))
        self.assertEqual(row["cost"]["usd"], created.json["meta"]["usage"]["usd_spent"])
        self.assertEqual(set(row), {"created", "status", "origin", "model", "cost", "tokens", "request_id", "inference_id",
                                    "client_request_id"})

    def test_a_malformed_client_request_id_is_not_logged(self):
        created = self.emulator.create(headers={"X-Client-Request-Id": "has blank"}).json
        row = until(lambda: next((r for r in self.logs()["data"] if r["inference_id"] == created["id"]), None), "the row")
        self.assertIsNone(row["client_request_id"])

    def test_the_start_of_a_key_chooses_its_rows(self):
        created = self.emulator.create(key="pk-first-key").json
        rows = until(lambda: self.logs("period=24h&key_prefix=pk-first")["data"], "the row")
        self.assertEqual([row["inference_id"] for row in rows], [created["id"]])

    def test_rows_of_others_are_there_too(self):
        rows = self.logs("period=7d&limit=100")["data"]
        self.assertGreater(len(rows), 30)
        self.assertGreater(len({row["model"] for row in rows}), 3)
        self.assertEqual(rows, sorted(rows, key=lambda row: row["created"], reverse=True))

    def test_a_failed_generation_has_a_row_and_costs_nothing(self):
        self.emulator.fault("create", "moderation")
        self.emulator.create(headers={"X-Client-Request-Id": "moderated"})
        row = until(lambda: self.row_of("moderated"), "the row")
        self.assertEqual((row["status"], row["cost"]["usd"]), ("failed", 0))

    def test_pages_cover_all_rows_once(self):
        whole = self.logs("period=7d&limit=100")
        paged = []
        while True:
            page = self.logs(f"period=7d&limit=7&offset={len(paged)}")
            paged += page["data"]
            if not page["pagination"]["has_more"]:
                break
        self.assertEqual([r["inference_id"] for r in paged], [r["inference_id"] for r in whole["data"]])

    def test_filters(self):
        chats = self.logs("period=7d&model=openai/gpt-5-chat&model=flux/schnell&limit=100")["data"]
        self.assertEqual({row["model"] for row in chats}, {"openai/gpt-5-chat", "flux/schnell"})
        self.assertEqual(self.logs("period=7d&model=openai/gpt-5-chat,flux/schnell")["data"], [])
        self.assertEqual({row["status"] for row in self.logs("period=7d&status=failed")["data"]}, {"failed"})
        self.assertEqual(self.logs("period=7d&key_prefix=nobody")["data"], [])
        now = datetime.datetime.now(datetime.timezone.utc)
        hour_ago = (now - datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        recent = self.logs(f"start={hour_ago}&end={now.strftime('%Y-%m-%dT%H:%M:%SZ')}")["data"]
        self.assertLess(0, len(recent))
        self.assertLess(len(recent), 10)

    def test_the_query_is_checked(self):
        for bad in ("", "period=1h", "period=24h&start=2026-01-01", "start=2026-01-01", "end=2026-01-01",
                    "start=2026-01-01&end=2026-06-01", "start=2026-02-01&end=2026-01-01", "start=now&end=later",
                    "period=24h&limit=0", "period=24h&limit=101", "period=24h&limit=x", "period=24h&offset=-1",
                    "period=24h&status=done", "period=24h&client_request_id=x"):
            with self.subTest(bad):
                self.logs(bad, 400)
        self.assertEqual(self.emulator.call("GET", "/v2/logs?period=24h", key=None).status, 401)

    def test_more_than_200_requests_in_a_minute_are_too_many(self):
        for _ in range(200):
            self.logs("period=24h&limit=1")
        self.logs(status=429)


class LateLogs(LogTest):
    options = (*ANY_CLIP, "--generation-time", "0.3", "--log-delay", "completed+0.3")

    def test_a_row_can_come_well_after_the_generation_is_completed(self):
        created = self.emulator.create(headers={"X-Client-Request-Id": "late"})
        self.emulator.wait(created.json["id"])
        self.assertIsNone(self.row_of("late"))
        until(lambda: self.row_of("late"), "the row")


class EarlyLogs(LogTest):
    options = (*ANY_CLIP, "--generation-time", "3600", "--log-delay", "0")

    def test_a_row_can_come_at_once(self):
        created = self.emulator.create(headers={"X-Client-Request-Id": "early"}, path=KLING)
        self.assertEqual(self.row_of("early")["inference_id"], created.json["id"])


class NeverLogs(LogTest):
    options = (*ANY_CLIP, "--generation-time", "3600")

    def test_a_running_generation_has_no_row(self):
        self.emulator.create(headers={"X-Client-Request-Id": "running"})
        self.assertIsNone(self.row_of("running"))


class Billing(EmulatorTest):
    options = ANY_CLIP

    def balance(self):
        answer = self.emulator.call("GET", "/v2/billing")
        self.assertEqual((answer.status, answer.json["currency"]), (200, "USD"))
        return answer.json["current_balance"]

    def test_a_completed_generation_is_charged_and_a_failed_one_is_not(self):
        before = self.balance()
        self.emulator.fault("create", "failure")
        self.emulator.generate()
        self.assertEqual(self.balance(), before)
        self.emulator.faults()
        usd = self.emulator.create().json["meta"]["usage"]["usd_spent"]
        until(lambda: abs(before - self.balance() - usd) < 1e-6, "the charge")
        self.assertEqual(self.emulator.report()["billable"], 2)

    def test_a_key_is_needed(self):
        for path in ("/v2/billing", "/v2/billing/transactions", "/v2/usage?period=24h"):
            self.assertEqual(self.emulator.call("GET", path, key=None).status, 401)

    def test_without_funds_a_generation_is_refused_and_the_balance_is_never_below_zero(self):
        with Emulator(*ANY_CLIP, "--balance", "1", "--generation-time", "3600") as emulator:
            # what runs is set aside: three of 0.455 USD would be more than there is
            self.assertEqual([emulator.create(prompt=str(i)).status for i in range(4)], [200, 200, 403, 403])
            refusal = emulator.create().json
            self.assertIn("run out of funds", refusal["message"])
            self.assertEqual(emulator.report()["billable"], 2)
        with Emulator(*ANY_CLIP, "--balance", "1", "--generation-time", "0") as emulator:
            emulator.fault("create", "failure")
            emulator.create()
            until(lambda: emulator.report()["unfinished"] == 0, "the failure")
            for _ in range(2):  # a failed one gives back what was set aside
                self.assertEqual(emulator.generate().json["status"], "completed")
            self.assertEqual(emulator.create().status, 403)
            until(lambda: emulator.report()["usd"] == 0.91, "the charges")
            self.assertAlmostEqual(emulator.call("GET", "/v2/billing").json["current_balance"], 0.09)
            emulator.call("POST", "/emulator/reset", key=None)
            self.assertEqual(emulator.create().status, 200)

    def transactions(self, query=""):
        answer = self.emulator.call("GET", "/v2/billing/transactions" + query)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json

    def test_transactions_tie_each_charge_to_its_generation_page_by_page(self):
        ids = [self.emulator.generate(prompt=str(i)).json["id"] for i in range(5)]
        until(lambda: len(self.transactions()["data"]) == 6, "the charges")
        rows = self.transactions()["data"]
        self.assertEqual([row["reference_id"] for row in rows], [*reversed(ids), None])
        self.assertEqual({row["type"] for row in rows[:5]}, {"MODEL_USAGE"})
        self.assertEqual((rows[0]["amount"], rows[0]["model"]), ({"usd": 0.455, "credits": 910000}, TEXT_MODEL))
        self.assertEqual((rows[5]["direction"], rows[5]["type"]), ("TOPUP", "INIT"))
        page = self.transactions("?limit=2&direction=CHARGE")
        paged = page["data"]
        self.emulator.generate(prompt="meanwhile")  # does not move the pages behind a cursor
        while page["pagination"]["has_more"]:
            page = self.transactions("?limit=2&direction=CHARGE&cursor=" + page["pagination"]["next_cursor"])
            paged += page["data"]
        self.assertEqual([row["reference_id"] for row in paged], ids[::-1])
        self.assertIsNone(page["pagination"]["next_cursor"])
        for bad in ("?limit=0", "?direction=UP", "?type=GIFT", "?cursor=x", "?from=soon"):
            self.assertEqual(self.emulator.call("GET", "/v2/billing/transactions" + bad).status, 400, bad)

    def test_usage_is_what_a_key_was_charged(self):
        mine = self.emulator.create(key="mine-and-more").json["meta"]["usage"]["usd_spent"]
        for _ in range(2):
            self.emulator.create(key="yours-and-more", duration=10)
        until(lambda: self.emulator.report()["unfinished"] == 0, "the ends")
        usage = self.emulator.call("GET", "/v2/usage?period=12h", key="mine-and-more").json
        self.assertEqual((usage["spend"], usage["requests"], usage["currency"]), (mine, 1, "USD"))
        usage = self.emulator.call("GET", "/v2/usage?period=7d&key_prefix=yours", key="mine-and-more").json
        self.assertEqual((usage["requests"], usage["api_key_prefix"]), (2, "yours"))
        for bad in ("", "?period=1w", "?period=0d", "?period=93d", "?start=2026-01-01"):
            self.assertEqual(self.emulator.call("GET", "/v2/usage" + bad).status, 400, bad)


class Times(unittest.TestCase):
    def test_realistic_times_follow_the_documentation_scaled_by_speed(self):
        import time
        # 152 s by its page, 400 times as fast: about 0.4 s, and the spread is bounded.
        with Emulator(*ANY_CLIP, "--generation-time", "realistic", "--speed", "400", "--seed", "1") as emulator:
            emulator.generate(prompt="warm")
            start = time.monotonic()
            emulator.generate(prompt="warm")
            took = time.monotonic() - start
            self.assertGreater(took, 152 / 400 * 0.55)
            self.assertLess(took, 152 / 400 * 2.5)

    def test_the_seed_makes_ids_repeat(self):
        ids = []
        for _ in range(2):
            with Emulator(*ANY_CLIP, "--seed", "7") as emulator:
                ids.append([emulator.create().json["id"] for _ in range(3)])
        self.assertEqual(ids[0], ids[1])
        self.assertEqual(len(set(ids[0])), 3)


if __name__ == "__main__":
    unittest.main()
