#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""All models, judged by facts and a validator of the test's own. `--every-parameter` adds one wrong value for each of
the parameters of all models."""

import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile
import unittest

import envelope
import schema

COMMAND = os.environ["AIMLVIDEO_COMMAND"]
EVERY_PARAMETER = "--every-parameter" in sys.argv


def check(model, body):
    """(exit code, what `aimlvideo check` says of it)"""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(body, file)
        file.flush()
        run = subprocess.run([COMMAND, "check", "--offline", "--json", "--model", model, "--parameters", "@" + file.name],
                             capture_output=True, text=True)
    return run.returncode, envelope.answer(run.stdout)


def check_all(requests):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda request: check(*request), requests))


class Models(unittest.TestCase):
    def accepted(self, make):
        requests = [(model, make(model)) for model in schema.MODELS]
        for (model, body), (code, answer) in zip(requests, check_all(requests)):
            with self.subTest(model):
                self.assertEqual(list(schema.mistakes_in(schema.facts_of(model), body)), [], "the judge's own request")
                self.assertEqual(code, 0, answer)
                sent = answer["data"]["request"]
                self.assertEqual(sent.pop("model"), model)
                self.assertEqual(list(schema.mistakes_in(schema.facts_of(model), sent)), [])
                self.assertEqual(sent, body)

    def test_the_judge_and_the_catalogue_have_the_same_ones(self):
        self.assertGreater(len(schema.MODELS), 150)
        listed = subprocess.run([COMMAND, "models", "--offline", "--json"], capture_output=True, text=True, check=True).stdout
        self.assertEqual(sorted(model["id"] for model in envelope.data(listed)["models"]), schema.MODELS)

    def test_the_smallest_request_of_every_model_is_accepted(self):
        self.accepted(schema.smallest)

    def test_the_fullest_request_of_every_model_is_accepted(self):
        self.accepted(schema.fullest)

    def test_the_catalogue_holds_every_fact_of_the_documentation(self):
        listed = subprocess.run([COMMAND, "models", "--offline", "--json"], capture_output=True, text=True, check=True).stdout
        for model in envelope.data(listed)["models"]:
            with self.subTest(model["id"]):
                known = {parameter["name"]: parameter for parameter in model["parameters"]}
                for fact in schema.facts_of(model["id"]):
                    self.compare(fact, known.pop(fact["name"]))
                # what only the samples on these pages send
                self.assertLessEqual(set(known), {"last_image_url", "aspect_ratio"})
                if known:
                    self.assertRegex(model["id"], "^klingai/video-v3-(pro|standard)-image-to-video$")

    def compare(self, fact, parameter):
        for name, value in fact.items():
            if name in ("params", "item_params"):
                inner = parameter["properties" if name == "params" else "item_properties"]
                self.assertEqual([member["name"] for member in value], [member["name"] for member in inner])
                for member, other in zip(value, inner):
                    self.compare(member, other)
            elif name == "alternatives":
                self.assertEqual(len(value), len(parameter[name]))
            else:
                self.assertEqual(parameter.get(name), value, f"{parameter['name']}: {name}")

    def test_every_wrong_value_of_every_parameter_is_refused(self):
        # the quick tier takes two models, the full one all
        models = schema.MODELS if EVERY_PARAMETER else ["klingai/video-v3-pro-image-to-video", "minimax/hailuo-02"]
        cases = []
        for model in models:
            for parameter in schema.facts_of(model):
                for value, expected in schema.wrong_values(parameter):
                    body = schema.fullest(model) | {parameter["name"]: value}
                    cases.append((model, body, parameter["name"], expected))
        answers = check_all([case[:2] for case in cases])
        for (model, body, name, expected), (code, answer) in zip(cases, answers):
            with self.subTest(model=model, parameter=name):
                self.assertTrue(list(schema.mistakes_in(schema.facts_of(model), body)), "the judge takes it")
                self.assertEqual(code, 3, answer)
                self.assertFalse(answer["data"]["valid"])
                self.assertIn(name, answer["error"]["why"])
                self.assertIn(expected, answer["error"]["why"])
        print(f"{len(cases)} wrong requests, {sum(code == 3 for code, _ in answers)} of them refused before they are sent")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *(argument for argument in sys.argv[1:] if argument != "--every-parameter")])
