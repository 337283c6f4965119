# SPDX-License-Identifier: LGPL-2.1-or-later
"""Asks the AI/ML API whether it behaves as this project assumes: one line for each assumption, with what was expected and
what was seen. It buys one short generation, and nothing that may cost more than --max-cost in all."""

import argparse
import datetime
import http.client
import json
import os
import pathlib
import struct
import sys
import tempfile
import time
import urllib.parse
import uuid

SERVICE = "https://api.aimlapi.com"
MODEL = "kling-video/v1/standard/text-to-video"
PROMPT = "A white ball rolls over a black floor"
DURATION = 5
LARGEST_CLIP = 200 << 20
PATIENCE_FOR_LOG = 60  # seconds after the generation's end
PENDING = ("queued", "generating", "waiting", "active")
DONE = ("completed", "complete", "succeeded")
REFUSALS = (400, 401, 402, 403, 404, 413, 422, 429)  # with these, nothing was bought
FAILED = ("error", "failed")


class Stop(Exception):
    """The check can't go on, and why."""


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def shape(self):
        """`200 JSON {id, status}`: what can be compared with another run."""
        content = self.json()
        if isinstance(content, dict):
            return f"{self.status} JSON {{{', '.join(sorted(content))}}}"
        return f"{self.status} {'JSON' if content is not None else 'no JSON' if self.body else 'empty'}"


def ask(method, url, headers=None, body=None, limit=4 << 20):
    """One request. No redirect is followed: the key must not go anywhere else."""
    parts = urllib.parse.urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=60)
    try:
        path = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        connection.request(method, path, body, headers or {})
        reply = connection.getresponse()
        content = reply.read(limit + 1)
        if len(content) > limit:
            raise Stop(f"{parts.hostname} answers with more than {limit} bytes")
        return Answer(reply.status, {name.lower(): value for name, value in reply.getheaders()}, content)
    finally:
        connection.close()


