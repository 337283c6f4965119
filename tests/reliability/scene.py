# SPDX-License-Identifier: LGPL-2.1-or-later
"""One user with a ledger and a cache of its own, one service, and the ways to ask it for a clip."""

import base64
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

import marks  # noqa: E402
from support import BUILD, KEY, Emulator  # noqa: E402

CLIP = BUILD / "tests/clips/faststart.mp4"
OTHER_CLIP = BUILD / "tests/clips/fragmented.mp4"
PLAYER = os.environ["AIMLVIDEO_PLAYER"]
COMMAND = os.environ["AIMLVIDEO_COMMAND"]
PATIENCE = 350  # seconds after which a process that should have ended counts as hanging
RESOURCE_ERRORS = {1: "FAILED", 3: "NOT_FOUND", 4: "BUSY", 5: "OPEN_READ", 9: "READ", 13: "SETTINGS",
                   14: "NO_SPACE_LEFT", 15: "NOT_AUTHORIZED"}


@dataclass
class Seen:
    """What a run brought."""

    clip: bool = False  # the very clip, and no error
    code: str = ""  # of the only error
    text: str = ""
    seconds: float = 0  # until the error, or the end
    notes: str = ""
    exit: int = 0
    problem: str = ""  # what is wrong whatever was promised


def digests(clip=CLIP):
    """What each way makes of a clip, as an application would from a file."""
    seen = {}
    for way in ("push", "pull"):
        run = subprocess.run([PLAYER, way, "filesrc", f"location={clip}"], capture_output=True, text=True, check=True)
        seen[way] = json.loads(run.stdout)["digest"]
    seen["clip"] = pathlib.Path(clip).read_bytes()
    return seen


def rightly_marked(told, way, clip):
    """Whether what was pushed had a mark behind the clip, where one can be."""
    mark = base64.b64decode(told["mark"])
    return way != "push" or marks.delivers(clip + mark, clip)


def seen_by_player(way, code, output, errors, seconds, expected):
    """What a run of the player brought, whose clip is known by its digests."""
    if code != 0:
        return Seen(problem=f"the player ended with {code}: {errors}")
    told = json.loads(output)
    causes = [error for error in told["errors"] if error["domain"] == "gst-resource-error-quark"]
    seen = Seen(notes="\n".join(told["notes"]), seconds=seconds)
    if told["hung"]:
        seen.problem = "it hangs"
    if not told["errors"]:
        seen.clip = told["ended"] and told["digest"] == expected[way] and rightly_marked(told, way, expected["clip"])
        if not seen.clip:
            seen.problem = "another clip was delivered"
        elif told["pulled"] != (way == "pull"):
            seen.problem = "it was not the way of scheduling that is meant"
        return seen
    if len(causes) != 1 or told["errors"][0] != causes[0] or not causes[0]["by_source"]:
        seen.problem = "not one error with the cause, before what follows from it: " + json.dumps(told["errors"])
        return seen
    # what the base class and the demuxer make of the end of the stream
    others = {error["text"] for error in told["errors"][1:]}
    if not others <= {"Internal data stream error.", "This file contains no playable streams.",
                      "This file is invalid and cannot be played."}:
        seen.problem = f"more errors: {others}"
    seen.code = RESOURCE_ERRORS.get(causes[0]["code"], str(causes[0]["code"]))
    seen.text = causes[0]["text"]
    seen.seconds = causes[0]["after_ms"] / 1000
    return seen


