# SPDX-License-Identifier: LGPL-2.1-or-later
"""The fault matrix: what goes wrong, in which phase of a generation, and what is promised then.

One list, read by the tests (matrix.py), which make each fault happen and hold the promise against what the element and
the command line do, and by scripts/make_reliability_page.py, which writes docs/reliability.md out of it."""

from dataclasses import dataclass, replace

# Each phase: the word of the emulator's faults for its requests.
PHASES = {"submit": "create", "lookup": "logs", "poll": "poll", "download": "clip"}
ELEMENT = ("push", "pull")
WAYS = (*ELEMENT, "command")

TIMEOUT = 3  # seconds, of a run that is to end by it
PATIENT = 60  # of a run that is to end earlier

AT_ONCE, AT_TIMEOUT = "at once", "at the timeout"


@dataclass(frozen=True)
class Promise:
    says: str  # for users
    clip: bool = True  # the very clip is delivered
    purchases: int = 1  # at the end of the run
    code: str = ""  # of the error, GST_RESOURCE_ERROR_...
    exit: int = 0  # of the command line
    when: str = AT_ONCE  # AT_TIMEOUT: the run goes on until then
    timeout: int = 0  # seconds; 0: by `when`
    bound: int = 20  # seconds for an error before the timeout: below what any single request may take by itself
    words: tuple = ()  # of the error, beside the cause
    then: str = "clip"  # what the same run brings once the fault is gone: clip, settle (by hand), nothing to try
    or_else: tuple = ()  # what else the error may be, as (code, exit), where two things end at the same time
    accepted: bool = False  # the service gets a submission in spite of the fault

    def seconds(self):
        return self.timeout or (TIMEOUT if self.when == AT_TIMEOUT else PATIENT)


# the clip, for one purchase
RETRIED = Promise("tried again")
LOOKED_UP = Promise("looked up in the account's log, then fetched", accepted=True)
FOUND = Promise("the generation is found from what did arrive of the answer, or looked up", accepted=True)
WAITED_FOR = Promise("waited for", accepted=True)
RESUMED = Promise("resumes where it broke")
WHOLE = Promise("fetched as a whole instead of in parts")
RENEWED = Promise("the service is asked for a fresh link")
FOLLOWED = Promise("followed, without the key")
NO_MATTER = Promise("does not matter", accepted=True)

# one error
SETTLE = ("aimlvideo jobs resolve", "client_request_id")
PAID = ("generation-id=",)
NOT_BOUGHT = ("nothing was bought",)

UNREACHABLE = Promise("tried again 3 times within about 7 s, then an error", False, 0, "OPEN_READ", 6, bound=30,
                      words=NOT_BOUGHT)
UNTRUSTED = Promise("an error at once, before the request and the key have left", False, 0, "OPEN_READ", 6,
                    words=NOT_BOUGHT)
BUSY = Promise("tried again for a minute or until `timeout`, when the service says so, then an error", False, 0, "BUSY", 6,
               AT_TIMEOUT)
TOO_LARGE_REQUEST = Promise("tried again once, then an error", False, 0, "SETTINGS", 3)
REFUSED = Promise("an error at once", False, 0, "SETTINGS", 3)
NOT_ALLOWED = Promise("an error at once", False, 0, "NOT_AUTHORIZED", 4)
NOT_KNOWN = Promise("an error at once", False, 0, "NOT_FOUND", 5)
UNKNOWN = Promise("looked up until `timeout`, then an error; never sent again blindly", False, 0, "FAILED", 8, AT_TIMEOUT,
                  words=SETTLE, then="settle")
UNKNOWN_BOUGHT = Promise("an error at `timeout`; the next run looks it up", False, 1, "FAILED", 8, AT_TIMEOUT,
                         accepted=True, or_else=("READ", 7))
UNSETTLED = Promise("tried again until `timeout`, then an error; the next run looks it up", False, 1, "FAILED", 8,
                    AT_TIMEOUT, words=SETTLE)
UNSETTLED_AT_ONCE = replace(UNSETTLED, says="an error at once; the next run looks it up", when=AT_ONCE)
TIMED_OUT = Promise("tried again until `timeout`, then an error; the next run resumes it", False, 1, "READ", 7, AT_TIMEOUT,
                    words=PAID)
