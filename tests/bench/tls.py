#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a TLS handshake for each generation costs, as a Markdown table: a session for each request, as generations have it,
beside one session for all. The server is OpenSSL's, with session tickets as servers on the internet have them.

  meson compile -C build tls-client && tests/bench/tls.py build [--count 300]"""

import argparse
import json
import pathlib
import socket
import ssl
import statistics
import subprocess
import tempfile
import threading

ROUNDS = 3


class Server:
    """Answers every request with two bytes, and counts how many connections went on with an earlier TLS session."""

    def __init__(self, certificate, key, version):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        self.context.minimum_version = self.context.maximum_version = version
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port, self.connections, self.resumed = self.listener.getsockname()[1], 0, 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, plain):
        try:
            with self.context.wrap_socket(plain, server_side=True) as connection:
                self.connections += 1
                self.resumed += bool(connection.session_reused)
                text = b""
                while part := connection.recv(65536):
                    text += part
                    if text.endswith(b"\r\n\r\n"):
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
                        text = b""
        except OSError:
            pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=300)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = folder + "/cert.pem", folder + "/key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
                       check=True, stderr=subprocess.DEVNULL)
        print("| TLS | sessions | ms a request | CPU ms a request | KiB an open session | resumed |\n|---|---|---|---|---|---|")
        for name, version in {"1.3": ssl.TLSVersion.TLSv1_3, "1.2": ssl.TLSVersion.TLSv1_2}.items():
            results = {"each": [], "one": []}
            shares = {}
            for _ in range(ROUNDS):
                for way, rows in results.items():
                    server = Server(certificate, key, version)
                    rows.append(json.loads(subprocess.run(
                        [arguments.build / "tests/bench/tls-client", way, f"https://127.0.0.1:{server.port}/", certificate,
                         str(arguments.count)], check=True, capture_output=True, text=True).stdout))
                    shares[way] = f"{server.resumed} of {server.connections}"
            for way, rows in results.items():
                middle = {field: statistics.median(row[field] for row in rows) for field in rows[0]}
                print(f"| {name} | {'one each' if way == 'each' else 'one for all'} | {middle['ms']:.2f} | {middle['cpu']:.2f} | "
                      f"{middle['kibibytes'] if way == 'each' else 0:.0f} | {shares[way]} |")


main()