class Check:
    def __init__(self, options, key):
        self.options, self.key = options, key
        self.base = options.base_url.rstrip("/")
        self.rows, self.clip = [], {}
        self.spent = 0.0  # at most

    # what was seen

    def clean(self, value):
        """Fit for a terminal, and without the key, which a service may quote."""
        text = str(value).replace(self.key, "***")
        return "".join(c if c.isprintable() else "?" for c in text)[:300]

    def saw(self, name, expected, seen, right, detail=""):
        """`right`: None when nobody knows what to expect. `detail` differs from run to run."""
        row = {"name": name, "expected": expected, "seen": self.clean(seen), "as_expected": right,
               "detail": self.clean(detail)}
        self.rows.append(row)
        mark = {True: "ok", False: "DIFFERS", None: "-"}[right]
        print(f"{mark:8}{name:30} {expected:45} {row['seen']}{'  (' + row['detail'] + ')' if detail else ''}", flush=True)

    def service(self, method, path, body=None, key=True, **headers):
        if body is not None:
            headers["Content-Type"] = "application/json"
        headers |= {"Accept": "application/json", "User-Agent": "gst-aimlvideo-live-check"}
        if key:
            headers["Authorization"] = "Bearer " + (self.key if key is True else key)
        return ask(method, self.base + path, headers, None if body is None else json.dumps(body))

    # what costs nothing

    def error_form(self, name, expected, answer, statuses):
        content = answer.json()
        right = answer.status in statuses and isinstance(content, dict) and any(
            key in content for key in ("message", "error", "title"))
        named = [name for name, there in (("x-request-id", "x-request-id" in answer.headers),
                                          ("requestId", isinstance(content, dict) and "requestId" in content)) if there]
        kind = answer.headers.get("content-type", "no type").split(";")[0]
        self.saw(name, expected, f"{answer.shape()}, {kind}, request id in {' and '.join(named) or 'nothing'}", right)

    def listing(self):
        model = self.options.model
        query = urllib.parse.urlencode({"id": model, "include": "pricing"})
        answer = self.service("GET", "/v1/models?" + query, key=None)
        entries = (answer.json() or {}).get("data") or []
        self.saw("models: without a key", "200 JSON {data, object}", answer.shape(), answer.status == 200)
        if not entries:
            raise Stop(f"the service does not list {model}: name another with --model")
        entry = entries[0]
        self.saw("models: an entry", "a type of video generations, info.docsJson",
                 f"type {entry.get('type')}, {'info.docsJson' if (entry.get('info') or {}).get('docsJson') else 'no docsJson'}",
                 entry.get("type") == "internal/video-generations/submit" and bool((entry.get("info") or {}).get("docsJson")))
        pricing = entry.get("pricing") or {}
        form = [f"kind {pricing.get('kind')}"]
        for unit in pricing.get("units") or []:
            form.append(f"name {unit.get('name')}, measure {unit.get('measure')}")
        for variant in (pricing.get("variants") or [])[:3]:
            form.append(f"unit {variant.get('unit')} when {', '.join(sorted(variant.get('when') or {}))}")
        self.saw("models: the form of a price", "fixed (name: the unit), variants or variable", "; ".join(form),
                 pricing.get("kind") in ("fixed", "variants", "variable"), json.dumps(pricing)[:200])
        tag = answer.headers.get("etag")
        again = tag and self.service("GET", "/v1/models?" + query, key=None, **{"If-None-Match": tag}).status
        self.saw("models: ETag", "304 when nothing has changed", f"{again}" if tag else "no ETag", again == 304)
        unknown = self.service("GET", "/v1/models?id=nobody%2Fknows-it", key=None)
        self.saw("models: an unknown id", "an empty list", f"{unknown.status}, {len((unknown.json() or {}).get('data') or [])} rows",
                 unknown.status == 200 and (unknown.json() or {}).get("data") == [])
        one = self.service("GET", f"/model/{model}", key=None)
        self.saw("model: one, slashes unescaped", "200", one.status, one.status == 200)
        old = self.service("GET", "/v1/models/deprecations", key=None)
        rows = old.json()
        rows = rows.get("data") if isinstance(rows, dict) else rows
        states = sorted({str(row.get("status")) for row in rows if isinstance(row, dict)}) if isinstance(rows, list) else []
        self.saw("deprecations: without a key", "200, rows deprecated, superseded, withdrawn",
                 f"{old.status} {', '.join(states)}".strip(), old.status == 200)
        return pricing

    def refusals(self):
        create = "/v2/video/generations"
        # nothing that anybody could sell: a gateway with a key of its own may take any key
        body = {"model": "nobody/knows-it", "prompt": PROMPT}
        self.error_form("create: no key", "401 with a message", self.service("POST", create, body, key=None), (401,))
        self.error_form("create: a wrong key", "401 with a message", self.service("POST", create, body, key="wrong"), (401, 403))
        self.error_form("create: an unknown model", "400 or 404 with a message",
                        self.service("POST", create, body), (400, 404))
        unknown = self.service("GET", create + "?generation_id=" + urllib.parse.quote(f"{uuid.uuid4()}:nobody/knows-it", safe=""))
        self.error_form("poll: an unknown id", "404 with a message", unknown, (404,))
        malformed = self.service("GET", create + "?generation_id=%20")
        self.saw("poll: a malformed id", "400 or 404, no x-inference-id",
                 f"{malformed.status}, {'an' if 'x-inference-id' in malformed.headers else 'no'} x-inference-id",
                 malformed.status in (400, 404) and "x-inference-id" not in malformed.headers)
        self.error_form("logs: no window", "400 with a message", self.service("GET", "/v2/logs"), (400,))

    def balance(self):
        answer = self.service("GET", "/v2/billing")
        content = answer.json() or {}
        return answer, content.get("current_balance")

    def account(self):
        answer, balance = self.balance()
        self.saw("billing", "200 JSON {currency, current_balance}", answer.shape(),
                 answer.status == 200 and isinstance(balance, (int, float)))
        logs = self.service("GET", "/v2/logs?period=24h&limit=1")
        self.saw("logs", "200 JSON {data, pagination}", logs.shape(), logs.status == 200)
        return balance

    # what costs money

    def price(self, pricing):
        """The most that a generation may cost, in USD; None: nobody can tell."""
        counts = {"second": DURATION, "video": 1, "generation": 1, "request": 1, "image": 1}
        if pricing.get("kind") == "fixed":
            parts = [(unit.get("name") if unit.get("name") in counts else unit.get("measure"), unit)
                     for unit in pricing.get("units") or []]
            add = sum
        elif pricing.get("kind") == "variants":
            parts = [(variant.get("unit"), variant) for variant in pricing.get("variants") or []]
            add = max
        else:
            return None
        if not parts or any(unit not in counts or not isinstance(part.get("price"), (int, float)) for unit, part in parts):
            return None
        return add([part["price"] * counts[unit] / (part.get("per") or 1) for unit, part in parts])

    def consent(self, pricing):
        price = self.price(pricing)
        if price is None or not 0 <= price < float("inf"):
            raise Stop(f"the price of {self.options.model} is not known: name another with --model")
        if price > self.options.max_cost:
            raise Stop(f"a generation of {self.options.model} may cost {price:.3f} USD, --max-cost is {self.options.max_cost}")
        if not self.options.yes:
            if not sys.stdin.isatty():
                raise Stop("what follows costs money: --yes allows it where there is no terminal to ask on")
            if input(f"What follows buys one generation of {self.options.model}, about {price:.3f} USD. Go on? [y/N] ") not in ("y", "Y", "yes"):
                raise Stop("as you wish")
        return price

    def create(self, price, extra, request_id):
        """A purchase, unless it is refused. Never sent twice."""
        if self.spent + price > self.options.max_cost:
            raise Stop("another submission might cost more than --max-cost")
        self.spent += price
        body = {"model": self.options.model, "prompt": PROMPT, "duration": DURATION} | extra
        try:
            answer = self.service("POST", "/v2/video/generations", body, **{"X-Client-Request-Id": request_id})
        except (OSError, http.client.HTTPException) as fault:
            raise Stop(f"the answer to a submission was lost ({fault}): it may be paid for, and the account's logs have it as "
                       f"client request {request_id}") from fault
        if answer.status in REFUSALS:
            self.spent -= price
        return answer

    def refused_value(self, price):
        if self.spent + 2 * price > self.options.max_cost:
            return self.saw("create: a wrong value", "400 with a message", "not tried: should it be taken, it would cost", None)
        answer = self.create(price, {"duration": "never"}, str(uuid.uuid4()))
        self.error_form("create: a wrong value", "400 with a message", answer, (400, 422))

    def buy(self, price):
        """A generation that was accepted: its id, and the answer."""
        request_id = str(uuid.uuid4())
        answer = self.create(price, {"live_check_unknown_key": True}, request_id)
        taken = 200 <= answer.status < 300
        self.saw("create: a key that it lacks", "taken, or 400", "taken" if taken else answer.shape(), None)
        if answer.status in REFUSALS:
            request_id = str(uuid.uuid4())
            answer = self.create(price, {}, request_id)
        content = answer.json()
        if answer.status // 100 != 2 or not isinstance(content, dict):
            raise Stop(f"the submission, client request {request_id}, is answered with {answer.shape()}: "
                       f"{answer.body[:200].decode(errors='replace')}")
        self.saw("create: success code", "200", answer.status, answer.status == 200)
        self.saw("create: shape", "id, status, meta", ", ".join(sorted(content)), "id" in content and "status" in content)
        generation = str(content.get("id") or content.get("generation_id") or answer.headers.get("x-inference-id") or "")
        if not generation:
            raise Stop(f"the answer names no generation: it is in the account's logs as client request {request_id}")
        self.clip = {"generation_id": generation, "client_request_id": request_id}
        print(f"        paid for: generation {self.clean(generation)}", flush=True)
        self.saw("create: status", "queued", content.get("status"), content.get("status") in PENDING + DONE)
        form = "UUID:MODEL" if ":" in generation and "/" in generation else "another form"
        self.saw("create: form of the id", "UUID:MODEL or another", form, None, generation)
        usage = (content.get("meta") or {}).get("usage") or {}
        self.saw("create: meta.usage", "credits_used, usd_spent", ", ".join(sorted(usage)) or "none", "usd_spent" in usage)
        for header, value, expected in (("x-inference-id", generation, "the generation's id"),
                                        ("x-client-request-id", request_id, "the id that was sent"),
                                        ("x-aimlapi-usd-spent", None, "a number"),
                                        ("x-request-id", None, "an id, for the support")):
            seen = answer.headers.get(header)
            right = seen is not None and (value is None or seen == value)
            self.saw("create: " + header, expected, "as expected" if right else "none" if seen is None else "another", right,
                     seen or "")
        spent = answer.headers.get("x-aimlapi-usd-spent") or usage.get("usd_spent")
        if isinstance(spent, (str, float, int)):
            self.saw("create: what it costs", "what the list says", "as expected" if abs(float(spent) - price) < 1e-6 else
                     "another amount", abs(float(spent) - price) < 1e-6, f"list {price:.6g}, said {spent}")
        return generation

    def log_row(self):
        answer = self.service("GET", "/v2/logs?period=24h&limit=20")
        for row in (answer.json() or {}).get("data") or []:
            if row.get("client_request_id") == self.clip["client_request_id"]:
                return row
        return None

    def wait(self, generation):
        path = "/v2/video/generations?generation_id=" + urllib.parse.quote(generation, safe="")
        begun, states, row, content = time.monotonic(), [], None, {}
        while time.monotonic() - begun < self.options.timeout:
            answer = self.service("GET", path)
            content = answer.json() if answer.status == 200 and isinstance(answer.json(), dict) else {}
            state = str(content.get("status")).lower() if content else f"HTTP {answer.status}"
            if state not in states:
                states.append(state)
            ended = state in DONE + FAILED
            if not row and not ended:
                row = self.log_row()
                if row:
                    self.saw("logs: when a row appears", "by the generation's end", f"while it is {state}", True,
                             f"{time.monotonic() - begun:.0f} s after the submission")
            if ended:
                break
            time.sleep(self.options.poll_interval)
        else:
            raise Stop(f"the generation did not end within {self.options.timeout} s")
        self.saw("poll: states", "queued, generating, completed", ", ".join(states),
                 states[-1] == "completed" and set(states) <= set(PENDING + DONE), f"{time.monotonic() - begun:.0f} s")
        self.saw("poll: shape at the end", "error, id, status, video", ", ".join(sorted(content)), {"id", "status"} <= set(content))
        self.saw("poll: x-inference-id", "the generation's id", "as expected" if answer.headers.get("x-inference-id") == generation
                 else "another or none", answer.headers.get("x-inference-id") == generation)
        legacy = self.service("GET", "/v2/generate/video/kling/generation?generation_id=" + urllib.parse.quote(generation, safe=""))
        self.saw("poll: on the vendor's path", "200, or 404 as another family", legacy.status, None)
        ended = time.monotonic()
        while not row and time.monotonic() - ended < PATIENCE_FOR_LOG:
            row = self.log_row()
            if row:
                self.saw("logs: when a row appears", "by the generation's end", "after its end", True, f"{time.monotonic() - ended:.0f} s")
            else:
                time.sleep(self.options.poll_interval)
        if not row:
            self.saw("logs: when a row appears", "by the generation's end", f"not within {PATIENCE_FOR_LOG} s of it", False)
        else:
            row = self.log_row() or row
            self.saw("logs: a row", "client_request_id, cost, inference_id, status", ", ".join(sorted(row)), "cost" in row)
            same = row.get("inference_id") == generation
            self.saw("logs: inference_id", "the generation's id", "as expected" if same else "another", same)
            self.saw("logs: status", "succeeded", row.get("status"), row.get("status") == "succeeded")
        if states[-1] in FAILED:
            raise Stop(f"the generation failed: {json.dumps(content.get('error'))}")
        return content

    def video(self, content):
        video = content.get("video")
        kind = "object" if isinstance(video, dict) else "array" if isinstance(video, list) else type(video).__name__
        first = video[0] if isinstance(video, list) and video else video
        url = first.get("url") if isinstance(first, dict) else first
        self.saw("clip: video", "object {url}", f"{kind} {{{', '.join(sorted(first))}}}" if isinstance(first, dict) else kind,
                 isinstance(url, str))
        parts = urllib.parse.urlsplit(url if isinstance(url, str) else "")
        if parts.scheme not in (("http", "https") if self.base.startswith("http:") else ("https",)):
            raise Stop("the clip has no address that may be followed")
        self.clip["url"] = url
        names = ", ".join(sorted({name for name, _ in urllib.parse.parse_qsl(parts.query, keep_blank_values=True)}))
        self.saw("clip: address", "https, signed", f"{parts.scheme}, query {names or 'empty'}", None, parts.hostname)
        return url

    def host(self, url):
        part = ask("GET", url, {"Range": "bytes=0-0"}, limit=LARGEST_CLIP)
        self.saw("clip: Range", "206 with the length", f"{part.status}, {'with' if '/' in part.headers.get('content-range', '') else 'without'} Content-Range",
                 part.status == 206 and part.headers.get("content-range", "/*")[-2:] != "/*", part.headers.get("content-range", ""))
        tail = ask("GET", url, {"Range": "bytes=-8"}, limit=LARGEST_CLIP)
        self.saw("clip: Range from the end", "206", tail.status, tail.status == 206)
        head = ask("HEAD", url)
        self.saw("clip: HEAD", "any: it is not used", head.status, None)
        for header, expected in (("etag", "an ETag"), ("accept-ranges", "bytes"), ("content-type", "video/mp4")):
            seen = part.headers.get(header)
            self.saw("clip: " + header, expected, "there" if seen and header == "etag" else seen or "none", bool(seen), seen or "")
        whole = ask("GET", url, limit=LARGEST_CLIP)
        size = part.headers.get("content-range", "").rpartition("/")[2]
        self.saw("clip: all of it", "200, as long as it said", f"{whole.status}, {'as long' if size == str(len(whole.body)) else 'another length'}",
                 whole.status == 200 and size == str(len(whole.body)), f"{len(whole.body)} bytes")
        self.boxes(whole.body)

    def boxes(self, clip):
        names, at = [], 0
        while at + 8 <= len(clip):
            size, name = struct.unpack(">I4s", clip[at:at + 8])
            if size == 1 and at + 16 <= len(clip):
                size = struct.unpack(">Q", clip[at + 8:at + 16])[0]
            elif size == 0:
                size = len(clip) - at
            if size < 8:
                break
            names.append(name.decode("latin-1"))
            at += size
        whole = at == len(clip) and {"ftyp", "moov"} <= set(names)
        self.saw("clip: boxes", "ftyp, moov and mdat, whole", f"{' '.join(names)}, {'whole' if whole else 'cut'}", whole)

    def bill(self, before):
        _, after = self.balance()
        if isinstance(before, (int, float)) and isinstance(after, (int, float)):
            self.saw("billing: after the generation", "less by what was said", "less" if after < before else "not less",
                     after < before, f"{before - after:.6g} USD")

    def run(self):
        pricing = self.listing()
        self.refusals()
        before = self.account()
        price = self.consent(pricing)
        self.refused_value(price)
        content = self.wait(self.buy(price))
        self.host(self.video(content))
        self.bill(before)

    def later(self, earlier):
        """What is left of an earlier run's generation. Buys nothing."""
        self.clip = earlier["clip"]
        age = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(earlier["made"])
        when = f"{age.total_seconds() / 3600:.1f} h later"
        part = ask("GET", self.clip["url"], {"Range": "bytes=0-0"}, limit=LARGEST_CLIP)
        self.saw("later: the clip's address", "206, or refused as expired", part.status, None, when)
        answer = self.service("GET", "/v2/video/generations?generation_id=" + urllib.parse.quote(self.clip["generation_id"], safe=""))
        self.saw("later: the generation", "200, completed", f"{answer.status} {(answer.json() or {}).get('status')}",
                 answer.status == 200, when)
        fresh = json.dumps(answer.json())
        self.saw("later: its address", "the same or a fresh one", "the same" if json.dumps(self.clip["url"])[1:-1] in fresh else "another",
                 None)

    def record(self):
        return {"made": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "service": self.base,
                "model": self.options.model, "checks": self.rows, "clip": self.clip}


