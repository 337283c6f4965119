#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`aimlvideo models` for somebody who looks for one: by words, by what it takes, by price and time."""

import json
import os
import pathlib
import subprocess
import time

import envelope
from support import KEY, EndToEnd, main

COMMAND = os.environ["AIMLVIDEO_COMMAND"]
FACTS = {model["id"]: model for model in json.loads(
    (pathlib.Path(os.environ["AIMLVIDEO_SOURCE_ROOT"]) / "src/api/models.json").read_text())["models"]}
TEXT = "klingai/video-v2-6-pro-text-to-video"
IMAGE = "klingai/video-v2-6-pro-image-to-video"
DAY = 24 * 60 * 60


class ModelList(EndToEnd):
    def run_command(self, *arguments, code=0, **environment):
        environment = dict(os.environ, AIMLAPI_BASE_URL=self.emulator.url, AIMLAPI_KEY=KEY, LC_ALL="C.UTF-8", **self.home) | environment
        run = subprocess.run([COMMAND, *map(str, arguments)], env=environment, cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        return run

    def models(self, *arguments):
        return envelope.data(self.run_command("models", "--json", *arguments).stdout)["models"]

    def ids(self, *arguments):
        return [model["id"] for model in self.models(*arguments)]

    def asked(self):
        return self.emulator.report()["requests"]

    def test_words_are_looked_for_in_names_vendors_and_kinds(self):
        kling = self.ids("kling")
        self.assertEqual(kling, sorted(id for id, facts in FACTS.items() if "kling" in (id + facts["vendor"] + " ".join(facts.get("aliases", []))).lower()))
        self.assertGreater(len(kling), 20)
        self.assertEqual(self.ids("KLING", "2-6-pro", "text-to"), [TEXT])
        self.assertEqual(self.ids("black", "forest"), sorted(id for id in FACTS if FACTS[id]["vendor"] == "Black Forest Labs"))
        lines = self.run_command("models", "kling", "video-v2-6-pro").stdout.splitlines()
        self.assertEqual(lines[0].split(), ["MODEL", "VENDOR", "KIND", "USD", "CLIP", "TIME", "SOUND"])
        self.assertRegex(lines[1], rf"^{IMAGE} +Kling AI +image-to-video +0\.455 +5 s +110 s +choice$")
        self.assertEqual(lines[-1], "3 of 153 models; USD is of a clip with the defaults")
        self.assertTrue(all("\t" not in line for line in lines))

    def test_what_a_model_takes_and_makes_chooses_it(self):
        image = self.ids("--image")
        self.assertEqual(image, sorted(id for id, facts in FACTS.items() if "image" in facts["inputs"]))
        self.assertEqual(self.ids("--video"), sorted(id for id, facts in FACTS.items() if "video" in facts["inputs"]))
        audio = self.ids("--audio")
        self.assertEqual(self.ids("--audio", "--image"), [id for id in image if id in audio])
        self.assertLess(len(self.ids("--audio", "--image")), min(len(image), len(audio)))
        for id in audio:
            names = {parameter["name"] for parameter in FACTS[id]["parameters"]}
            self.assertTrue(names & {"generate_audio", "generate_audio_switch"} or "audio" in FACTS[id]["inputs"] or
                            FACTS[id].get("sample", {}).get("sound"), id)
        text = self.ids("--text")
        self.assertIn(TEXT, text)
        self.assertNotIn(IMAGE, text)
        for id in text[::9]:
            self.run_command("check", "--offline", "-m", id, "-p", "A boat")

    def test_prices_and_times_choose_and_order(self):
        known = [model for model in self.models("--sort", "price") if "usd_estimated" in model]
        prices = [model["usd_estimated"] for model in known]
        self.assertEqual(prices, sorted(prices))
        self.assertGreater(len(set(prices)), 10)
        cheap = self.models("--image", "--audio", "--max-price", "0.455", "--sort", "price")
        self.assertEqual({model["id"] for model in cheap} , {model["id"] for model in known if model["usd_estimated"] <= 0.455} &
                         set(self.ids("--image", "--audio")))
        self.assertIn(IMAGE, {model["id"] for model in cheap})
        checked = envelope.data(self.run_command("check", "--json", "-m", TEXT, "-p", "A boat").stdout)
        self.assertEqual(next(model for model in known if model["id"] == TEXT)["usd_estimated"], checked["usd_estimated"])
        times = [FACTS[id].get("sample", {}).get("seconds", 10**9) for id in self.ids("--sort", "time")]
        self.assertEqual(times, sorted(times))
        vendors = [FACTS[id]["vendor"].lower() for id in self.ids("--sort", "vendor")]
        self.assertEqual(vendors, sorted(vendors))
        self.assertEqual(self.run_command("models", "--max-price", "0", "--image").stdout, "none of 153 models\n")

    def test_prices_are_asked_for_once_a_day(self):
        first = self.run_command("models").stdout
        self.assertEqual(self.asked(), 1)
        self.assertEqual(self.run_command("models").stdout, first)
        self.assertEqual(self.run_command("models", "--offline").stdout, first)
        self.assertEqual(self.asked(), 1)
        (file,) = (self.folder / "cache/aimlvideo/prices").iterdir()
        old = time.time() - 2 * DAY
        os.utime(file, (old, old))
        self.assertEqual(self.run_command("models", "--offline").stdout, first)
        self.assertEqual(self.asked(), 1)
        for _ in range(2):
            self.assertEqual(self.run_command("models").stdout, first)
            self.assertEqual(self.asked(), 2)
        self.assertGreater(file.stat().st_mtime, old + DAY)

    def test_without_the_service_there_are_models_and_no_prices(self):
        nowhere = {"AIMLAPI_BASE_URL": "http://127.0.0.1:1"}
        run = self.run_command("models", "runway", **nowhere)
        self.assertIn("warning: the prices are not known", run.stderr)
        self.assertNotIn("USD", run.stdout)
        self.assertEqual(self.run_command("models", "runway", "--offline", **nowhere).stderr, "")
        for choice in (("--max-price", "1"), ("--sort", "price")):
            self.assertIn("can't be chosen by price", self.run_command("models", *choice, code=6, **nowhere).stderr)

    def test_mistakes_are_answered_with_what_was_meant(self):
        for words, answer in ((("klimg",), "Did you mean kling?"), (("hailou", "02"), "Did you mean hailuo?"),
                              ((TEXT + "x",), f"Did you mean {TEXT}?"), (("kling", "hailuo"), "no model has all of the words")):
            self.assertIn(answer, self.run_command("models", *words, code=5).stderr)
        self.assertIn("id, price, vendor and time", self.run_command("models", "--sort", "cost", code=2).stderr)
        self.assertIn("an amount in USD", self.run_command("models", "--max-price", "cheap", code=2).stderr)
        self.assertIn("--refresh takes", self.run_command("models", "--refresh", "kling", code=2).stderr)

    def test_nothing_fits_a_model_that_the_service_does_not_list(self):
        self.run_command("models", "--refresh")
        file = self.folder / "cache/aimlvideo/models.json"
        kept = json.loads(file.read_text())
        self.assertLessEqual({TEXT, IMAGE}, set(kept["listed"]))
        aliases = {alias for facts in FACTS.values() for alias in facts.get("aliases", [])}
        self.assertLessEqual(aliases, set(kept["listed"]))
        asking = ("check", "--offline", "-m", TEXT, "-p", "A boat")
        self.assertIn("The request fits the model", self.run_command(*asking).stdout)
        names = {TEXT, *FACTS[TEXT].get("aliases", [])}
        kept["listed"] = [name for name in kept["listed"] if name not in names]
        file.write_text(json.dumps(kept))
        run = self.run_command(*asking)
        self.assertNotIn("fits", run.stdout)
        self.assertIn(f"the service does not list the model {TEXT}", run.stdout)
        self.assertIn("does not have the model", run.stderr)
        self.assertIn("did you mean ", run.stderr)
        answer = envelope.data(self.run_command(*asking, "--json").stdout)
        self.assertEqual((answer["valid"], answer["listed"]), (True, False))
        self.assertRegex(self.run_command("models", "kling", "2-6-pro-text", "--image").stdout + self.run_command("models", "2-6-pro-text").stdout,
                         rf"(?m)^{TEXT} .* no$")
        self.assertIn("the service's own list does not have it", self.run_command("models", TEXT, "--offline").stdout)
        self.assertEqual([model["id"] for model in self.models() if model.get("listed") is False], [TEXT])

    def test_nothing_fits_a_model_that_nobody_knows(self):
        run = self.run_command("check", "--offline", "-m", "acme/dream-2", "-p", "A boat")
        self.assertNotIn("fits", run.stdout)
        self.assertIn("was not checked", run.stdout)


if __name__ == "__main__":
    main()