LOST = Promise("asked again for 3 minutes, then an error that says what it cost; bought again with `on-lost=buy` only", False,
               1, "NOT_FOUND", 5, timeout=400, bound=240, words=("no longer knows", "nothing was bought again"))
KEY_REFUSED = Promise("an error at once; the next run resumes it", False, 1, "NOT_AUTHORIZED", 4, words=PAID)
NO_VIDEO = Promise("a fresh link is tried once, then an error; the next run fetches it", False, 1, "READ", 1,
                   words=("the clip can't be used", *PAID))
TOO_LARGE = Promise("an error at once; with a larger `max-clip-size` the next run fetches it", False, 1, "SETTINGS", 3,
                    words=("max-clip-size", *PAID))
NOT_WHOLE = Promise("fetched again 3 times, then an error that says how to get what there is; the next run fetches it",
                    False, 1, "READ", 1, words=("not whole", "--incomplete", *PAID))
ANOTHER_FILE = Promise("an error at once, since part of it was played; the next run fetches it", False, 1, "READ", 1,
                       words=("has changed since the download began", *PAID))
NO_LEDGER = Promise("an error at once: without the ledger nothing is bought", False, 0, "NO_SPACE_LEFT", 1,
                    words=NOT_BOUGHT)
NO_LEDGER_PAID = replace(NO_LEDGER, says="an error at once; the next run resumes what is bought", purchases=1)
NO_ROOM = Promise("an error at once; the next run fetches it", False, 1, "NO_SPACE_LEFT", 1, words=PAID)
UNRECORDED = Promise("continues, and says that it could not be recorded", accepted=True)
RESERVED = Promise("does not matter: its space is reserved before the first byte")
UNKEPT = Promise("played anyway, and not kept")


@dataclass(frozen=True)
class Cell:
    fault: str
    phase: str
    lasts: bool  # False: the fault passes
    promise: Promise
    setup: tuple  # how to make it happen: the name of a method of Scene, and its arguments
    ways: tuple = WAYS
    cause: str = ""  # words of the error that tell the true cause
    quick: bool = False  # the phase where this fault hurts most: in the quick tier, in push mode
    properties: tuple = ()

    def name(self):
        return f"{self.phase}_{self.fault}_{'lasts' if self.lasts else 'passes'}".replace("-", "_")


TITLES = {}  # of the faults, in the order of the page
CELLS = []


def fault(name, title):
    TITLES[name] = title
    return name


def add(name, phase, setup, passes=None, lasts=None, cause="", quick=None, ways=WAYS, properties=()):
    ways = tuple(way for way in ways if phase != "submit" or way in ELEMENT)
    for promise, is_lasting in ((passes, False), (lasts, True)):
        if promise:
            CELLS.append(Cell(name, phase, is_lasting, promise, setup, ways, cause,
                              quick == ("lasts" if is_lasting else "passes"), properties))


def emulated(kind, **settings):
    return ("emulate", {"kind": kind, **settings})


# --- no connection

name = fault("dns", "the host's name is not known")
RESOLVING = "Error resolving"
add(name, "submit", ("name_unknown",), lasts=replace(UNREACHABLE, then="nothing to try"), cause=RESOLVING, quick="lasts")
add(name, "lookup", ("name_unknown",), lasts=UNSETTLED, cause=RESOLVING, ways=("command",))
add(name, "poll", ("name_unknown",), lasts=TIMED_OUT, cause=RESOLVING)
add(name, "download", ("clips_elsewhere", "https://elsewhere.invalid"), lasts=TIMED_OUT, cause=RESOLVING)

name = fault("refused", "the connection is refused")
REFUSES = "Connection refused"
add(name, "submit", ("nobody_listens",), RETRIED, UNREACHABLE, REFUSES)
add(name, "lookup", ("nobody_listens",), RETRIED, UNSETTLED, REFUSES)
add(name, "poll", ("nobody_listens",), RETRIED, TIMED_OUT, REFUSES, "passes")
add(name, "download", ("nobody_listens",), RETRIED, TIMED_OUT, REFUSES)

for kind, what, cause, quick in (("wrong-host", "is for another host", "it is for another host", "submit"),
                                 ("expired", "has expired", "it has expired", "poll"),
                                 ("self-signed", "is self-signed", "not signed by a trusted authority", "download")):
    name = fault("tls-" + kind, "the host's certificate " + what)
    add(name, "submit", ("certificate", kind), lasts=UNTRUSTED, cause=cause, quick=quick == "submit" and "lasts")
    for phase, lasting in (("lookup", UNSETTLED), ("poll", TIMED_OUT), ("download", TIMED_OUT)):
        add(name, phase, ("certificate", kind), RETRIED, cause=cause, ways=ELEMENT)
        add(name, phase, ("certificate", kind), None, lasting, cause, quick == phase and "lasts")