def compare(check, other):
    rows, clean = check.rows, check.clean
    before = {row["name"]: row["seen"] for row in other["checks"]}
    different = [row for row in rows if row["name"] in before and before[row["name"]] != row["seen"]]
    print(f"\nCompared with {clean(other.get('service'))} of {clean(other['made'])}: {len(different)} of {len(rows)} differ")
    for row in different:
        print(f"        {row['name']:30} {clean(before[row['name']]):45} {row['seen']}")
    for name in sorted(map(str, before.keys() - {row["name"] for row in rows})):
        print(f"        {clean(name):30} was not seen this time")


def read(parser, option, path):
    """An earlier run's record. Read before anything is bought."""
    try:
        record = json.loads(path.read_text())
        if not isinstance(record["checks"], list) or not isinstance(record["clip"], dict):
            raise ValueError
        for row in record["checks"]:
            row["name"], row["seen"]
        datetime.datetime.fromisoformat(record["made"])
        if option == "--later":
            record["clip"]["url"], record["clip"]["generation_id"]
        return record
    except OSError as fault:
        parser.error(f"{option}: {path} can't be read: {fault.strerror}")
    except KeyError as missing:
        parser.error(f"{option}: {path} is no record of a run that bought a clip: it has no {missing.args[0]}")
    except (ValueError, TypeError):
        parser.error(f"{option}: {path} is no record of an earlier run, as --json keeps it")


