#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page at /emulator/ in a real browser. Leaves screenshots in $AIMLAPI_SCREENSHOTS, where that is set."""

import os
import pathlib
import shutil
import tempfile
import unittest

from browser import Browser
from harness import IMAGE_MODEL, TAIL_MODEL, Emulator, data_uri, png

LIGHTHOUSE = pathlib.Path(__file__).parents[2] / "examples/media/lighthouse.jpg"
CARD = "[...document.querySelectorAll('.task')].find(card => card.innerText.includes('%s'))"


@unittest.skipUnless(shutil.which("chromium"), "chromium is not installed; scripts/test.sh --full installs it")
class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.__exit__)

    def setUp(self):
        self.emulator = Emulator("--render-size", "480", "--generation-time", "1")
        self.addCleanup(self.emulator.stop)
        self.browser.messages.clear()

    def screenshot(self, name):
        folder = os.environ.get("AIMLAPI_SCREENSHOTS")
        with tempfile.TemporaryDirectory() as scrap:
            path = os.path.join(folder or scrap, name)
            self.browser.screenshot(path)
            self.assertGreater(os.path.getsize(path), 20_000)

    def show(self):
        self.browser.open(self.emulator.base + "/emulator/")

    def complaints(self):
        """What the browser says went wrong; the page of the test before may miss its emulator."""
        return [message for message in self.browser.messages if self.emulator.base in message or "://" not in message]

    def card(self, prompt):
        return CARD % prompt

    def test_a_task_shows_its_state_image_cost_and_its_clip_playing(self):
        self.show()
        self.emulator.create(IMAGE_MODEL, prompt="The lamp is lit", duration=5,
                             image_url=data_uri(LIGHTHOUSE.read_bytes(), "image/jpeg"))
        card = self.card("The lamp is lit")
        self.browser.wait_until(f"{card}?.querySelector('.state').innerText.match(/queued|generating/)", "the waiting task")
        self.browser.wait_until(f"{card}.querySelector('.state').innerText === 'completed'", "its completion")
        # a picture with pixels in it, and a film that goes on by itself
        self.browser.wait_until(f"{card}.querySelector('img')?.naturalWidth > 20", "the input image")
        self.browser.wait_until(f"{card}.querySelector('video')?.currentTime > 0.5", "the clip playing")
        self.assertEqual(self.browser.run(f"{card}.querySelector('video').videoWidth / {card}.querySelector('video').videoHeight > 1"),
                         self.browser.run(f"{card}.querySelector('img').naturalWidth / {card}.querySelector('img').naturalHeight > 1"))
        # the clip that plays is not started anew by the next refreshes
        self.browser.run(f"globalThis.playing = {card}.querySelector('video')")
        refreshed = "performance.getEntriesByType('resource').filter(e => e.name.includes('/report')).length"
        count = self.browser.run(refreshed)
        self.browser.wait_until(f"{refreshed} >= {count + 3}", "three refreshes")
        self.assertTrue(self.browser.run(f"playing === {card}.querySelector('video') && !playing.paused && playing.currentTime > 0.5"))
        usd = self.emulator.report()["tasks"][0]["usd"]
        self.assertIn(f"{usd:.3f} USD", self.browser.run(f"{card}.innerText"))
        self.assertEqual(self.complaints(), [])

    def test_the_form_switches_a_fault_and_the_page_shows_where_it_struck(self):
        self.show()
        self.browser.wait_until("document.querySelector('#kind option')", "the form")
        self.browser.run("""(() => { phase.value = 'create'; kind.value = 'moderation'; kind.dispatchEvent(new Event('change'));
            settings.value = '{"message": "no lighthouses"}'; document.querySelector('#add button').click(); })()""")
        self.browser.wait_until("document.querySelector('#rules li')?.innerText.includes('moderation')", "the rule")
        self.emulator.create(prompt="A forbidden lighthouse")
        self.emulator.create(prompt="An allowed one")
        card = self.card("A forbidden lighthouse")
        self.browser.wait_until(f"{card}?.querySelector('.state').innerText === 'error'", "the error")
        text = self.browser.run(f"{card}.innerText")
        for word in ("no lighthouses", "not billed", "moderation"):
            self.assertIn(word, text)
        self.browser.wait_until(self.card("An allowed one") + "?.querySelector('.state').innerText === 'completed'", "the other one")
        self.browser.wait_until("document.querySelector('#rules').innerText.includes('1')", "the count")
        self.browser.run("document.querySelector('#rules button').click()")
        self.browser.wait_until("!document.querySelector('#rules li')", "the removal")
        self.assertEqual(self.emulator.report()["rules"], [])
        self.assertEqual(self.complaints(), [])

    def test_a_mistake_in_the_form_is_told(self):
        self.show()
        self.browser.wait_until("document.querySelector('#kind option')", "the form")
        self.browser.run("settings.value = '{\"colour\": 1}'; document.querySelector('#add button').click()")
        self.browser.wait_until("problem.innerText.includes('colour')", "the problem")
        self.assertEqual(self.emulator.report()["rules"], [])

    def test_a_reset_empties_the_page(self):
        self.show()
        self.emulator.create(prompt="Soon forgotten")
        self.browser.wait_until("document.querySelectorAll('.task').length === 1", "the task")
        self.browser.run("reset.click()")
        self.browser.wait_until("document.querySelectorAll('.task').length === 0", "the empty page")

    def test_a_prompt_is_text_and_nothing_else(self):
        self.show()
        self.emulator.create(prompt="<img src=x onerror='globalThis.hacked = 1'><b>bold</b>")
        self.browser.wait_until("document.querySelector('.prompt')?.innerText.includes('<b>bold</b>')", "the prompt")
        self.assertIsNone(self.browser.run("globalThis.hacked"))

    def test_screenshots(self):
        lighthouse = data_uri(LIGHTHOUSE.read_bytes(), "image/jpeg")
        dusk = data_uri(png(96, 64, lambda x, y: (40 + 2 * y, 30 + y, 120 - y)))
        self.emulator.faults({"match": {"phase": "create", "nth": 4}, "fault": {"kind": "moderation"}},
                             {"match": {"phase": "create", "nth": 5}, "fault": {"kind": "endless"}},
                             {"match": {"phase": "poll", "share": 0.2, "seed": 7}, "fault": {"kind": "status", "status": 502}})
        self.emulator.create(IMAGE_MODEL, prompt="The lamp is lit and a storm comes in from the sea", image_url=lighthouse)
        self.emulator.create(prompt="A paper boat on a stream, seen from above")
        self.emulator.create(TAIL_MODEL, prompt="Day turns into night", image_url=lighthouse, tail_image_url=dusk)
        self.emulator.create(prompt="Something that is not allowed")
        self.emulator.create(prompt="A film without an end")
        self.show()
        self.browser.wait_until("document.querySelectorAll('.state.completed').length === 3", "three clips")
        self.browser.wait_until("document.querySelectorAll('.state.error').length === 1", "the failed one")
        self.browser.wait_until("[...document.querySelectorAll('video')].every(v => v.currentTime > 0.5)", "all playing")
        self.screenshot("page.png")
        self.browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        self.browser.ask("Emulation.setDeviceMetricsOverride", width=420, height=1000, deviceScaleFactor=1, mobile=True)
        self.screenshot("page-dark-narrow.png")
        self.assertLessEqual(self.browser.run("document.documentElement.scrollWidth"), 420)
        self.browser.ask("Emulation.setDeviceMetricsOverride", width=1280, height=1000, deviceScaleFactor=1, mobile=False)
        self.browser.ask("Emulation.setEmulatedMedia", features=[])


if __name__ == "__main__":
    unittest.main()
