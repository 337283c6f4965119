#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Create and poll, as the documentation has them."""

import hashlib
import json
import os
import unittest

from harness import (ANY_CLIP, GREEN, IMAGE_MODEL, KLING, RED, TAIL_MODEL, TEXT_MODEL, UNIVERSAL, Emulator, EmulatorTest,
                     data_uri, url_of)


class Life(EmulatorTest):
    options = (*ANY_CLIP, "--generation-time", "0.2")

    def test_a_generation_is_queued_then_generating_then_completed(self):
        created = self.emulator.create()
        self.assertEqual(created.status, 200)
        self.assertEqual(created.json["status"], "queued")
        self.assertGreater(created.json["meta"]["usage"]["usd_spent"], 0)
        answer = self.emulator.wait(created.json["id"])
        self.assertEqual(list(dict.fromkeys(answer.states)), ["queued", "generating", "completed"])
        self.assertTrue(url_of(answer.json).startswith(self.emulator.base + "/clips/"))

    def test_the_legacy_family_answers_201_and_is_polled_at_its_own_path(self):
        created = self.emulator.create(path=KLING)
        self.assertEqual(created.status, 201)
        self.assertEqual(self.emulator.wait(created.json["id"], KLING).json["status"], "completed")

    def test_a_poll_on_the_other_family_is_a_404(self):
        universal, legacy = self.emulator.create().json["id"], self.emulator.create(path=KLING).json["id"]
        self.assertEqual(self.emulator.poll(universal, KLING).status, 404)
        self.assertEqual(self.emulator.poll(legacy, UNIVERSAL).status, 404)
        self.assertEqual(self.emulator.poll(legacy, "/v2/generate/video/google/generation").status, 404)

    def test_the_older_spellings_of_the_path_create_too(self):
        for path in ("/v1/video/generations", "/video/generations"):
            with self.subTest(path):
                created = self.emulator.create(path=path)
                self.assertEqual(created.status, 200)
                self.assertEqual(self.emulator.poll(created.json["id"]).status, 200)

    def test_another_key_does_not_see_the_generation(self):
        created = self.emulator.create(key="mine")
        self.assertEqual(self.emulator.poll(created.json["id"], key="yours").status, 404)
        self.assertEqual(self.emulator.poll(created.json["id"], key="mine").status, 200)

    def test_an_unknown_and_a_malformed_id_are_404_and_only_the_unknown_one_is_traced(self):
        unknown = self.emulator.poll("00000000-0000-4000-8000-000000000000")
        malformed = self.emulator.poll("no such thing")
        self.assertEqual((unknown.status, malformed.status), (404, 404))
        self.assertIn("x-inference-id", unknown.headers)
        self.assertNotIn("x-inference-id", malformed.headers)
        self.assertEqual(self.emulator.call("GET", UNIVERSAL).status, 400)