class Record:
    """Where --json keeps what was seen, for this user's eyes: the clip's address lets anybody fetch it. The place is tried
    before anything is bought, and an earlier record stays until the new one is whole."""

    def __init__(self, parser, path):
        self.path = path
        if path.is_dir():
            parser.error(f"--json: {path} is a folder")
        try:
            descriptor, self.made = tempfile.mkstemp(dir=path.parent, prefix="." + path.name)
        except OSError as fault:
            parser.error(f"--json: {path} can't be written: {fault.strerror}")
        self.file = os.fdopen(descriptor, "w")

    def write(self, content):
        with self.file:
            json.dump(content, self.file, indent=1)
            self.file.write("\n")
        os.replace(self.made, self.path)


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/live-check.sh", description=__doc__)
    parser.add_argument("--max-cost", type=float, default=0.5, metavar="USD", help="the most that it may spend (0.5)")
    parser.add_argument("--model", default=MODEL, help=f"the model to buy from ({MODEL})")
    parser.add_argument("--yes", action="store_true", help="don't ask before something is bought")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="keep what was seen, for --compare and --later")
    parser.add_argument("--compare", type=pathlib.Path, metavar="FILE", help="list what differs from that earlier run, such as one against the emulator")
    parser.add_argument("--later", type=pathlib.Path, metavar="FILE", help="see what is left of that run's generation; buys nothing")
    parser.add_argument("--base-url", default=os.environ.get("AIMLAPI_BASE_URL") or SERVICE, metavar="URL", help="another service, such as the emulator")
    parser.add_argument("--timeout", type=int, default=1800, metavar="S", help="longest wait for the generation (1800)")
    parser.add_argument("--poll-interval", type=float, default=10, metavar="S", help="pause between two questions (10)")
    options = parser.parse_args()
    url = urllib.parse.urlsplit(options.base_url)
    if url.scheme != "https" and not (url.scheme == "http" and url.hostname in ("127.0.0.1", "localhost", "::1")):
        parser.error("--base-url: the key goes over https, or to this machine only")
    if not 0 <= options.max_cost < float("inf"):
        parser.error("--max-cost: an amount of USD is wanted")
    for option in ("later", "compare"):
        if path := getattr(options, option):
            setattr(options, option, read(parser, "--" + option, path))
    return options, parser


