# SPDX-License-Identifier: LGPL-2.1-or-later
"""A gate in front of the emulator, for faults that the emulator does not have: bad certificates, a port on which nobody
listens, answers that are no answers. What it is not told to spoil it passes on."""

import re
import socket
import ssl
import struct
import subprocess
import threading

from scene import CLIP

MEBI = 1 << 20
BIG = 100 * MEBI
BLOCK = 64 * 1024


def head(status, size=None, **headers):
    lines = [f"HTTP/1.1 {status} Spoilt", "Content-Type: application/json", "Connection: close"]
    lines += [] if size is None else [f"Content-Length: {size}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def body(content):
    return lambda: iter([head(200, len(content)), content])


def cut_clip():
    content = CLIP.read_bytes()[:9000]
    yield head(200, len(content))
    yield content


def unended_clip():
    """All of it in a chunk, and no chunk that ends it."""
    content = CLIP.read_bytes()
    yield head(200, Transfer_Encoding="chunked")
    yield b"%x\r\n" % len(content) + content + b"\r\n"


def redirect(status, location):
    return lambda: iter([head(status, 0, Location=location)])


def hundred_megabytes():
    yield head(200, BIG)
    opening, closing = b'{"id": "x", "status": "queued", "more": "', b'"}'
    yield opening
    left = BIG - len(opening) - len(closing)
    while left > 0:
        yield b"x" * min(BLOCK, left)
        left -= BLOCK
    yield closing


# What comes in place of an answer, piece by piece.
ANSWERS = {
    "invalid-utf-8": body(b'{"id": "\xff\xfe\xc3\x28", "status": "queued", "message": "\xf0\x28\x8c\xbc"}'),
    "nul-bytes": body(b'{"id": "a\0b", \0"status": "queued"}\0\0\0'),
    "100-mb-json": hundred_megabytes,
    "deeply-nested-json": body(b'{"id":' * 200_000),
    "endless-head": lambda: iter([b"HTTP/1.1 200 OK\r\nX: "] + [b"y" * BLOCK] * 64),
    "no-http": lambda: iter([b"220 mail.example ESMTP\r\n"]),
    "empty": body(b""),
    "half-json": body(b'{"id": "x", "status": "completed", "video": {"url": "https://cdn.example/cl'),
    "cut-clip": cut_clip,
    "unended-clip": unended_clip,
    "too-long": None,  # the true answer, and more of it than was announced
    "redirect-loop": redirect(302, "/v2/video/generations?loop=1"),
    "redirect-host": redirect(307, "https://elsewhere.invalid/v2/video/generations"),
    "redirect-http": redirect(301, "http://192.0.2.1/v2/video/generations"),
    "redirect-file": redirect(302, "file:///etc/passwd"),
    "redirect-303": redirect(303, "/v2/video/generations?generation_id=x"),
}


class Certificates:
    """Made for one run of the tests: an authority of its own, and what it and others have signed."""

    SUBJECT = "subjectAltName=IP:127.0.0.1,DNS:localhost\n"
    KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.openssl("req", "-x509", *self.KEY, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=a test")
        self.authority = folder / "ca.pem"
        self.contexts = {
            "good": self.signed("good", self.SUBJECT, 2),
            "wrong-host": self.signed("wrong-host", "subjectAltName=DNS:elsewhere.example\n", 2),
            "expired": self.signed("expired", self.SUBJECT, -1),
        }
        self.openssl("req", "-x509", *self.KEY, "-keyout", "self-signed.key", "-out", "self-signed.pem", "-days", "2",
                     "-subj", "/CN=nobody", "-addext", self.SUBJECT.strip())
        self.contexts["self-signed"] = self.context("self-signed")

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def signed(self, name, subject, days):
        (self.folder / "subject").write_text(subject)
        self.openssl("req", *self.KEY, "-keyout", f"{name}.key", "-out", "request", "-subj", "/CN=localhost")
        self.openssl("x509", "-req", "-in", "request", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days",
                     str(days), "-extfile", "subject", "-out", f"{name}.pem")
        return self.context(name)

    def context(self, name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        return context


def phase_of(line):
    """The phase of a generation that a request belongs to, by its first line, in the words of the emulator's faults."""
    method, target = line.split()[:2]
    if method == "POST":
        return "create"
    if target.startswith("/clips/"):
        return "clip"
    if target.startswith("/v2/logs"):
        return "logs"
    return "poll" if "generation" in target else "unknown"


class Gate:
    def __init__(self, target, contexts=None):
        self.target = socket.getaddrinfo(*target.removeprefix("http://").split(":"))[0][4]
        self.contexts = contexts
        self.certificate = "good" if contexts else None
        self.clips_from = None  # origin to name in the address of a clip
        self.clips_moved_to = None  # origin to which requests for clips are redirected
        self.other_file = None  # in place of all clips but the first
        self.bad_handshakes = None  # so many with the certificate that is presented, then the good one
        self.rule = None
        self.lock = threading.Lock()
        self.closing_phase = self.spoiling_phase = None
        self.port = 0
        self.listener = None
        self.struck = 0
        self.clips = 0  # that were asked for
        self.listen()
        scheme = "https" if contexts else "http"
        self.url = f"{scheme}://127.0.0.1:{self.port}"

    # what to do

    def spoil(self, phase, answer, to=None, accepted=True):
        """Puts `answer` in place of the answers to a phase, for the first `to` of them; accepted: the service has got the
        request."""
        self.rule = (phase, answer, to, accepted)

    def refuse_after(self, phase, seconds=None):
        """Nobody listens any more once a request of that phase has been passed on; again after so many seconds."""
        self.closing_phase = (phase, seconds)

    def present(self, certificate, after=None):
        """Another certificate, from now on or once a request of a phase has been passed on."""
        if after:
            self.spoiling_phase = (after, certificate)
        else:
            self.certificate = certificate

    # the connections

    def listen(self):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(64)
        self.port = listener.getsockname()[1]
        self.listener = listener
        threading.Thread(target=self.accept, args=(listener,), daemon=True).start()

    def close(self):
        listener, self.listener = self.listener, None
        if listener:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        connection.settimeout(60)
        try:
            if self.contexts:
                name = self.next_certificate()
                try:
                    connection = self.contexts[name].wrap_socket(connection, server_side=True)
                except (OSError, ssl.SSLError):
                    with self.lock:
                        self.struck += name != "good"
                    return
            self.answer(connection)
        except OSError:
            pass
        finally:
            connection.close()

    def next_certificate(self):
        with self.lock:
            spent = self.bad_handshakes is not None and self.struck >= self.bad_handshakes
            return "good" if spent else self.certificate

    @staticmethod
    def request(connection):
        data = b""
        while b"\r\n\r\n" not in data:
            block = connection.recv(BLOCK)
            if not block:
                return None
            data += block
        text, _, rest = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)^content-length: *(\d+)", text, re.MULTILINE)
        while length and len(rest) < int(length[1]):
            rest += connection.recv(BLOCK)
        text = re.sub(rb"(?im)^connection:[^\r]*\r\n", b"", text)
        return text + b"\r\nConnection: close\r\n\r\n" + rest

    def answer(self, connection):
        request = self.request(connection)
        if request is None:
            return
        phase = phase_of(request.split(b"\r\n", 1)[0].decode())
        spoilt = self.picks(phase)
        reply = b"" if spoilt and not self.rule[3] else self.passed_on(request)
        if phase == "poll" and self.clips_from:
            reply = self.with_other_host(reply)
        if phase == "clip":
            reply = self.instead_of_the_clip(request) or reply
        self.turn(phase)
        if not spoilt:
            connection.sendall(reply)
        elif self.rule[1] == "too-long":
            connection.sendall(reply + b"and more of it" * 10_000)
        else:
            for piece in ANSWERS[self.rule[1]]():
                connection.sendall(piece)

    def instead_of_the_clip(self, request):
        with self.lock:
            self.clips += 1
            other = self.other_file if self.clips > 1 else None
            self.struck += 1 if other or self.clips_moved_to else 0
        if self.clips_moved_to:
            return head(302, 0, Location=self.clips_moved_to + request.split()[1].decode())
        return other and head(200, len(other), ETag='"another"') + other

    def picks(self, phase):
        with self.lock:
            if not self.rule or self.rule[0] != phase or (self.rule[2] is not None and self.struck >= self.rule[2]):
                return False
            self.struck += 1
            return True

    def turn(self, phase):
        """Begins what is to begin behind this request, before it is answered."""
        with self.lock:
            closing = self.closing_phase if self.closing_phase and self.closing_phase[0] == phase else None
            if closing:
                self.closing_phase = None
            if self.spoiling_phase and self.spoiling_phase[0] == phase:
                self.certificate = self.spoiling_phase[1]
        if closing:
            self.close()
            if closing[1] is not None:
                threading.Timer(closing[1], self.listen).start()

    def passed_on(self, request):
        with socket.create_connection(self.target, 60) as service:
            service.sendall(request)
            pieces = []
            while block := service.recv(BLOCK):
                pieces.append(block)
        return b"".join(pieces)

    def with_other_host(self, reply):
        text, _, content = reply.partition(b"\r\n\r\n")
        content = re.sub(rb"https?:(\\?/)\1[^/\\]+(\\?/clips)", self.clips_from.encode() + rb"\2", content)
        text = re.sub(rb"(?i)(content-length): *\d+", rb"\1: %d" % len(content), text)
        return text + b"\r\n\r\n" + content


def dead_port():
    """The address of a port on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"