class Scene:
    def __init__(self, folder, expected):
        self.folder = folder
        self.expected = expected
        self.emulator = Emulator("--clip", str(CLIP), "--log-delay", "0")
        self.base = self.emulator.url
        self.environment = {"XDG_STATE_HOME": str(folder / "state"), "XDG_CACHE_HOME": str(folder / "cache")}
        self.prefix = []
        self.properties = []  # of the element, for this scene
        self.request = ["prompt=a cat on a roof"]  # what is asked for
        self.job = "1"
        self.closing = [self.emulator.stop]

    def close(self):
        for close in reversed(self.closing):
            close()

    # the service

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": "Bearer " + KEY, "Content-Type": "application/json"}
        request = urllib.request.Request(self.emulator.url + path, data, headers, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def rules(self, *rules):
        self.call("PUT", "/emulator/faults", [{"match": match, "fault": fault} for match, fault in rules])

    def release(self):
        self.call("POST", "/emulator/release")

    def wait_for(self, phase, count=1):
        """Until the service has got so many requests of a phase."""
        self.emulator.wait_until(lambda report: report["by_endpoint"].get(phase, 0) >= count, f"{count} x {phase}")

    def purchases(self):
        return self.emulator.report()["billable"]

    # the runs

    def start(self, way, timeout, properties=()):
        environment = dict(os.environ, AIMLAPI_KEY=KEY, AIMLAPI_BASE_URL=self.base, **self.environment)
        if way == "command":
            (self.folder / "clip.mp4").unlink(missing_ok=True)
            arguments = [COMMAND, "jobs", "resume", self.job, self.folder / "clip.mp4", "--timeout", str(timeout)]
        else:
            arguments = [PLAYER, way, "aimlvideosrc", "poll-interval=100", f"timeout={timeout}", *self.request,
                         *self.properties, *properties]
        process = subprocess.Popen([*self.prefix, *arguments], env=environment, text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        process.begun = time.monotonic()
        return process

    def end(self, way, process):
        try:
            output, errors = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return Seen(problem="it hangs")
        seconds = time.monotonic() - process.begun
        if KEY in output + errors:
            return Seen(problem="the key was told")
        seen = self.by_command(process.returncode, errors, seconds) if way == "command" else seen_by_player(
            way, process.returncode, output, errors, seconds, self.expected)
        if self.emulator.report()["authorization_on_clips"]:
            seen.problem = "the key was sent to the clip's host"
        return seen

    def run(self, way, timeout, properties=()):
        return self.end(way, self.start(way, timeout, properties))

    def by_command(self, code, errors, seconds):
        file = self.folder / "clip.mp4"
        clip = code == 0 and marks.delivers(file.read_bytes(), CLIP.read_bytes())
        told = re.findall(r"^aimlvideo: (?!warning: )(.*)$", errors, re.MULTILINE)
        seen = Seen(clip, "", "\n".join(told), seconds, errors, code)
        if len(told) != (code != 0):
            seen.problem = f"{len(told)} errors were told"
        if code == 0 and not clip:
            seen.problem = "another clip was delivered"
        if code != 0 and file.exists():
            seen.problem = "there is a file in spite of the error"
        return seen

    # before the fault

    def interrupt(self, phase):
        """An earlier run that was killed: while its submission was unanswered (lookup), or while it waited."""
        at = "create" if phase == "lookup" else "poll"
        self.rules(({"phase": at}, {"kind": "stall", "accepted": True}))
        process = self.start("push", 60)
        if at == "create":
            self.emulator.wait_until(lambda report: report["billable"] == 1, "a purchase")
        else:
            self.wait_for("poll")
        process.kill()
        process.communicate()
        self.release()
        self.rules()

    def buy(self):
        """A generation that is bought by somebody else; its id."""
        return self.call("POST", "/v2/video/generations", {"model": "klingai/video-v2-6-pro-text-to-video",
                                                           "prompt": "a cat"})["id"]

    def settle(self):
        """By hand: the service's log does not list it, so it was not bought."""
        environment = dict(os.environ, **self.environment)
        subprocess.run([COMMAND, "jobs", "resolve", self.job, "--not-bought"], env=environment, check=True,
                       capture_output=True)

    def ledger(self, statement, *values):
        database = sqlite3.connect(self.folder / "state/aimlvideo/ledger.sqlite3")
        with database:
            database.execute(statement, values)
        database.close()