# --- a broken connection

name = fault("lost", "the connection closes without an answer")
CLOSED = "onnection"
add(name, "submit", emulated("lost-before"), LOOKED_UP, UNKNOWN, CLOSED, "passes")
for phase, lasting in (("lookup", UNSETTLED), ("poll", TIMED_OUT), ("download", TIMED_OUT)):
    add(name, phase, emulated("lost-before"), RETRIED, lasting, CLOSED)

name = fault("reset", "the connection is reset")
RESET = "reset by peer"
add(name, "submit", emulated("reset"), LOOKED_UP, UNKNOWN, RESET, "lasts")
add(name, "lookup", emulated("reset"), RETRIED, UNSETTLED, RESET)
add(name, "poll", emulated("reset"), RETRIED, TIMED_OUT, RESET)
add(name, "download", emulated("reset", bytes=9000), RESUMED, None)
add(name, "download", emulated("reset"), None, TIMED_OUT, RESET)

name = fault("stall", "the connection falls silent")
SILENT = "no complete answer in time"
add(name, "submit", emulated("stall", accepted=True), None, UNKNOWN_BOUGHT, quick="lasts")
add(name, "lookup", emulated("stall"), replace(RETRIED, says="tried again after 30 s", timeout=PATIENT), UNSETTLED, SILENT)
add(name, "poll", emulated("stall"), replace(RETRIED, says="tried again after 30 s", timeout=PATIENT), TIMED_OUT, SILENT)
add(name, "download", emulated("stall", bytes=9000), replace(RESUMED, says="resumes where it broke after 60 s", timeout=90),
    TIMED_OUT, SILENT)

name = fault("drip", "the answer trickles in")
for phase, lasting in (("submit", UNKNOWN_BOUGHT), ("lookup", UNSETTLED), ("poll", TIMED_OUT)):
    add(name, phase, emulated("slow", bytes_per_second=500), WAITED_FOR)
    add(name, phase, emulated("slow", bytes_per_second=5), None, lasting, "" if phase == "submit" else SILENT,
        phase == "poll" and "lasts")
add(name, "download", emulated("slow", bytes_per_second=40_000), WAITED_FOR)
add(name, "download", emulated("slow", bytes_per_second=100), None, TIMED_OUT, SILENT)

name = fault("truncated", "the answer ends early")
UNREADABLE = "it is not valid JSON"
add(name, "submit", emulated("truncated", bytes=5), LOOKED_UP)
add(name, "lookup", emulated("truncated", bytes=5), RETRIED, UNSETTLED, UNREADABLE)
add(name, "poll", emulated("truncated", bytes=5), RETRIED, TIMED_OUT, UNREADABLE)
add(name, "download", emulated("truncated", bytes=9000), RESUMED, None, quick="passes")
add(name, "download", emulated("truncated", bytes=0), None, TIMED_OUT, "the transfer ended after 0 bytes")

name = fault("too-long", "the answer is longer than it says")
for phase in PHASES:
    add(name, phase, ("spoil", "too-long"), NO_MATTER, NO_MATTER, quick=phase == "download" and "lasts")

name = fault("too-large", "the clip is larger than `max-clip-size`")
add(name, "download", ("harmless",), None, TOO_LARGE, quick="lasts", ways=ELEMENT, properties=("max-clip-size=9000",))

name = fault("wrong-length", "`Content-Length` is too small")
add(name, "submit", emulated("wrong-length", delta=-16), FOUND)
add(name, "lookup", emulated("wrong-length", delta=-16), RETRIED, UNSETTLED, UNREADABLE)
add(name, "poll", emulated("wrong-length", delta=-16), RETRIED, TIMED_OUT, UNREADABLE)
add(name, "download", emulated("wrong-length", delta=-16), RESUMED, quick="passes")

name = fault("wrong-range", "`Content-Range` names another part")
add(name, "download", emulated("wrong-content-range"), WHOLE, WHOLE, quick="lasts")

# --- redirects

