# SPDX-License-Identifier: LGPL-2.1-or-later
"""Servers that others wrote, in front of the emulator, with settings drawn at random: nginx, haproxy, HTTP/2 of node, and the
http.server of Python."""

import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.request

from service import Service
from support import Emulator

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE = 30
RELOADS = (0.05, 0.4)  # seconds between two


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for_port(port, process, log):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.01)
    raise AssertionError(f"{process.args[0]} did not start: {log.read_text(errors='replace')}")


class Front:
    """A case with a server of somebody else in front of the emulator."""

    program = ""
    # phases that the emulator may lose, that a proxy that waits 0.3 s gives up on
    SLOW = ("create", "poll", "clip", "logs")

    ONCE_ONLY = set()  # settings that may not be given twice

    def prepare(self):
        draw = self.draw
        self.told = []
        self.has_to_arrive = True
        self.again = False
        self.closing = []
        self.tls = self.has_tls()
        options = ["--clip", str(self.clip.path), "--log-delay", "0", "--generation-time", draw.choice(["0", "0.2", "1"])]
        certificates = self.shared.certificates.folder
        if self.tls:
            options += ["--tls", str(certificates / "good.pem"), str(certificates / "good.key")]
            self.properties.append(f"tls-ca={self.shared.certificates.authority}")
        if draw.random() < 0.3:  # then the submission is not the first request of its connection
            self.properties.append("max-cost=100")
            self.told.append("the price is asked")
        self.emulator = Emulator(*options)
        self.closing.append(self.emulator.stop)
        self.backend = int(self.emulator.url.rpartition(":")[2])
        self.timeout = draw.choice([12, 15])
        self.choose()
        self.start()
        self.base = f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"
        self.restarting = threading.Event()
        if self.again:
            thread = threading.Thread(target=self.restart_again, daemon=True)
            thread.start()
            self.closing.append(lambda: (self.restarting.set(), thread.join()))

    def has_tls(self):
        return self.draw.random() < 0.6

    def choose(self):
        """The settings, and whether the clip has to come with them."""

    def slow(self):
        """The emulator gets a request and does not answer: the server in front gives up."""
        phase = self.draw.choice(self.SLOW)
        self.told.append(f"no answer to {phase}")
        rules = [{"match": {"phase": phase, "nth": 1}, "fault": {"kind": "stall", "accepted": True}}]
        if phase == "logs":
            rules.append({"match": {"phase": "create", "nth": 1}, "fault": {"kind": "lost-after"}})
        self.put("/emulator/faults", rules)

    def put(self, path, content):
        request = urllib.request.Request(self.emulator.url + path, json.dumps(content).encode(), method="PUT",
                                         headers={"Content-Type": "application/json", "Authorization": "Bearer " + self.key})
        urllib.request.urlopen(request, context=self.emulator.context).close()

    def some(self, choices, most=4):
        """Some of the settings: {name: lines, or (lines, False) when the clip need not come}."""
        chosen = self.draw.sample(sorted(choices), self.draw.randrange(most + 1))
        lines, used = [], set()
        for name in chosen:
            setting, harmless = choices[name] if isinstance(choices[name], tuple) else (choices[name], True)
            directives = {part.split()[0] for part in setting.split(";") if part.strip()} & self.ONCE_ONLY
            if directives & used:
                continue
            used |= directives
            lines.append(setting)
            self.has_to_arrive = self.has_to_arrive and harmless
            self.told.append(name)
        return "\n".join(lines)

    def process(self, *arguments):
        log = open(self.folder / "server.log", "ab")
        process = subprocess.Popen([str(argument) for argument in arguments], stdout=log, stderr=log, cwd=self.folder)
        log.close()
        return process

    def start(self):
        self.port = free_port()
        self.launch()
        self.closing.append(self.stop)
        wait_for_port(self.port, self.server, self.folder / "server.log")

    def stop(self):
        self.server.send_signal(signal.SIGTERM)
        try:
            self.server.wait(3)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()

    def restart_again(self):
        for _ in range(self.draw.randrange(1, 5)):
            if self.restarting.wait(self.draw.uniform(*RELOADS)):
                return
            self.restart()

    def bought(self):
        return self.emulator.report()["billable"]

    def trespasses(self):
        return ["the clip's host"] if self.emulator.report()["authorization_on_clips"] else []

    def lift(self):
        self.restarting.set()
        self.put("/emulator/faults", [])
        self.forgive()

    def forgive(self):
        """The server serves all that is asked."""

    def close(self):
        for close in reversed(self.closing):
            close()

    def describe(self):
        log = self.folder / "server.log"
        text = log.read_text(errors="replace")[-1500:] if log.exists() and self.problems else ""
        return f"{self.program}{', TLS' if self.tls else ''}: {', '.join(self.told) or 'as it is'}. {text}"

    def ways_again(self):
        # the command can't be told to trust the test's authority
        return ["push", "pull"] if self.tls else ["push", "pull", "command"]


