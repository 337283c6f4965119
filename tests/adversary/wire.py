# SPDX-License-Identifier: LGPL-2.1-or-later
"""A server on a raw socket whose answers are drawn from a grammar of HTTP: legal ones in all their forms (Style), and ones
that break it or break off (FAULTS)."""

import gzip
import json
import random
import socket
import struct
import threading
import time

from service import Reply, Service, asked_range

PATIENCE = 60
LONG = 20  # seconds of silence: longer than any run that meets it
LEAST_PART = 4096


class Gone(Exception):
    """The connection is at its end."""


def sample(draw, *choices):
    return draw.choice(choices)


class Style:
    """How a server that keeps to HTTP happens to speak. All of these have to bring the clip."""

    def __init__(self, draw):
        self.draw = draw
        self.version = sample(draw, "1.1", "1.1", "1.1", "1.0")
        self.framing = sample(draw, "length", "length", "chunked", "close") if self.version == "1.1" else sample(
            draw, "length", "close")
        self.reason = sample(draw, "OK", "OK", "", "Very fine: indeed", "D\xe9j\xe0 vu")
        self.case = sample(draw, str, str, str.lower, str.upper)
        self.blank = sample(draw, " ", " ", "", "  ", "\t")
        self.interim = sample(draw, b"", b"", b"", b"HTTP/1.1 100 Continue\r\n\r\n",
                              b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n",
                              b"HTTP/1.1 102 Processing\r\n\r\n" * 5) if self.version == "1.1" else b""
        self.pieces = sample(draw, "whole", "whole", "head and body", "crumbs")
        self.closes = sample(draw, "no", "no", "told", "untold")
        self.chunk = sample(draw, 1, 7, 1000, 4096, 1 << 20)
        self.extension = sample(draw, "", "", ";a=b", ';name="quo\\"ted; x"')
        self.trailers = sample(draw, "", "", "X-Sum: 1\r\n", "Server-Timing: a;dur=1\r\nX-More: b\r\n")
        self.more = draw.sample(["Set-Cookie: a=b; Path=/; HttpOnly", "Vary: Accept, Origin", "Alt-Svc: h3=\":443\"; ma=60",
                                 "Strict-Transport-Security: max-age=1", "Cache-Control: no-store", "X-Long: " + "y" * 6000,
                                 "X-Empty:", "Date: Thu, 01 Jan 1970 00:00:00 GMT", "Via: 1.1 a, 1.0 b", "Age: 0",
                                 "X-Odd: \xe4\xf6\xfc", "Connection: keep-alive", "Keep-Alive: timeout=1, max=1",
                                 "Link: <a>; rel=\"b, c\"", "Warning: 199 - \"x\""], draw.randrange(5))
        # of the clip
        self.ranges = sample(draw, "total", "total", "star", "ignored", "ignored", "clamped", "clamped star")
        self.validator = sample(draw, "", 'ETag: "v1"', 'ETag: W/"v1"', "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT",
                                'ETag: "v1"\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT')
        self.type = sample(draw, "video/mp4", "application/octet-stream", "binary/octet-stream; charset=UTF-8", "")
        self.hops = draw.choice([0, 0, 0, 1, 2, 4])
        self.hop = [(draw.choice([301, 302, 303, 307, 308]), draw.choice(["absolute", "path", "relative", "query", "fragment",
                                                                         "elsewhere"])) for _ in range(self.hops)]

    def name(self):
        return (f"HTTP/{self.version} {self.framing}, closes {self.closes}, {self.pieces}, interim {len(self.interim)}, chunks of "
                f"{self.chunk}{self.extension!r}{self.trailers!r}, ranges {self.ranges}, {self.validator!r}, hops {self.hop}")