def main():
    options, parser = arguments()
    key = os.environ.get("AIMLAPI_KEY", "")
    if not key or not key.isascii() or not key.isprintable():
        sys.exit("The key is wanted in AIMLAPI_KEY.")
    record = Record(parser, options.json) if options.json else None
    check = Check(options, key)
    problem = None
    try:
        if options.later:
            check.later(options.later)
        else:
            check.run()
    except (Stop, OSError, http.client.HTTPException, KeyboardInterrupt, EOFError) as reason:
        problem = check.clean(reason) or type(reason).__name__
    except Exception as reason:  # an answer of no known form must not cost the record of what was paid for
        problem = check.clean(f"an answer of the service can't be understood: {reason!r}")
    if record:
        record.write(check.record())
    if options.compare:
        compare(check, options.compare)
    differing = sum(row["as_expected"] is False for row in check.rows)
    print(f"\n{len(check.rows)} assumptions, {differing} differ; at most {max(check.spent, 0):.3f} USD spent.")
    if problem:
        print("Stopped: " + problem)
        if check.clip.get("generation_id") and not options.later:
            print(f"Paid for: {check.clean(check.clip['generation_id'])}. aimlvideosrc generation-id=... fetches it.")
    sys.exit(3 if problem else 1 if differing else 0)


main()