NOT_FOLLOWED = "redirects"
for kind, what, status in (("loop", "leads back to itself", 302), ("host", "leads to another host", 307),
                           ("http", "leads to http", 301), ("file", "leads to a file", 302)):
    name = fault("redirect-" + kind, "a redirect " + what)
    add(name, "submit", ("spoil", "redirect-" + kind), lasts=REFUSED, cause=NOT_FOLLOWED,
        quick=kind == "host" and "lasts")
    add(name, "lookup", ("spoil", "redirect-" + kind), RETRIED, UNSETTLED, f"HTTP status {status}")
    add(name, "poll", ("spoil", "redirect-" + kind), RETRIED, TIMED_OUT, f"HTTP status {status}")
add("redirect-loop", "download", emulated("moved-link", loop=True), RENEWED, TIMED_OUT, "too many redirects", "lasts")
add("redirect-host", "download", ("clips_moved_to", "localhost"), FOLLOWED, FOLLOWED)
add("redirect-http", "download", emulated("moved-link", target="http://192.0.2.1/clip.mp4"), RENEWED, TIMED_OUT,
    "only https is followed", "lasts")
add("redirect-file", "download", emulated("moved-link", target="file:///etc/passwd"), RENEWED, TIMED_OUT,
    "its scheme is file, only https is followed", "lasts")

# --- refusals and failures of the service

STATUSES = (400, 401, 402, 403, 404, 405, 408, 409, 410, 413, 421, 422, 425, 429, 451, 500, 501, 502, 503, 504, 520)
QUICK_STATUSES = {400: "submit", 401: "poll", 402: "submit", 403: "download", 404: "poll", 405: "lookup", 408: "submit",
                  409: "poll", 410: "download", 413: "submit", 421: "submit", 422: "submit", 425: "lookup", 429: "submit",
                  451: "download", 500: "submit", 501: "poll", 502: "submit", 503: "poll", 504: "download",
                  520: "submit"}


def status_promises(status, phase):
    """(passes, lasts)"""
    if phase == "submit":
        return {401: (None, NOT_ALLOWED), 402: (None, NOT_ALLOWED), 403: (None, NOT_ALLOWED), 404: (None, NOT_KNOWN),
                413: (RETRIED, TOO_LARGE_REQUEST), 421: (RETRIED, BUSY), 429: (RETRIED, BUSY), 503: (RETRIED, BUSY)}.get(
            status, (LOOKED_UP, UNKNOWN) if status == 408 or status >= 500 else (None, REFUSED))
    if phase == "lookup":
        return (None, UNSETTLED_AT_ONCE) if status in (401, 402, 403) else (RETRIED, UNSETTLED)
    if phase == "poll":
        if status in (401, 402, 403):
            return None, KEY_REFUSED
        return RETRIED, TIMED_OUT
    return (RENEWED if status in (401, 403, 404, 410) else RETRIED), TIMED_OUT


for status in STATUSES:
    name = fault(f"status-{status}", f"HTTP status {status}")
    for phase in PHASES:
        passes, lasts = status_promises(status, phase)
        quick = QUICK_STATUSES.get(status) == phase and ("passes" if passes and status not in (404,) else "lasts")
        add(name, phase, emulated("status", status=status), passes, lasts, str(status), quick)

name = fault("forgotten", "the service itself says that it does not know the generation")
add(name, "poll", emulated("status", status=404, body={"message": "Generation not found", "statusCode": 404}), RETRIED,
    LOST, "404", "passes")

# --- answers that are none

PAGE = "a text instead of a video"


def bad_answer(name, setup, cause, found=LOOKED_UP, clip_cause=PAGE, quick="", clip_setup=None, clip=(RENEWED, NO_VIDEO)):
    add(name, "submit", setup, found, quick=quick == "submit" and "passes")
    add(name, "lookup", setup, RETRIED, UNSETTLED, cause, quick == "lookup" and "lasts")
    add(name, "poll", setup, RETRIED, TIMED_OUT, cause, quick == "poll" and "lasts")
    add(name, "download", clip_setup or setup, *clip, clip_cause, quick == "download" and "lasts")


bad_answer(fault("html", "a web page with status 200"), emulated("html"), UNREADABLE, FOUND, quick="download")
bad_answer(fault("empty", "an empty answer with status 200"), emulated("empty"), "empty", FOUND,
           clip_setup=("spoil", "empty"), quick="submit", clip=(RETRIED, TIMED_OUT), clip_cause="empty")