class Answer:
    """One answer while it is made: what the style says, then what a fault makes of it."""

    def __init__(self, style, reply):
        self.style = style
        self.version = "HTTP/" + style.version
        self.status = str(reply.status)
        self.headers = list(reply.headers)
        self.body = reply.body
        self.framing = style.framing
        self.length = None  # to be told instead of the true one; a text
        self.interim = style.interim
        self.raw = None  # in place of all of it
        self.chunks = None  # in place of the encoded body
        self.after = b""
        self.cut = None  # so many bytes, and then
        self.ending = "reset"  # close, reset, silence
        self.reads_request = True

    def framed(self):
        style = self.style
        if self.framing == "chunked":
            if self.chunks is not None:
                return self.chunks
            step = max(style.chunk, len(self.body) // 200 or 1)
            pieces = [self.body[at:at + step] for at in range(0, len(self.body), step)]
            lines = [f"{len(piece):x}{style.extension}\r\n".encode() + piece + b"\r\n" for piece in pieces]
            return b"".join(lines) + f"0\r\n{style.trailers}\r\n".encode()
        return self.body

    def head(self):
        style = self.style
        lines = [(name, value) for name, value in self.headers if value is not None]
        more = [line.split(":", 1) for line in style.more if not (line.startswith(("Connection", "Keep")) and
                                                                  self.closing())]
        lines += [(name, value.strip()) for name, value in more]
        if self.framing == "chunked":
            lines.append(("Transfer-Encoding", "chunked"))
        elif self.framing == "length":
            lines.append(("Content-Length", str(len(self.body)) if self.length is None else self.length))
        if self.framing == "close" or style.closes == "told":
            lines.append(("Connection", "close"))
        if style.draw.random() < 0.5:
            style.draw.shuffle(lines)
        text = f"{self.version} {self.status} {style.reason}\r\n"
        text += "".join(f"{style.case(name)}:{style.blank}{value}\r\n" for name, value in lines)
        return text.encode("latin-1") + b"\r\n"

    def closing(self):
        return self.framing == "close" or self.style.closes != "no" or self.style.version == "1.0"

    def bytes(self):
        if self.raw is not None:
            return self.raw + self.after
        return self.interim + self.head() + self.framed() + self.after


# What goes wrong: each changes an answer. `draw` decides how.

def cut_anywhere(answer, draw):
    total = len(answer.bytes())
    head = len(answer.interim) + len(answer.head())
    answer.cut = sample(draw, draw.randrange(total + 1), draw.randrange(min(head, total) + 1), 0, head, max(total - 1, 0), total)
    answer.ending = sample(draw, "close", "reset", "reset", "silence")


def length_wrong(answer, draw):
    size = len(answer.body)
    answer.framing = "length"
    answer.length = sample(draw, str(draw.randrange(size + 1)), str(size + draw.randrange(1, 5000)), "-1", "", " ", "0x10", "1e3",
                           f"+{size}", "99999999999999999999", "18446744073709551616", str(size) + "abc", f"{size}, {size}",
                           f"{size}, {size + 1}", "9223372036854775807", "000" + str(size))
    answer.ending = sample(draw, "close", "silence", "keep")
    answer.cut = None if answer.ending == "keep" else len(answer.bytes())


def two_lengths(answer, draw):
    size = len(answer.body)
    answer.framing = sample(draw, "length", "chunked")
    other = sample(draw, size, size - 1, size + 1, size // 2, 0)
    answer.headers.insert(draw.randrange(len(answer.headers) + 1), ("Content-Length", str(other)))
    answer.cut, answer.ending = len(answer.bytes()), sample(draw, "close", "reset")


def coding_wrong(answer, draw):
    answer.headers.append(("Transfer-Encoding", sample(draw, "identity", "gzip, chunked", "xchunked", "chunked, chunked",
                                                       "chunked;q=1", "\x0bchunked", "")))
    answer.framing = sample(draw, "length", "close", "chunked")
    answer.cut, answer.ending = len(answer.bytes()), "close"


def chunks_wrong(answer, draw):
    answer.framing = "chunked"
    whole = answer.framed()
    body = answer.body
    size = f"{len(body):x}".encode()
    half = len(body) // 2
    answer.chunks = sample(
        draw, b"zz\r\n" + body + b"\r\n0\r\n\r\n", b"-1\r\n" + body, b"\r\n" + body, b"FFFFFFFFFFFFFFFFF\r\n" + body,
        b"7fffffffffffffff\r\n" + body, size + b"\r\n" + body + b"0\r\n\r\n", size + b"\n" + body + b"\n0\n\n",
        size + b"\r\n" + body[:half], size + b"\r\n" + body + b"\r\n", size + b"\r\n" + body + b"\r\n0\r\n",
        size + b";" + b"x" * 100_000 + b"\r\n" + body + b"\r\n0\r\n\r\n", f"{half:x}".encode() + b"\r\n" + body + b"\r\n0\r\n\r\n",
        whole[:draw.randrange(len(whole))], b"0\r\n\r\n", whole + whole, b"0x" + size + b"\r\n" + body + b"\r\n0\r\n\r\n",
        size + b"\r\n" + body + b"\r\n0\r\n" + b"Content-Length: 3\r\n" * 2000 + b"\r\n")
    answer.cut = len(answer.bytes())
    answer.ending = sample(draw, "close", "reset", "silence")


def status_line_wrong(answer, draw):
    answer.version = sample(draw, "HTTP/9.9", "http/1.1", "ICY", "HTTP/1.1 ", "HTTP/", "HTTP/1.1\t", "\r\nHTTP/1.1", "RTSP/1.0", "H")
    answer.status = sample(draw, answer.status, "abc", "", "2000", "20", "-200", "2 00", "099")


def head_wrong(answer, draw):
    whole = answer.bytes()
    head, body = whole.split(b"\r\n\r\n", 1)
    first, _, rest = head.partition(b"\r\n")
    lines = rest.split(b"\r\n")
    kind = draw.randrange(9)
    if kind == 0:
        head = first + b"\r\nX-Nul: a\0b\r\n" + rest
    elif kind == 1:
        head = first + b"\r\nX-Bare: a\rb\r\n" + rest
    elif kind == 2:
        head = first + b"\r\nno colon here\r\n" + rest
    elif kind == 3:
        head = first + b"\r\n folded from nothing\r\n" + rest
    elif kind == 4:
        head = first + b"\r\nX-Folded: a\r\n\tb\r\n" + rest
    elif kind == 5:
        head = first + b"\r\nX-Big: " + b"z" * (2 << 20) + b"\r\n" + rest
    elif kind == 6:
        head = first + b"\r\n" + b"\r\n".join(b"X-%d: y" % i for i in range(20_000)) + b"\r\n" + rest
    elif kind == 7:
        head = b"\n".join([first, *lines])
        answer.raw = head + b"\n\n" + body
        return
    else:
        head = first + b"\r\n" + b"\r\n".join(line.replace(b":", b" :", 1) for line in lines)
    answer.raw = head + b"\r\n\r\n" + body


def interim_flood(answer, draw):
    answer.interim = sample(draw, b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
                            b"HTTP/1.1 199 What\r\nContent-Length: 5\r\n\r\n", b"HTTP/1.1 100\r\n\r\n" * 3)


def rubbish_behind(answer, draw):
    answer.framing = "length"
    answer.after = sample(draw, b"\r\n", b"rubbish" * 1000, b"\0" * 4096, b"HTTP/1.1 500 Later\r\nContent-Length: 0\r\n\r\n",
                          b"HTTP/1.1 408 Idle\r\nConnection: close\r\n\r\n")


def twice(answer, _):
    answer.framing = "length"
    answer.after = answer.bytes()


def no_http(answer, draw):
    answer.raw = sample(draw, b"220 mail.example ESMTP\r\n", answer.body, b"\x15\x03\x01\0\x02\x02\x46", b"\0" * 100, b"\r\n\r\n",
                        b"<html>bad gateway</html>", draw.randbytes(500), b"HTTP/1.1 200")
    answer.cut, answer.ending = len(answer.raw), sample(draw, "close", "reset", "silence")


def packed(answer, draw):
    plain = answer.body
    content = sample(draw, gzip.compress(plain), gzip.compress(plain)[:-9], plain, gzip.compress(bytes(8 << 20)))
    answer.body = content
    answer.headers.append(("Content-Encoding", sample(draw, "gzip", "x-gzip", "deflate", "br", "gzip, gzip", "", "\x1b[31m")))


def early(answer, _):
    """The answer comes before the request was read, and the connection goes."""
    answer.reads_request = False
    answer.cut, answer.ending = len(answer.bytes()), "close"


def silent(answer, _):
    answer.cut, answer.ending = 0, "silence"


COMMON = [cut_anywhere, cut_anywhere, cut_anywhere, length_wrong, length_wrong, two_lengths, coding_wrong, chunks_wrong, chunks_wrong,
          status_line_wrong, head_wrong, head_wrong, interim_flood, rubbish_behind, twice, no_http, packed, early, silent]


def other_status(answer, draw):
    status = draw.choice([204, 205, 304, 206, 408, 500, 501, 502, 504, 511, 520, 599, 600, 999])
    answer.status = str(status)
    answer.body = sample(draw, answer.body, b"", b"<html><h1>Oops</h1></html>", b'{"message": "oops"}')


def other_content(answer, draw):
    answer.body = sample(draw, b"", b"null", b"[]", b"123", b'""', b"{}", b"<html>busy</html>", answer.body[:len(answer.body) // 2],
                         b'{"id": null, "status": null}', b"\xff\xfe" + answer.body, b'{"id":' * 10_000, answer.body + b"}",
                         b'{"status": "completed"}', b'{"data": [null, 3, {"client_request_id": 5}]}', b'{"data": {}}', b"[[[]]]")


def strange_link(answer, draw):
    """The service says that it is completed, and where the clip is makes no sense."""
    link = sample(draw, "", "/clips/1.mp4", "ftp://127.0.0.1/a", "file:///etc/passwd", "javascript:1", "http://127.0.0.1:1/a",
                  "http://a b/", "http://[::1", "http://127.0.0.1:99999/a", "http://user:pw@127.0.0.1:1/a", "http:///a", "data:,x",
                  "http://127.0.0.1:1/\r\nX: y", "\0", "http://" + "a" * 5000 + ".invalid/")
    answer.status = "200"
    answer.body = b'{"id": "1:kling/pro", "status": "completed", "video": {"url": %s}}' % json.dumps(link).encode()


def refused(answer, draw):
    """The service does not take it, and says so: nothing is bought."""
    answer.status = str(draw.choice([400, 401, 402, 403, 404, 405, 409, 410, 413, 415, 421, 422, 425, 429, 431, 451, 503, 301, 302, 307]))
    if answer.status.startswith("3"):
        answer.headers.append(("Location", sample(draw, "/v2/logs", answer.away + "/v2/video/generations", "")))
    answer.headers.append(("Retry-After", sample(draw, "1", "0", "-1", "x", "Thu, 01 Jan 1970 00:00:00 GMT", "1e9")))
    answer.body = sample(draw, b'{"message": "no"}', b"<html>no</html>", b"")


refused.not_accepted = True


def refused_for_a_while(answer, draw):
    answer.status = str(draw.choice([408, 425, 429, 500, 502, 503, 504, 421, 405]))
    answer.body = sample(draw, b'{"message": "no"}', b"<html>no</html>", b"")


# of the clip

def part_wrong(answer, draw):
    size = len(answer.body) + 7
    answer.status = "206"
    answer.headers = [(name, value) for name, value in answer.headers if name != "Content-Range"]
    answer.headers.append(("Content-Range", sample(
        draw, f"bytes 1-{size}/{size + 1}", f"bytes 0-{size}/{size}", f"bytes 0-5/{size}", f"bytes 5-0/{size}", "bytes */*", "bytes 0-/9",
        f"pages 0-{size}/{size}", "bytes 0-99999999999999999999/*", f"bytes 0-{size - 8}/{size * 2}", f"bytes 0-{size - 8}/{size - 9}",
        "bytes=0-5/6", "", f"bytes -5-{size}/{size}", f"bytes 0-{size // 2}/*", None)))


def part_for_whole(answer, draw):
    """A part that is not what was asked for, in good form."""
    first = draw.randrange(len(answer.clip))
    end = draw.randrange(first, len(answer.clip)) + 1
    answer.status, answer.body = "206", answer.clip[first:end]
    answer.headers = [("Content-Range", f"bytes {first}-{end - 1}/{sample(draw, len(answer.clip), '*')}")]


def status_of_clip(answer, draw):
    answer.status = str(draw.choice([204, 304, 400, 401, 403, 404, 408, 410, 416, 421, 429, 500, 502, 503, 504]))
    answer.headers.append(("Retry-After", "1"))
    answer.body = sample(draw, b"", b"<html>no</html>", b'{"message": "no"}')


def page(answer, draw):
    answer.status, answer.headers = "200", [("Content-Type", "text/html")]
    answer.body = sample(draw, b"<html>sign in</html>", b"", b'{"error": "expired"}', b"\0\0\0", b"#EXTM3U\n")


def other_file(answer, draw):
    answer.status, answer.headers = "200", [("ETag", '"other"')]
    answer.body = answer.other


def lost(answer, draw):
    """Another redirect than one to the clip."""
    answer.status = str(draw.choice([301, 302, 303, 307, 308, 300]))
    answer.headers = [("Location", sample(draw, "/clips/loop", "file:///etc/passwd", "https://127.0.0.1:1/", "", "http://127.0.0.1:1/a",
                                          "//", "http://", "ftp://127.0.0.1/a", "/clips/\x7f\x01", "?" + "q" * 9000, None))]
    answer.body = b""


def short_by_its_own_word(answer, draw):
    """Less than the clip, and everything that is said of its length agrees: only its boxes tell."""
    whole = answer.clip
    at = draw.randrange(20, len(whole))
    while at in answer.ends_of_boxes:
        at -= 1
    answer.status, answer.headers, answer.body = "200", [], whole[:at]
    answer.framing = sample(draw, "length", "chunked", "close")


FAULTS = {
    "create": [*COMMON, other_status, other_status, other_content, other_content, refused, refused],
    "poll": [*COMMON, other_status, other_content, other_content, strange_link, strange_link, refused_for_a_while],
    "logs": [*COMMON, other_status, other_content, refused_for_a_while],
    "clip": [*COMMON, *COMMON, part_wrong, part_wrong, part_wrong, part_for_whole, part_for_whole, status_of_clip, status_of_clip, page,
             other_file, lost, lost, short_by_its_own_word, short_by_its_own_word, short_by_its_own_word],
}


class Fault:
    def __init__(self, draw, phase):
        self.phase = phase
        self.change = draw.choice(FAULTS[phase])
        self.times = draw.choice([1, 1, 2, 3, 1000])
        self.seed = draw.random()
        self.same = draw.random() < 0.5  # each time, as a broken server does
        self.accepts = not getattr(self.change, "not_accepted", False) and draw.random() < 0.7
        self.struck = 0

    def name(self):
        accepted = ("" if self.accepts else ", not accepted") if self.phase == "create" else ""
        return f"{self.phase}: {self.change.__name__} x{self.times}{', alike' if self.same else ''}{accepted}"


def ends_of_boxes(clip):
    ends, at = set(), 0
    while at < len(clip):
        at += int.from_bytes(clip[at:at + 4], "big")
        ends.add(at)
    return ends


class Wire:
    """The service, spoken for by the grammar."""

    def __init__(self, service, seed, style, faults=(), other=b""):
        self.service = service
        self.draw = random.Random(seed)
        self.style = style
        self.faults = list(faults)
        self.other = other  # file, which the clip's host has too
        self.ends = ends_of_boxes(service.clip)
        self.lock = threading.Lock()
        self.requests = []
        self.mistakes = []  # of the server itself
        self.listeners = [self.listen(), self.listen()]  # the second is another host to which clips may move
        self.port, self.elsewhere = (listener.getsockname()[1] for listener in self.listeners)
        self.url = service.origin = f"http://127.0.0.1:{self.port}"
        self.open = set()

    def listen(self, port=0):
        # somebody else may have a port for a moment, when it is wanted again
        deadline = time.monotonic() + 20
        while True:
            try:
                listener = socket.create_server(("127.0.0.1", port), backlog=64)
                break
            except OSError:
                if not port or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        threading.Thread(target=self.accept, args=(listener,), daemon=True).start()
        return listener

    def close(self):
        for listener in self.listeners:
            self.stop(listener)
        self.hang_up()

    @staticmethod
    def stop(listener):
        listener.shutdown(socket.SHUT_RDWR)  # which wakes who accepts
        listener.close()

    def hang_up(self):
        with self.lock:
            for connection in self.open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def honest(self):
        """The faults are over; how it speaks stays."""
        with self.lock:
            self.faults = []
            if self.style.ranges == "clamped star":  # from which the clip can't be had
                self.style.ranges = "total"
        self.hang_up()

    def accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection, listener), daemon=True).start()

    def serve(self, connection, listener):
        connection.settimeout(PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.lock:
            self.open.add(connection)
        try:
            buffer = b""
            while True:
                buffer = self.one(connection, buffer, listener)
        except (Gone, OSError):
            pass
        except Exception as mistake:  # of this server
            self.mistakes.append(mistake)
            raise
        finally:
            with self.lock:
                self.open.discard(connection)
            connection.close()

    def one(self, connection, buffer, listener):
        while b"\r\n\r\n" not in buffer:
            buffer += self.received(connection)
        head, _, buffer = buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
        method, target, _ = first.split(" ")
        length = int(headers.get("content-length", "0"))
        phase = Service.phase(method, target)
        if listener is self.listeners[1]:
            self.service.watch(headers, target)
        fault = self.pick(phase)
        with self.lock:
            self.requests.append(phase)
        if fault and fault.change is early:
            length = 0
        while len(buffer) < length:
            buffer += self.received(connection)
        accepted = not (fault and phase == "create" and not fault.accepts)
        reply = self.reply(method, target, headers, accepted)
        answer = Answer(self.style, reply)
        answer.away = f"http://127.0.0.1:{self.elsewhere}"
        if phase == "clip":
            answer.clip, answer.other, answer.ends_of_boxes = self.service.clip, self.other, self.ends
        if fault:
            with self.lock:
                draw = random.Random(fault.seed if fault.same else f"{fault.seed} {fault.struck}")
            fault.change(answer, draw)
        self.send(connection, answer)
        return buffer[length:]

    def reply(self, method, target, headers, accepted):
        if not accepted:
            return Reply(500, b'{"message": "Internal server error", "statusCode": "500"}')
        answered = self.service.answer(method, target, headers)
        return answered or self.of_the_clip(target, headers)

    def of_the_clip(self, target, headers):
        """The next redirect, or the bytes."""
        style, clip = self.style, self.service.clip
        hop = int(target.rpartition("hop=")[2]) if "hop=" in target else 0
        if hop < style.hops:
            status, form = style.hop[hop]
            path = f"/clips/to/clip.mp4?hop={hop + 1}"
            where = {"absolute": self.url + path, "path": path, "relative": "../clips/../clips/clip.mp4?hop=%d" % (hop + 1),
                     "query": f"?hop={hop + 1}", "fragment": path + "#t=1",
                     "elsewhere": f"http://127.0.0.1:{self.elsewhere}{path}"}[form]
            return Reply(status, b"moved", [("Location", where)])
        named = [tuple(line.split(": ", 1)) for line in style.validator.split("\r\n") if line]
        named += [("Content-Type", style.type)] if style.type else []
        wanted = None if style.ranges == "ignored" else asked_range(headers, len(clip))
        if wanted is None or headers.get("if-range") not in (None, *(value for _, value in named)):
            return Reply(200, clip, named)
        if wanted == ():
            return Reply(416, b"", [("Content-Range", f"bytes */{len(clip)}")])
        first, end = wanted
        if "clamped" in style.ranges:
            end = min(end, first + max(LEAST_PART, len(clip) // 4))
        total = "*" if "star" in style.ranges else len(clip)
        return Reply(206, clip[first:end], [*named, ("Content-Range", f"bytes {first}-{end - 1}/{total}")])

    def pick(self, phase):
        with self.lock:
            for fault in self.faults:
                if fault.phase == phase and fault.struck < fault.times:
                    fault.struck += 1
                    return fault
        return None

    @staticmethod
    def received(connection):
        block = connection.recv(65536)
        if not block:
            raise Gone
        return block

    def send(self, connection, answer):
        data = answer.bytes()
        if answer.cut is not None:
            data = data[:answer.cut]
        for piece in self.pieces(data):
            connection.sendall(piece)
        if answer.cut is None:
            if answer.closing():
                self.finish(connection)
            return
        if answer.ending == "silence":
            self.hold(connection)
        elif answer.ending == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self.finish(connection)
        raise Gone

    @staticmethod
    def finish(connection):
        """Closes as a server has to: not before the other end has everything."""
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(2)
        while connection.recv(65536):
            pass
        raise Gone

    @staticmethod
    def hold(connection):
        connection.settimeout(LONG)
        while connection.recv(65536):
            pass

    def pieces(self, data):
        if self.style.pieces == "whole" or len(data) > 200_000:
            return [data]
        if self.style.pieces == "head and body":
            head, blank, rest = data.partition(b"\r\n\r\n")
            return self.slowly([head + blank, rest])
        ends = sorted(random.Random(len(data)).sample(range(len(data) + 1), min(len(data), 40)))
        return self.slowly(data[a:b] for a, b in zip([0, *ends], [*ends, len(data)]))

    @staticmethod
    def slowly(pieces):
        for piece in pieces:
            yield piece
            time.sleep(0.001)  # so that they travel apart
