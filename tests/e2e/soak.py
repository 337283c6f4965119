#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many elements in one process, while every fifth answer is wrong: nothing is lost, nothing is bought twice, and the
memory stays what it is.

    soak.py                    what CI runs
    soak.py --elements 200 --generations 2000
    soak.py --seconds 3600     an hour"""

import argparse
import collections
import hashlib
import json
import os
import subprocess
import sys
import unittest
import urllib.request

from support import BUILD, KEY, EndToEnd

CLIENT = BUILD / "tests/e2e/soak-client"
CLIP = BUILD / "tests/clips/faststart.mp4"
# In equal parts. A submission that was lost before the service took it is not among them: nobody can know, so it ends as
# an unknown outcome, never as a second purchase (paid_once.py).
FAULTS = {
    "create": [{"kind": "lost-after"}, {"kind": "status", "status": 429, "retry_after": 1},
               {"kind": "status", "status": 502, "accepted": True}, {"kind": "invalid-json"}, {"kind": "html"}],
    "poll": [{"kind": "status", "status": 503}, {"kind": "reset"}, {"kind": "empty"}, {"kind": "html"},
             {"kind": "truncated"}],
    "clip": [{"kind": "truncated", "bytes": 20000}, {"kind": "reset"}, {"kind": "status", "status": 503},
             {"kind": "expired-link"}, {"kind": "changing-etag"}],
    "logs": [{"kind": "status", "status": 500}, {"kind": "empty"}],
}


def rules(share):
    """Rules that strike the share of all requests; the first that applies strikes, so later ones have to be likelier."""
    for phase, faults in FAULTS.items():
        left = 1.0
        for number, fault in enumerate(faults):
            each = share / len(faults)
            yield {"match": {"phase": phase, "share": each / left, "seed": 100 + number}, "fault": fault}
            left -= each


class Soak(EndToEnd):
    emulator_options = ("--clip", str(CLIP), "--log-delay", "0", "--generation-time", "0.5", "--history", "100000",
                        "--seed", "1")
    arguments = None

    def test_nothing_is_lost_and_nothing_bought_twice(self):
        request = urllib.request.Request(self.emulator.url + "/emulator/faults", json.dumps(list(rules(0.2))).encode(),
                                         method="PUT")
        urllib.request.urlopen(request).close()
        environment = dict(os.environ, AIMLAPI_KEY=KEY, AIMLAPI_BASE_URL=self.emulator.url,
                           GST_REGISTRY=str(self.folder / "registry"), **self.home)
        # the store's own lock on its size is no part of this
        size = ["--generations", str(self.arguments.generations)] if self.arguments.generations else \
            ["--seconds", str(self.arguments.seconds)]
        done = subprocess.run([CLIENT, "--elements", str(self.arguments.elements), *size, "--poll-interval", "300",
                               "--sha256", hashlib.sha256(CLIP.read_bytes()).hexdigest(), "--bytes", str(CLIP.stat().st_size)],
                              env=environment, stdout=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 0)
        result = json.loads(done.stdout)
        report = self.emulator.report()
        struck = sum(count for count in report["faults"].values())
        print(f"{done.stdout.strip()}\n{report['billable']} bought, {struck} faults struck", file=sys.stderr)

        self.assertEqual(result["errors"], {})
        self.assertEqual(result["wrong"], 0)
        self.assertEqual(result["arrived"], result["begun"])
        bought = collections.Counter(task["request"]["prompt"] for task in report["tasks"])
        self.assertEqual([prompt for prompt, times in bought.items() if times > 1], [])
        self.assertEqual(report["billable"], result["begun"])
        self.assertGreater(struck, result["begun"] / 4)
        # as many things at the end as half-way, when all elements were at work as well
        half, end = result["half"], result["end"]
        self.assertLess(end["kilobytes"], half["kilobytes"] * 1.25 + 4096)
        self.assertLessEqual(end["descriptors"], half["descriptors"] + 10)
        self.assertLessEqual(end["threads"], half["threads"] + 10)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--elements", type=int, default=40)
    parser.add_argument("--generations", type=int, default=0)
    parser.add_argument("--seconds", type=int, default=20)
    Soak.arguments = parser.parse_args()
    unittest.main(argv=[sys.argv[0], "-v"])