class Nginx(Front):
    program = "nginx"
    ONCE_ONLY = {"keepalive_timeout", "keepalive_requests", "limit_req", "limit_req_status", "gzip"}

    def choose(self):
        at_random = "if ($luck) { return %s; }"
        self.server_lines = self.some({
            "no keep-alive": "keepalive_timeout 0;", "keep-alive for 1 s": "keepalive_timeout 1s;",
            "one request for each connection": "keepalive_requests 1;", "two requests for each connection": "keepalive_requests 2;",
            "no chunks": "chunked_transfer_encoding off;", "gzip": "gzip on; gzip_types *; gzip_proxied any; gzip_min_length 1;",
            "40 KB/s": "limit_rate 40k;", "many headers": "add_header X-A a always; add_header Set-Cookie b=c always;",
            "no lingering": "lingering_close off;", "reset when late": "reset_timedout_connection on; send_timeout 1s;",
            "small buffers": "output_buffers 1 512; client_header_buffer_size 128;",
            "at most 10 bytes of request": ("client_max_body_size 10;", False),
            "3 requests/s, else 503": ("limit_req zone=few nodelay;", False),
            "3 requests/s, else 429": ("limit_req zone=few nodelay; limit_req_status 429;", False),
            "one connection, else 503": ("limit_conn each 1;", False),
            "now and then 444": (at_random % 444, False), "now and then 502": (at_random % 502, False),
            "now and then 421": (at_random % 421, False), "now and then a page": (at_random % "200 '<html>busy</html>'", False),
            "421 on a connection used before": ("if ($connection_requests !~ '^1$') { return 421; }", False),
        })
        self.proxy_lines = self.some({
            "HTTP/1.1 behind": "proxy_http_version 1.1; proxy_set_header Connection '';", "no buffering": "proxy_buffering off;",
            "requests pass at once": "proxy_request_buffering off;", "gives up after 0.3 s": ("proxy_read_timeout 300ms;", False),
            "errors are pages": "proxy_intercept_errors on; error_page 500 502 503 504 /sorry;",
            "next upstream": "proxy_next_upstream error timeout http_500;", "ranges on its own": "proxy_force_ranges on;",
        })
        self.clip_lines = self.some({
            "the file itself": "", "no ranges": "max_ranges 0; proxy_set_header Range '';", "no ETag": "etag off; proxy_hide_header ETag;",
            "sliced": "slice 8k; proxy_set_header Range $slice_range;", "no length": "proxy_hide_header Content-Length; gzip off;",
            "no version": "proxy_hide_header ETag; proxy_hide_header Last-Modified;",
        }, 2)
        self.moved = self.draw.choice([0, 0, 301, 302, 303, 307, 308])
        if "gives up after 0.3 s" in self.told or self.draw.random() < 0.1:
            self.has_to_arrive = False
            self.slow()
        self.again = self.draw.random() < 0.4
        self.told += ["reloads"] if self.again else []
        self.told += [f"clips are moved ({self.moved})"] if self.moved else []

    def launch(self):
        self.configure()
        self.server = self.process("nginx", "-p", self.folder, "-c", self.folder / "nginx.conf", "-e", "stderr")

    def configure(self):
        certificates = self.shared.certificates.folder
        secure = (f"ssl{self.draw.choice(['', ' http2', ' http2'])};\nssl_certificate {certificates}/good.pem; "
                  f"ssl_certificate_key {certificates}/good.key") if self.tls else ""
        backend = f"proxy_pass {'https' if self.tls else 'http'}://127.0.0.1:{self.backend}; proxy_set_header Host $http_host;"
        shutil.copy(self.clip.path, self.folder / "clip.mp4")
        clip = f"root {self.folder}; try_files /clip.mp4 =404;" if "the file itself" in self.told else backend
        moved = f"return {self.moved} /moved$request_uri;" if self.moved else f"{self.clip_lines} {clip}"
        temporary = " ".join(f"{name}_temp_path {self.folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;" if os.geteuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(f"""
            {user} worker_processes 1; daemon off; pid {self.folder}/nginx.pid; error_log stderr error;
            events {{ worker_connections 128; }}
            http {{
              access_log off; {temporary}
              limit_req_zone $server_port zone=few:64k rate=3r/s; limit_conn_zone $server_port zone=each:64k;
              map $request_uri $true_uri {{ "~^/moved(?<rest>.*)$" $rest; default $request_uri; }}
              split_clients $request_id $luck {{ 30% 1; * ''; }}
              server {{
                listen 127.0.0.1:{self.port} {secure};
                {self.server_lines}
                location / {{ {self.proxy_lines} {backend} }}
                location /clips/ {{ {moved} }}
                location /moved/ {{ {self.clip_lines} {clip.replace("; proxy_set", "$true_uri; proxy_set", 1)} }}
                location = /sorry {{ internal; return 200 '<html>sorry</html>'; }}
              }}
            }}""")

    def restart(self):
        self.server.send_signal(signal.SIGHUP)

    def forgive(self):
        self.stop()
        self.server_lines = self.proxy_lines = self.clip_lines = ""
        self.launch()
        wait_for_port(self.port, self.server, self.folder / "server.log")


class Haproxy(Front):
    program = "haproxy"

    def choose(self):
        get, luck = "{ method GET }", "{ rand(100) -m int lt 30 }"
        self.lines = self.some({
            "closes": "option httpclose", "closes behind": "option http-server-close", "never used again": "http-reuse never",
            "always used again": "http-reuse always", "reads all first": "option http-buffer-request",
            "gzip": "compression algo gzip\n  compression type application/json video/mp4",
            "many headers": "http-response add-header X-A a\n  http-response add-header Server-Timing b;dur=1",
            "no ranges": "http-request del-header Range", "no length": "http-response del-header Content-Length",
            "no version": "http-response del-header ETag\n  http-response del-header Last-Modified",
            "keep-alive for 1 ms": "timeout http-keep-alive 1ms", "keep-alive for 1 s": "timeout http-keep-alive 1s",
            "gives up after 0.3 s": ("timeout server 300ms", False),
            "now and then 429": (f"http-request deny deny_status 429 if {luck}", False),
            "now and then 503": (f"http-request deny deny_status 503 if {luck}", False),
            "now and then 421": (f"http-request return status 421 if {luck}", False),
            "now and then a page": (f"http-request return status 200 content-type text/html string <html> if {get} {luck}", False),
            "now and then no answer": (f"http-request reject if {luck}", False),
            "now and then silence": (f"http-request silent-drop if {luck}", False),
            "now and then a tar pit": (f"timeout tarpit 500ms\n  http-request tarpit if {luck}", False),
            "clips are moved": "http-request redirect location /moved%[url] code 302 if { path_beg /clips/ }\n"
                               "  http-request replace-path /moved(/.*) \\1",
        })
        self.global_lines = self.some({
            "small buffers": "tune.bufsize 4096\n  tune.maxrewrite 1024", "one stream at a time": "tune.h2.max-concurrent-streams 1",
            "small windows": "tune.h2.initial-window-size 1000", "small frames": "tune.h2.max-frame-size 16384",
        }, 2) if self.draw.random() < 0.6 else ""
        self.alpn = self.draw.choice(["h2,http/1.1", "http/1.1"])
        if "gives up after 0.3 s" in self.told:
            self.slow()
        self.again = self.draw.random() < 0.4
        self.told += ["restarts in flight"] if self.again else []
        self.told += [self.alpn] if self.tls else []
        self.older = []

    def launch(self, *options):
        secure = f"ssl crt {self.folder}/both.pem alpn {self.alpn}" if self.tls else ""
        certificates = self.shared.certificates.folder
        (self.folder / "both.pem").write_bytes(b"".join((certificates / name).read_bytes() for name in ("good.pem", "good.key")))
        (self.folder / "haproxy.cfg").write_text(f"""
global
  nbthread 1
  {self.global_lines}
defaults
  mode http
  timeout connect 2s
  timeout client 10s
  timeout server 10s
listen all
  bind 127.0.0.1:{self.port} {secure}
  {self.lines}
  server emulator 127.0.0.1:{self.backend} {'ssl verify none' if self.tls else ''}
""")
        self.server = self.process("haproxy", "-db", "-f", self.folder / "haproxy.cfg", *options)

    def restart(self):
        """As its reload does: a new process takes over, the old one ends what it has begun."""
        self.older.append(self.server)
        self.launch("-sf", str(self.server.pid))

    def stop(self):
        super().stop()
        for process in self.older:
            process.kill()
            process.wait()

    def forgive(self):
        self.stop()
        self.lines = self.global_lines = ""
        self.launch()
        wait_for_port(self.port, self.server, self.folder / "server.log")


class Node(Front):
    """node:http2, which offers HTTP/2 with all its ways to end something, and HTTP/1.1."""

    program = "node"

    def has_tls(self):
        return True

    def choose(self):
        draw = self.draw
        phases = ["create", "poll", "clip", "logs"]
        self.settings = {
            "settings": draw.choice([{}, {"maxConcurrentStreams": 1}, {"initialWindowSize": 100},
                                                                       {"maxFrameSize": 16384, "headerTableSize": 0}]),
            "trailers": draw.choice(["", "", "of clips", "of all"]), "hints": draw.random() < 0.3, "piece": draw.choice([0, 0, 1000]),
            "goawayAfter": draw.choice([0, 0, 1, 2, 3]), "goawayEarly": draw.random() < 0.2, "fault": None}
        self.told += [f"{name} {value}" for name, value in self.settings.items() if value]
        if draw.random() < 0.6:
            self.has_to_arrive = False
            phase = draw.choice(phases)
            self.settings["fault"] = fault = {
                "phase": phase, "times": draw.choice([1, 1, 2, 5]), "passesOn": draw.random() < 0.5,
                "how": draw.choice(["refuse", "refuse", "cancel", "internal", "calm", "protocol", "no-error", "goaway", "goaway-zero", "destroy",
                                    "half", "empty", "421"])}
            if fault["how"] in ("refuse", "421", "goaway-zero"):
                fault["passesOn"] = False  # these words say that it was not taken
            self.told.append(json.dumps(fault))

    def start(self):
        certificates = self.shared.certificates.folder
        self.settings |= {"backend": self.backend, "key": str(certificates / "good.key"), "cert": str(certificates / "good.pem")}
        self.launch()
        self.closing.append(self.stop)

    def launch(self, port=0):
        # somebody else may have the port for a moment, when it is wanted again
        deadline = time.monotonic() + 20
        while True:
            with open(self.folder / "server.log", "ab") as log:
                self.server = subprocess.Popen(["node", HERE / "front.js", json.dumps(self.settings | {"port": port})],
                                               stdout=subprocess.PIPE, stderr=log, text=True)
            said = self.server.stdout.readline()
            if said or time.monotonic() > deadline:
                break
            super().stop()
            self.server.stdout.close()
            time.sleep(0.1)
        self.port = int(said)

    def stop(self):
        super().stop()
        self.server.stdout.close()

    def forgive(self):
        self.stop()
        self.settings["fault"] = None
        self.launch(self.port)


class Python(Front):
    """The http.server of Python with the clips in a folder, and the model of the service."""

    program = "http.server"
    emulator = None

    def prepare(self):
        self.told, self.tls, self.closing = [], False, []
        self.has_to_arrive = True
        self.timeout = 15
        self.service = service = Service(self.clip.bytes, self.key, self.draw.choice([0, 1, 3]))
        (self.folder / "clips").mkdir()
        for number in (1, 2):
            shutil.copy(self.clip.path, self.folder / "clips" / f"{number}:a.mp4")
            (self.folder / "clips" / str(number)).mkdir()
            shutil.copy(self.clip.path, self.folder / "clips" / str(number) / "a.mp4")

        class Handler(http.server.SimpleHTTPRequestHandler):
            protocol_version = self.draw.choice(["HTTP/1.0", "HTTP/1.1"])

            def __init__(handler, *arguments):
                super().__init__(*arguments, directory=self.folder)

            def answer(handler):
                handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
                reply = service.answer(handler.command, handler.path, {name.lower(): value for name, value in handler.headers.items()})
                if not reply:
                    return super().do_GET()
                handler.send_response(reply.status)
                for name, value in [*reply.headers, ("Content-Length", str(len(reply.body)))]:
                    handler.send_header(name, value)
                handler.end_headers()
                handler.wfile.write(reply.body)

            do_GET = do_POST = answer

            def log_message(handler, *_):
                pass

        self.told.append(Handler.protocol_version)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        self.closing.append(lambda: (server.shutdown(), server.server_close()))
        self.base = service.origin = f"http://127.0.0.1:{server.server_port}"

    def bought(self):
        return self.service.billable

    def trespasses(self):
        return self.service.trespasses

    def lift(self):
        pass


KINDS = {"nginx": Nginx, "haproxy": Haproxy, "node": Node, "python": Python}