bad_answer(fault("half-json", "half of the JSON"), emulated("invalid-json"), UNREADABLE, FOUND,
           clip_setup=("spoil", "half-json"), quick="poll")
bad_answer(fault("invalid-utf-8", "an answer that is not UTF-8"), ("spoil", "invalid-utf-8"), "not UTF-8", quick="poll")
bad_answer(fault("100-mb-json", "100 MB of JSON"), ("spoil", "100-mb-json"), "larger than", quick="lookup")
bad_answer(fault("deeply-nested-json", "JSON nested 200,000 levels deep"), ("spoil", "deeply-nested-json"), "nested deeper",
           quick="lookup")
bad_answer(fault("nul-bytes", "NUL bytes in the answer"), ("spoil", "nul-bytes"), "not UTF-8", quick="download",
           clip_cause="not a video")
NO_HTTP = "Could not parse HTTP response"
bad_answer(fault("no-http", "an answer that is no HTTP"), ("spoil", "no-http"), NO_HTTP, quick="submit",
           clip=(RETRIED, TIMED_OUT), clip_cause=NO_HTTP)
LARGE_HEAD = "Header too big"
bad_answer(fault("endless-head", "a head of megabytes"), ("spoil", "endless-head"), LARGE_HEAD, quick="poll",
           clip=(RETRIED, TIMED_OUT), clip_cause=LARGE_HEAD)

# --- the clip's link and file

name = fault("changed-etag", "the clip's `ETag` changes midway, its contents do not")
add(name, "download", ("etag_changes",), RESUMED, quick="passes")
name = fault("changed-file", "the clip's file is replaced midway")
add(name, "download", ("file_changes",), None, ANOTHER_FILE, quick="lasts", ways=ELEMENT)
name = fault("cut-clip", "the clip ends early, and `Content-Length` says so")
add(name, "download", ("spoil", "cut-clip"), replace(RETRIED, says="its boxes show it: fetched again"), NOT_WHOLE,
    "missing", "lasts")
name = fault("unended-clip", "the clip has no `Content-Length`, and the connection breaks behind its last byte")
add(name, "download", ("spoil", "unended-clip"), RETRIED, replace(NO_MATTER, says="its boxes show that it is whole"),
    quick="lasts")
name = fault("expired-link", "the clip's link has expired")
add(name, "download", emulated("expired-link"), RENEWED, TIMED_OUT, "403", "passes")

# --- this machine

name = fault("disk-full", "the disk is full")
add(name, "submit", ("state_disk", "full"), lasts=NO_LEDGER, quick="lasts")
add(name, "lookup", ("state_fills_up",), lasts=UNRECORDED, ways=ELEMENT)
add(name, "poll", ("state_fills_up",), lasts=UNRECORDED, quick="lasts", ways=ELEMENT)
add(name, "download", ("cache_disk", "full"), lasts=UNKEPT)
name = fault("disk-full-without-length", "the disk fills up while a clip without `Content-Length` is played")
add(name, "download", ("cache_disk_without_length",), lasts=UNKEPT, quick="lasts")
name = fault("disks-full", "the disk and the temporary folder are full")
add(name, "download", ("no_room",), lasts=NO_ROOM, quick="lasts", ways=ELEMENT)
name = fault("disk-full-midway", "the disk fills up while the clip is played")
add(name, "download", ("cache_fills_up",), lasts=RESERVED, quick="lasts")

for kind, what in (("read-only", "is read-only"), ("no-permission", "may not be written")):
    name = fault(kind, f"the folder {what}")
    add(name, "submit", ("state_disk", kind), lasts=NO_LEDGER, quick="lasts")
    add(name, "poll", ("state_disk", kind), lasts=NO_LEDGER_PAID)
    add(name, "download", ("cache_disk", kind), lasts=UNKEPT)

for kind, jump, what in (("ahead", "+10d", "jumps 10 days ahead"), ("back", "-10d", "jumps 10 days back")):
    name = fault("clock-" + kind, f"the clock {what}")
    add(name, "submit", ("clock_jumps", jump), LOOKED_UP)
    add(name, "lookup", ("clock_jumps", jump), RETRIED, ways=ELEMENT)
    add(name, "poll", ("clock_jumps", jump), RETRIED, quick="passes")
    add(name, "download", ("clock_jumps", jump), RESUMED)