class Tracing(EmulatorTest):
    options = ANY_CLIP

    def test_answers_name_the_generation_its_cost_and_the_request(self):
        created = self.emulator.create(headers={"X-Client-Request-Id": "run-7:take.1_b"})
        self.assertEqual(created.headers["x-inference-id"], created.json["id"])
        self.assertEqual(created.headers["x-client-request-id"], "run-7:take.1_b")
        self.assertEqual(float(created.headers["x-aimlapi-usd-spent"]), created.json["meta"]["usage"]["usd_spent"])
        self.assertEqual(self.emulator.poll(created.json["id"]).headers["x-inference-id"], created.json["id"])
        self.assertEqual(self.emulator.report()["tasks"][0]["client_request_id"], "run-7:take.1_b")

    def test_a_page_of_a_server_on_this_machine_may_use_the_service_and_read_its_headers(self):
        origin = {"Origin": "http://localhost:3000"}
        asked = self.emulator.call("OPTIONS", UNIVERSAL, key=None, headers={
            **origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"})
        self.assertEqual(asked.status, 204)
        self.assertIn("Authorization", asked.headers["Access-Control-Allow-Headers"])
        created = self.emulator.create(headers=origin)
        self.assertEqual(created.headers["Access-Control-Allow-Origin"], "http://localhost:3000")
        exposed = created.headers["Access-Control-Expose-Headers"].split(", ")
        self.assertEqual(exposed, ["x-inference-id", "x-client-request-id", "x-aimlapi-credits-used", "x-aimlapi-usd-spent"])
        # not so other pages, and what is the emulator's own is nobody's
        evil = {"Origin": "https://evil.example"}
        self.assertNotIn("Access-Control-Allow-Origin", self.emulator.create(headers=evil).headers)
        self.assertEqual(self.emulator.call("OPTIONS", UNIVERSAL, key=None, headers=evil).status, 404)
        report = self.emulator.call("GET", "/emulator/report", key=None, headers=origin)
        self.assertNotIn("Access-Control-Allow-Origin", report.headers)

    def test_a_malformed_client_request_id_is_silently_dropped(self):
        for bad in ("has blank", "ümlaut".encode().decode("latin-1"), "x" * 129, "semi;colon"):
            with self.subTest(bad):
                created = self.emulator.create(headers={"X-Client-Request-Id": bad})
                self.assertEqual(created.status, 200)
                self.assertNotIn("x-client-request-id", created.headers)


class Keys(EmulatorTest):
    options = (*ANY_CLIP, "--key", "good", "--key", "better")

    def test_only_the_given_keys_are_accepted(self):
        for key, status in ((None, 401), ("bad", 401), ("", 401), ("good", 200), ("better", 200)):
            with self.subTest(key=key):
                self.assertEqual(self.emulator.create(key=key).status, status)

    def test_the_error_has_the_documented_members(self):
        answer = self.emulator.create(key="bad")
        self.assertEqual(set(answer.json), {"message", "path", "requestId", "statusCode", "timestamp"})
        self.assertIn("valid API key", answer.json["message"])
        self.assertEqual(answer.json["path"], UNIVERSAL)


class UnknownModels(unittest.TestCase):
    def test_any_model_is_taken_when_it_is_asked_for_and_nothing_in_its_requests_is_checked(self):
        with Emulator(*ANY_CLIP, "--unknown-models", "--unknown-keys", "refuse") as emulator:
            made = emulator.generate("acme/dream-2", duration="long", image_url=data_uri(RED), style={"a": [1]})
            self.assertEqual(emulator.call("GET", url_of(made.json), key=None).status, 200)
            task, = emulator.report()["tasks"]
            self.assertEqual((task["model"], task["request"]["media"][0]["parameter"]), ("acme/dream-2", "image_url"))
            self.assertEqual(emulator.create("x" * 201).status, 404)
            # those that are known are checked all the same
            self.assertEqual(emulator.create(duration=7).status, 400)


class UnknownKeys(unittest.TestCase):
    BODY = {"model": TEXT_MODEL, "prompt": "a", "colour": "red\r\nX-Evil: 1", "x\r\nX-Evil: 1": 1}

    def test_they_are_ignored_unless_told_otherwise(self):
        for options in ((), ("--unknown-keys", "ignore"), ("--unknown-keys", "warn")):
            with self.subTest(options), Emulator(*ANY_CLIP, *options) as emulator:
                answer = emulator.call("POST", UNIVERSAL, self.BODY)
                self.assertEqual(answer.status, 200, answer.body)
                warning = answer.headers["Warning"]
                self.assertNotIn("X-Evil", answer.headers)
                if "warn" in options:
                    self.assertIn("Unrecognized key(s) in object: 'colour', 'x??X-Evil: 1'", warning)
                else:
                    self.assertIsNone(warning)
                self.assertEqual(emulator.report()["tasks"][0]["unknown_keys"], ["colour", "x\r\nX-Evil: 1"])
                nested = {"model": TAIL_MODEL, "prompt": "a", "image_url": "https://h/i.png",
                          "elements": [{"frontal_image_url": "https://h/f.png", "shade": 1,
                                        "reference_image_urls": ["https://h/r.png"]}]}
                answer = emulator.call("POST", UNIVERSAL, nested)
                self.assertEqual(answer.status, 200, answer.body)
                self.assertEqual(emulator.report()["tasks"][1]["unknown_keys"], ["elements.0.shade"])

    def test_they_are_refused_when_it_is_asked_for(self):
        with Emulator(*ANY_CLIP, "--unknown-keys", "refuse") as emulator:
            answer = emulator.call("POST", UNIVERSAL, self.BODY)
            self.assertEqual(answer.status, 400)
            self.assertIn("Unrecognized key(s) in object: 'colour'", answer.json["message"])


class Validation(EmulatorTest):
    options = (*ANY_CLIP, "--unknown-keys", "refuse")

    def refused(self, status=400, path=UNIVERSAL, **body):
        answer = self.emulator.call("POST", path, body)
        self.assertEqual(answer.status, status, answer.body)
        return answer.json["message"]

    def test_what_is_wrong_is_said_line_by_line(self):
        message = self.refused(model=TEXT_MODEL, prompt=3, duration=7, cfg_scale=1.5, aspect_ratio="4:3", colour="red")
        self.assertEqual(message.splitlines(), [
            "Body validation error",
            "Unrecognized key(s) in object: 'colour'",
            "prompt: Expected string, received number",
            "aspect_ratio: Invalid enum value. Expected '16:9' | '9:16' | '1:1', received '4:3'",
            "duration: Invalid enum value. Expected 5 | 10, received 7",
            "cfg_scale: Number must be less than or equal to 1"])

    def test_what_is_required_is_named(self):
        self.assertIn("prompt: Required", self.refused(model=TEXT_MODEL))
        self.assertIn("image_url: Required", self.refused(model=IMAGE_MODEL, prompt="a"))
        self.assertIn("model: Required", self.refused(prompt="a"))
        self.assertIn("prompt: Required", self.refused(model="klingai/video-v3-pro-text-to-video"))

    def test_lengths_and_counts_are_bounded(self):
        self.assertIn("at most 2500 character(s)", self.refused(model=TEXT_MODEL, prompt="ä" * 2501))
        self.assertEqual(self.emulator.create(prompt="ä" * 2500).status, 200)
        many = "kling-video/v1.6/standard/multi-image-to-video"
        self.assertIn("at least 2 element(s)", self.refused(model=many, image_list=[data_uri(RED)]))
        self.assertIn("at most 4 element(s)", self.refused(model=many, image_list=[data_uri(RED)] * 5))

    def test_nested_objects_are_checked(self):
        model = "kling-video/v1.6/pro/image-to-video"
        mask = {"mask": data_uri(RED), "trajectories": [{"x": 1, "y": "2"}, {"x": 1.5, "y": 2}]}
        message = self.refused(model=model, image_url=data_uri(RED), dynamic_masks=[mask],
                               camera_control={"type": "simple", "config": {"zoom": 11}})
        self.assertIn("dynamic_masks.0.trajectories.0.y: Expected integer, received string", message)
        self.assertIn("dynamic_masks.0.trajectories.1.x: Expected integer, received float", message)
        self.assertIn("camera_control.config.zoom: Number must be less than or equal to 10", message)

    def test_a_duration_may_be_a_string_as_in_the_samples(self):
        self.assertEqual(self.emulator.create(duration="10").status, 200)
        self.assertIn("received 7", self.refused(model=TEXT_MODEL, prompt="a", duration="7"))
        self.assertIn("duration", self.refused(model=TEXT_MODEL, prompt="a", duration="long"))

    def test_an_image_is_a_url_or_a_data_uri(self):
        for bad in ("/tmp/a.png", "iVBORw0KGgo=", "ftp://host/a.png", "data:image/png;base64,", "data:image/png;base64,%%%",
                    "http://", ""):
            with self.subTest(bad):
                self.assertIn("image_url: Invalid url", self.refused(model=IMAGE_MODEL, prompt="a", image_url=bad))
        for good in ("https://example.com/a.png", data_uri(RED), data_uri(RED).replace("=", "")):
            with self.subTest(good[:30]):
                self.assertEqual(self.emulator.create(IMAGE_MODEL, image_url=good).status, 200)

    def test_an_effect_takes_one_image_or_two(self):
        model = "klingai/kling-video-v1.6-pro-effects"
        one, two = data_uri(RED), [data_uri(RED), data_uri(GREEN)]
        self.assertIn("2 element(s)", self.refused(model=model, image_url=two + two, effect_scene="hug"))
        self.assertIn("image_url: Expected", self.refused(model=model, image_url=one, effect_scene="hug"))
        self.assertIn("image_url: Expected", self.refused(model=model, image_url=two, effect_scene="squish"))
        for images, scene in ((one, "squish"), (two, "hug")):
            answer = self.emulator.call("POST", UNIVERSAL, {"model": model, "image_url": images, "effect_scene": scene})
            self.assertEqual(answer.status, 200, answer.body)

    def test_prompt_and_multi_prompt_exclude_each_other(self):
        model = "klingai/video-v3-pro-text-to-video"
        self.assertIn("multi_prompt: Cannot be used together", self.refused(model=model, prompt="a", multi_prompt=["b"]))

    def test_a_last_frame_needs_silence_where_the_model_says_so(self):
        body = {"model": "klingai/video-v3-omni-720p-image-to-video", "prompt": "a", "image_url": data_uri(RED),
                "tail_image_url": data_uri(GREEN)}
        self.assertIn("tail_image_url: Requires generate_audio", self.refused(**body))
        self.assertEqual(self.emulator.call("POST", UNIVERSAL, body | {"generate_audio": False}).status, 200)

    def test_an_unknown_model_is_a_404_that_names_it(self):
        self.assertIn("no/such", self.refused(404, model="no/such", prompt="a"))

    def test_an_unknown_path_is_a_404_that_names_it(self):
        self.assertEqual(self.refused(404, path="/v2/video/generation"), "Cannot POST /v2/video/generation")
        self.assertEqual(self.emulator.call("DELETE", UNIVERSAL).status, 404)

    def test_a_body_that_is_no_json_object_is_refused(self):
        for body in (b"", b"{", b"[]", b'"text"', b"\xff\xfe", b"[" * 100000, b'{"model": }'):
            with self.subTest(body[:10]):
                self.assertEqual(self.emulator.call("POST", UNIVERSAL, body).status, 400)
        self.assertEqual(self.emulator.report()["billable"], 0)

    def test_a_model_that_only_the_legacy_path_knows(self):
        old = "wan/v2.1/1.3b/text-to-video"
        self.refused(404, model=old, prompt="a")
        self.assertEqual(self.emulator.create(old, path="/v2/generate/video/alibaba/generation").status, 201)
        self.refused(404, path=KLING, model=old, prompt="a")

    def test_the_samples_of_v3_pro_are_accepted_although_its_schema_is_not_theirs(self):
        answer = self.emulator.create("klingai/video-v3-pro-image-to-video", image_url=data_uri(RED),
                                      last_image_url=data_uri(GREEN), aspect_ratio="16:9")
        self.assertEqual(answer.status, 200, answer.body)


class Shapes(unittest.TestCase):
    def reply(self, *options, model=TEXT_MODEL, **parameters):
        with Emulator(*ANY_CLIP, *options) as emulator:
            created = emulator.create(model, **parameters)
            self.assertEqual(created.status, 200, created.body)
            reply = created.json
            generation_id = reply.get("id") or reply["generation_id"]
            answer = emulator.wait(generation_id, pending=("queued", "generating", "waiting", "active"))
            self.assertEqual(emulator.call("GET", url_of(answer.json), key=None).status, 200)
            return reply, answer

    def test_ids_come_in_every_documented_shape(self):
        shapes = {"model": r"^[0-9a-f-]{36}:klingai/", "uuid": r"^[0-9a-f-]{36}$", "nano": r"^[A-Za-z0-9_-]{21}$",
                  "digits": r"^\d{18}$", "digits-model": r"^\d{18}:klingai/", "dated": r"^cgt-\d{14}-[a-z0-9]{5}$",
                  "hex": r"^video_[0-9a-f]{32}:klingai/"}
        for shape, pattern in shapes.items():
            with self.subTest(shape):
                self.assertRegex(self.reply("--id-shape", shape)[0]["id"], pattern)

    def test_the_model_in_the_id_is_not_always_the_one_asked_for(self):
        created, _ = self.reply(model="klingai/v2.1-master-text-to-video")
        self.assertTrue(created["id"].endswith(":kling-video/v2.1/master/text-to-video"))

    def test_replies_come_in_every_documented_shape(self):
        created, done = self.reply("--reply-shape", "generation-id")
        self.assertNotIn("id", created)
        self.assertIsInstance(self.reply("--reply-shape", "video-array")[1].json["video"][0], dict)
        self.assertIsInstance(self.reply("--reply-shape", "video-strings")[1].json["video"][0], str)
        extras = self.reply("--reply-shape", "extras")[1].json
        self.assertEqual(extras["video"]["content_type"], "video/mp4")
        self.assertEqual((extras["duration"], extras["error"]), (5, None))
        created, done = self.reply("--reply-shape", "old-usage")
        self.assertNotIn("meta", created)
        self.assertGreater(done.json["meta"]["usage"]["tokens_used"], 0)
        self.assertEqual(self.reply("--reply-shape", "placeholders")[1].json["error"]["message"], "<string>")

    def test_each_model_answers_as_its_page_shows(self):
        self.assertIn("generation_id", self.reply(model="minimax/hailuo-02")[0])
        self.assertIn("generation_id", self.reply(model="minimax/hailuo-2.3")[0])
        self.assertIn("id", self.reply(model="minimax/h3")[0])
        self.assertEqual(self.reply(model="pixverse/v5/text-to-video", resolution="720p", duration=5,
                                    aspect_ratio="16:9")[1].json["status"], "succeeded")
        self.assertIsInstance(self.reply(model="klingai/video-v3-omni-720p-text-to-video")[1].json["video"], list)

    def test_states_can_be_spelt_otherwise(self):
        spelling = "queued=waiting,generating=active,completed=complete"
        created, done = self.reply("--state-spelling", spelling, "--generation-time", "0.2")
        self.assertEqual(created["status"], "waiting")
        self.assertEqual(done.states[-2:], ["active", "complete"])


class EveryModel(EmulatorTest):
    options = (*ANY_CLIP, "--unknown-keys", "refuse")

    def body_for(self, model, parameters):
        """The least that the model asks for, made from the catalogue."""
        return {p["name"]: self.value_for(p) for p in parameters if p.get("required")}

    def value_for(self, p):
        if p.get("enum"):
            return p["enum"][0]
        if p.get("alternatives"):
            return self.value_for(p["alternatives"][0])
        kind = p["type"].split("|")[0]
        if kind == "array":
            item = {"type": p.get("items", "string"), "format": p.get("items_format"), "properties": p.get("item_properties"),
                    "enum": None}
            return [self.value_for(item)] * max(1, p.get("min_items", 1))
        if kind == "object":
            return {q["name"]: self.value_for(q) for q in p.get("properties") or p.get("params") or [] if q.get("required")}
        if kind in ("integer", "number"):
            return p.get("default", p.get("min", 1))
        if kind == "boolean":
            return True
        return "https://example.com/media" if p.get("format") == "uri" else "x" * max(10, p.get("min_length", 0))

    def endpoints(self):
        """Each model at each path with parameters of its own: (model, path, parameters)."""
        with open(os.environ["AIMLAPI_CATALOGUE"], encoding="utf-8") as file:
            models = json.load(file)["models"]
        for model in models:
            legacy = model.get("legacy_parameters")
            if not model.get("legacy_only"):
                yield model, UNIVERSAL, model["parameters"]
            if legacy or model.get("legacy_only"):
                yield model, model["legacy_path"], legacy or model["parameters"]

    def good_body(self, model, parameters):
        body = {"model": model["id"], **self.body_for(model, parameters)}
        if any(p["name"] == "multi_prompt" for p in parameters):
            body.setdefault("prompt", "a fox")
        return body

    def test_every_model_of_the_catalogue_can_be_asked_for(self):
        for model, path, parameters in self.endpoints():
            for name in [model["id"], *model.get("aliases", [])]:
                with self.subTest(name, path=path):
                    answer = self.emulator.call("POST", path, {**self.good_body(model, parameters), "model": name})
                    self.assertIn(answer.status, (200, 201), answer.body)

    def refused(self, path, body, expected):
        """The body is refused in the documented form, and for exactly these reasons."""
        answer = self.emulator.call("POST", path, body)
        self.assertEqual(answer.status, 400, answer.body)
        self.assertEqual(set(answer.json), {"message", "path", "requestId", "statusCode", "timestamp"})
        # what parameters say of each other is not asked here
        lines = [line for line in answer.json["message"].splitlines()
                 if "Cannot be used together" not in line and ": Requires " not in line]
        self.assertEqual(lines[0], "Body validation error")
        for mistake in expected:
            self.assertTrue(any(line.startswith(mistake) for line in lines[1:]), f"{mistake} is not among {lines}")
        self.assertEqual(len(lines) - 1, len(expected), f"{lines} is not {expected}")

    def test_every_model_refuses_what_its_schema_does(self):
        for model, path, parameters in self.endpoints():
            body = self.good_body(model, parameters)
            plain = [p for p in parameters if p["name"] != "model" and not p.get("alternatives")]
            for mistakes in (strange_keys, missing, wrong_types, wrong_choices, too_large, too_small, no_addresses):
                wrong, expected = mistakes(plain)
                with self.subTest(model["id"], path=path, mistakes=mistakes.__name__):
                    if expected:
                        changed = {k: v for k, v in {**body, **wrong}.items() if v is not MISSING}
                        if "prompt" in wrong and wrong["prompt"] is MISSING and "multi_prompt" in changed:
                            continue
                        self.refused(path, changed, expected)
        self.assertEqual(self.emulator.report()["billable"], 0)


MISSING = object()


def strange_keys(_):
    return {"colour": "red", "x-y": 1}, ["Unrecognized key(s) in object: 'colour', 'x-y'"]


def missing(parameters):
    names = [p["name"] for p in parameters if p.get("required")]
    return dict.fromkeys(names, MISSING), [name + ": Required" for name in names]


def wrong_types(parameters):
    wrong, expected = {}, []
    for p in parameters:
        kind = p["type"]
        wrong[p["name"]] = {"a": 1} if kind != "object" else "text"
        expected.append(f"{p['name']}: Expected {kind}, received {'object' if kind != 'object' else 'string'}")
    return wrong, expected


def wrong_choices(parameters):
    """Neither the name nor the number is one of those that the schema lists."""
    chosen = [p for p in parameters if p.get("enum")]
    wrong = {p["name"]: "no such choice" if p["type"] == "string" else 987 for p in chosen}
    return wrong, [f"{p['name']}: Invalid enum value. Expected " for p in chosen]


def too_large(parameters):
    wrong, expected = {}, []
    for p in parameters:
        if p.get("enum"):
            continue
        if p["type"] in ("integer", "number") and "max" in p:
            wrong[p["name"]] = p["max"] + 1
            expected.append(p["name"] + ": Number must be less than or equal to")
        elif p["type"] == "string" and "max_length" in p:
            wrong[p["name"]] = "ä" * (p["max_length"] + 1)
            expected.append(p["name"] + ": String must contain at most")
        elif p["type"] == "array" and "max_items" in p and p.get("items") == "string":
            wrong[p["name"]] = ["https://example.com/media"] * (p["max_items"] + 1)
            expected.append(p["name"] + ": Array must contain at most")
    return wrong, expected


def too_small(parameters):
    wrong, expected = {}, []
    for p in parameters:
        if p.get("enum"):
            continue
        if p["type"] in ("integer", "number") and "min" in p:
            wrong[p["name"]] = p["min"] - 1
            expected.append(p["name"] + ": Number must be greater than or equal to")
        elif p["type"] == "string" and p.get("min_length") and not p.get("format"):
            wrong[p["name"]] = ""
            expected.append(p["name"] + ": String must contain at least")
        elif p["type"] == "array" and p.get("min_items"):
            wrong[p["name"]] = []
            expected.append(p["name"] + ": Array must contain at least")
    return wrong, expected


def no_addresses(parameters):
    addresses = [p for p in parameters if p.get("format") == "uri" and p["type"] == "string" and not p.get("enum")]
    return {p["name"]: "picture.png" for p in addresses}, [p["name"] + ": Invalid url" for p in addresses]


class ReportOfTasks(EmulatorTest):
    options = ANY_CLIP

    def test_the_report_tells_what_was_asked_without_the_key(self):
        self.emulator.create(TAIL_MODEL, image_url=data_uri(RED), tail_image_url="https://example.com/end.png",
                             duration=5, key="very-secret")
        self.emulator.create(prompt="another", key="other")
        report = self.emulator.report()
        self.assertEqual(report["billable"], 2)
        self.assertEqual(report["by_endpoint"], {"create": 2})
        self.assertEqual(len(report["keys"]), 2)
        self.assertNotIn("very-secret", str(report))
        request = report["tasks"][0]["request"]
        self.assertEqual((request["model"], request["prompt"]), (TAIL_MODEL, "a fox"))
        self.assertEqual(request["parameters"]["duration"], 5)
        media = {m["parameter"]: m for m in request["media"]}
        self.assertEqual(media["image_url"]["sha256"], hashlib.sha256(RED).hexdigest())
        self.assertEqual(media["image_url"]["image_type"], "image/png")
        self.assertEqual(media["tail_image_url"], {"parameter": "tail_image_url", "kind": "url",
                                                   "url": "https://example.com/end.png"})

    def test_the_report_counts_by_key_what_was_asked_bought_served_and_spoilt(self):
        self.emulator.faults({"match": {"phase": "clip", "nth": 1}, "fault": {"kind": "expired-link", "status": 410}},
                             {"match": {"phase": "create", "nth": 2}, "fault": {"kind": "failure"}})
        url = self.emulator.clip_url()
        self.assertEqual(self.emulator.call("GET", url, key=None).status, 410)
        fresh = url_of(self.emulator.poll(self.emulator.report()["tasks"][0]["id"]).json)
        size = len(self.emulator.call("GET", fresh, key=None).body)
        self.emulator.create(key="other")
        report = self.emulator.report()
        mine, other = (report["keys"][task["key"]] for task in report["tasks"])
        self.assertEqual((mine["billable"], mine["clip_bytes"], mine["faults"]), (1, size, {"expired-link": 1}))
        self.assertEqual(mine["usd"], report["tasks"][0]["usd"])
        self.assertEqual(other, {"requests": 1, "billable": 1, "usd": 0, "clip_bytes": 0, "faults": {"failure": 1}})
        self.assertEqual(report["requests"], mine["requests"] + other["requests"])

    def test_reset_forgets_everything(self):
        generation = self.emulator.create().json["id"]
        self.emulator.call("POST", "/emulator/reset", key=None)
        self.assertEqual(self.emulator.poll(generation).status, 404)
        report = self.emulator.report()
        self.assertEqual((report["billable"], report["tasks"]), (0, []))


if __name__ == "__main__":
    unittest.main()
