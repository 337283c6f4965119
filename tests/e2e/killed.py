#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""kill -9 at any moment of a generation, and again until there is a clip or an unknown outcome: never two purchases.

AIMLVIDEO_KILLS says how often (30), AIMLVIDEO_SEED with which moments.
"""

import itertools
import os
import random
import time

import marks
from paid_once import CLIP, PaidOnce
from support import main

KILLS = int(os.environ.get("AIMLVIDEO_KILLS", "30"))


class Killed(PaidOnce):
    def length_of_a_run(self):
        begun = time.monotonic()
        self.assertTrue(self.run_element()[0])
        return time.monotonic() - begun

    def test_no_moment_to_be_killed_buys_twice(self):
        seed = int(os.environ.get("AIMLVIDEO_SEED") or random.randrange(1 << 32))
        print(f"AIMLVIDEO_SEED={seed}", flush=True)
        moments = random.Random(seed)
        longest = self.length_of_a_run()
        kills = unknown = 0
        while kills < KILLS:
            self.fresh()
            # each run has more time than the one before it: one that looks up an unknown outcome takes its whole timeout
            for attempt in itertools.count(1):
                self.assertLess(attempt, 50, "it comes to no end")
                process = self.start("timeout=2")
                try:
                    # the one sleep that is meant: it decides where the process is hit
                    process.process.wait(moments.uniform(0, longest * (1 + attempt / 4)))
                except Exception:
                    process.process.kill()
                    kills += 1
                code, output = process.end()
                self.assertLessEqual(self.purchases(), 1, output)
                if code == 0 and self.clip.exists():
                    self.assertTrue(marks.delivers(self.clip.read_bytes(), CLIP.read_bytes()))
                    self.assertEqual(self.purchases(), 1)
                    break
                if "jobs resolve" in output:
                    # sent, and killed before the request had arrived: nothing was bought, nothing is sent again
                    self.assertEqual(self.purchases(), 0, output)
                    unknown += 1
                    break
        print(f"{kills} kills, {unknown} of them between the ledger's `sent` and the request's arrival", flush=True)


if __name__ == "__main__":
    main()
