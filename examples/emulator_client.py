#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Generates a clip with the standard library alone: emulator_client.py PROMPT FILE."""

import json, os, sys, time, urllib.parse, urllib.request

BASE = os.environ.get("AIMLAPI_BASE_URL", "https://api.aimlapi.com") + "/v2/video/generations"
HEADERS = {"Authorization": "Bearer " + os.environ["AIMLAPI_KEY"], "Content-Type": "application/json"}


def call(url, body=None):
    request = urllib.request.Request(url, body and json.dumps(body).encode(), HEADERS)
    return json.load(urllib.request.urlopen(request, timeout=60))


prompt, path = sys.argv[1:]
reply = call(BASE, {"model": "klingai/video-v2-6-pro-text-to-video", "prompt": prompt, "duration": 5})
while reply["status"] in ("queued", "generating"):
    time.sleep(1)
    reply = call(BASE + "?" + urllib.parse.urlencode({"generation_id": reply["id"]}))
if reply["status"] != "completed":
    sys.exit("the generation failed: " + reply["error"]["message"])
urllib.request.urlretrieve(reply["video"]["url"], path)  # without the key: another host
