#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The price is known before it is paid, and a cap on it is kept."""

import re

from support import IMAGE, EndToEnd, main

SINK = ("!", "fakesink")


class Price(EndToEnd):
    def messages(self, *arguments):
        return self.launch(*arguments, *SINK, options=("-m",)).end()

    def bought(self):
        return len(self.emulator.report()["tasks"])

    def test_a_dry_run_reports_the_price_ends_with_eos_and_buys_nothing(self):
        code, output = self.messages("aimlvideosrc", "prompt=A cat", "duration=10", "dry-run=true")
        self.assertEqual(code, 0, output)
        self.assertIn("the price will be about 0.91 USD: 10 s at 0.091 USD per second", output)
        self.assertRegex(output, r"aimlvideo-generation.*status=\(string\)completed.*usd-estimated=\(double\)0\.91")
        self.assertIn("eos", output)
        self.assertEqual(self.bought(), 0)

    def test_a_dry_run_needs_no_key(self):
        code, output = self.launch("aimlvideosrc", "prompt=A cat", "dry-run=true", *SINK, environment={"AIMLAPI_KEY": ""},
                                   options=()).end()
        self.assertEqual(code, 0, output)

    def test_a_dry_run_of_a_wrong_request_is_an_error(self):
        code, output = self.messages("aimlvideosrc", "prompt=A cat", "duration=7", "dry-run=true")
        self.assertNotEqual(code, 0)
        self.assertIn("allowed are 5, 10", output)

    def test_below_the_cap_it_is_bought_and_the_estimate_comes_first(self):
        code, output = self.messages("aimlvideosrc", "prompt=A cat", "max-cost=0.5")
        self.assertEqual(code, 0, output)
        states = re.findall(r"status=\(string\)([a-z]+)[^\n]*?(usd-estimated=\(double\)0\.455)?[^\n]*\n", output)
        self.assertIn("submitting", [state for state, _ in states])
        self.assertRegex(output, r"status=\(string\)submitting[^\n]*usd-estimated=\(double\)0\.455")
        self.assertRegex(output, r"status=\(string\)completed[^\n]*usd-spent=\(double\)0\.455")
        self.assertEqual(self.bought(), 1)

    def test_above_the_cap_nothing_is_bought(self):
        code, output = self.messages("aimlvideosrc", "prompt=A cat", "duration=10", "max-cost=0.5")
        self.assertNotEqual(code, 0)
        self.assertIn("the price would be above max-cost (0.50 USD): it is estimated at 0.91 USD", output)
        self.assertEqual(self.bought(), 0)

    def test_with_a_cap_and_no_known_price_nothing_is_bought(self):
        code, output = self.messages("aimlvideosrc", "prompt=A cat", "model=acme/new", "max-cost=0.5")
        self.assertNotEqual(code, 0)
        self.assertIn("the price is not known and max-cost (0.50 USD) is set: the service does not list it", output)
        self.assertIn("acme/new is not in the catalogue", output)
        self.assertEqual(self.bought(), 0)

    def test_without_a_cap_nobody_asks_for_a_price(self):
        code, output = self.messages("aimlvideosrc", "prompt=A cat", f"image={IMAGE}")
        self.assertEqual(code, 0, output)
        self.assertNotIn("usd-estimated", output)


if __name__ == "__main__":
    main()
