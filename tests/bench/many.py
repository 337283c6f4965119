#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many generations at once in one process, beside other clients of the same service, as a Markdown table.

  meson compile -C build many-client engine-client
  tests/bench/many.py build [--generations 1000] [--seconds 37] [--rounds 3] [--tls | --http2] [--before BUILD]

The clients take turns; the figures are medians of the rounds. Memory (PSS), threads and descriptors are what the process
holds while all of its generations wait, less what it held when one had already ended. CPU is that of the process from then
to its end. The service is service.js under node, a process of its own, where accepts are timed and where the delay is taken
from a completion until the client knows of it. How busy it is until all are accepted (1: all of a core) is in the table as
well, to show whether the clients waited for it. souphttpsrc only downloads, and the clips stall while all are under way:
what a source costs that does nothing but its last part. fakesrc does nothing at all. With BENCH_PAUSE in the
environment all ask every so many seconds."""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
KEY = "bench-key"
SETTLED = 3  # seconds from the last accept until what is held is looked at; less where the generations are shorter
SYSTEM_TRUST = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
CLIP = "tests/clips/faststart.mp4"


def allow_descriptors(limit=None):
    """For the children: as many as there may be, or so many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = min(limit or hard, hard)
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))


class Service:
    """node with service.js."""

    def __init__(self, clip, seconds=0, stall=0, certificate=None, http2=False):
        settings = {"clip": str(clip), "seconds": seconds, "stall": stall, "http2": http2}
        if certificate:
            settings["tls"] = {"cert": str(certificate), "key": str(certificate.with_suffix(".key"))}
        self.process = subprocess.Popen(["node", HERE / "service.js", json.dumps(settings)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, preexec_fn=allow_descriptors())
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{json.loads(self.process.stdout.readline())['port']}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def ask(self, line):
        print(line, file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def cpu(self):
        return cpu_of(self.process.pid)


def make_certificate(folder):
    """A certificate of this machine, with its key beside it."""
    certificate = pathlib.Path(folder, "service.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", certificate.with_suffix(".key"), "-out", certificate], check=True, stderr=subprocess.DEVNULL)
    return certificate


def trust_of_the_system(build, folder):
    """An environment in which the system trusts the certificate in the folder beside all that it trusts."""
    trusted = pathlib.Path(folder, "trusted.pem")
    trusted.write_text(SYSTEM_TRUST.read_text() + pathlib.Path(folder, "service.pem").read_text())
    return {"LD_PRELOAD": str(build / "tests/bench/default-trust.so"), "AIMLVIDEO_TRUST": str(trusted)}


def cpu_of(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def held_by(pid):
    """KiB, threads and descriptors of a process."""
    memory = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return {"KiB": int(re.search(r"^Pss:\s+(\d+)", memory, re.M)[1]), "threads": int(re.search(r"^Threads:\s+(\d+)", status, re.M)[1]),
            "descriptors": len(os.listdir(f"/proc/{pid}/fd"))}


@dataclasses.dataclass
class Client:
    """What is measured: a program that speaks as many_peers.py says, and its build."""
    name: str
    command: list
    build: pathlib.Path | None = None
    descriptors: int | None = None
    holds_still: bool = False  # asks for nothing
    stalls: bool = False  # downloads only
    environment: dict = dataclasses.field(default_factory=dict)  # more of it

    def there(self):
        return all(pathlib.Path(part).exists() for part in self.command if isinstance(part, pathlib.Path))


def peer(way):
    names = {"asyncio": "Python asyncio, a poll every 5 s", "sample": "the documentation's Python loop, a thread each, 15 s"}
    return Client(names[way], [pathlib.Path(sys.executable), HERE / "many_peers.py", way])


def engine(build, name="the engine"):
    return Client(name, [build / "tests/bench/engine-client"], build)


def parsing_once(build, name="the engine, certificates parsed once"):
    """The engine as in the command line, whose process has nobody else in it (src/http/tls_trust.h)."""
    return Client(name, [build / "tests/bench/engine-client"], build, environment={"BENCH_TLS_TRUST": "1"})


def elements(tool_build, build, way="pipelines", name="aimlvideosrc ! fakesink", **more):
    """The plugin of `build` under the program of `tool_build`."""
    return Client(name, [tool_build / "tests/bench/many-client", way], build, **more)


@contextlib.contextmanager
def home_for(build):
    """An environment in which nothing was bought and nothing learned."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="aimlvideo-bench-") as home:
        environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        environment |= {"AIMLAPI_KEY": KEY, "XDG_STATE_HOME": home + "/state", "XDG_CACHE_HOME": home + "/cache",
                        "XDG_DATA_HOME": home + "/data", "GST_REGISTRY": home + "/registry", "GSETTINGS_BACKEND": "memory"}
        if build:
            environment["GST_PLUGIN_PATH"] = str(build / "gst-plugin")
            subprocess.run(["gst-inspect-1.0", "aimlvideosrc"], env=environment, stdout=subprocess.DEVNULL, check=True)
        yield environment


def measure(client, count, seconds, clip, tls=False, http2=False):
    """One run of a client. The figures of one generation, by name; None where the client did not come to its end, with the
    reason on standard error."""
    with home_for(client.build) as environment, tempfile.TemporaryDirectory() as folder:
        certificate = make_certificate(folder) if tls or http2 else None
        with Service(clip, seconds, seconds if client.stalls else 0, certificate, http2) as service:
            environment["AIMLAPI_BASE_URL"] = service.url
            options = [str(certificate)] if certificate else []
            if client.stalls:
                options = [service.url + "/clips/g.mp4"]
            process = subprocess.Popen([*client.command, str(count), *options], env=environment | client.environment,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                       preexec_fn=allow_descriptors(client.descriptors))
            try:
                return follow(client, process, service, count, seconds)
            finally:
                process.kill()
                process.stdin.close()
                process.stdout.close()


def follow(client, process, service, count, seconds):
    ready = process.stdout.readline()
    if not ready:
        return ended(client, process, "before it began")
    cpu_before = float(ready)
    service.ask("reset")
    before, service_before, begun = held_by(process.pid), service.cpu(), time.monotonic()
    print(file=process.stdin, flush=True)
    if client.holds_still:
        process.stdout.readline()
        accepted = time.monotonic() - begun
    else:
        last = wait_for_accepts(process, service, count)
        if last is None:
            return ended(client, process, "before all were accepted")
        accepted = last - begun
        warn_if_not_at_once(client.name, accepted, 0 if client.stalls else seconds)
    service_share = (service.cpu() - service_before) / (time.monotonic() - begun)
    time.sleep(min(SETTLED, seconds / 4))
    waiting = held_by(process.pid)
    if client.holds_still:
        print(file=process.stdin, flush=True)
    failed = process.stdout.readline()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0 or not failed:
        return ended(client, process, "while its generations ended")
    if int(failed):
        print(f"{client.name}: {failed.strip()} of {count} failed", file=sys.stderr)
    report = service.ask("report all")
    delays = sorted(report["delays"])
    cpu = usage.ru_utime + usage.ru_stime - cpu_before
    first = report["first"]
    return {"KiB each": (waiting["KiB"] - before["KiB"]) / count,
            "threads in all": waiting["threads"], "threads each": (waiting["threads"] - before["threads"]) / count,
            "descriptors each": (waiting["descriptors"] - before["descriptors"]) / count,
            "all accepted after, s": accepted, "CPU ms each": cpu * 1000 / count,
            "requests": sum(report["requests"].values()), "connections": sum(first.values()),
            "handshakes": report["handshakes"], "resumed": report["resumed"], "opened for a purchase": first.get("create", 0),
            "opened for a poll": first.get("poll", 0), "opened for a clip": first.get("clip", 0),
            "delay, mean s": statistics.mean(delays) if delays else None,
            "delay, 95 % s": delays[int(len(delays) * 0.95)] if delays else None,
            "service's CPU until accepted": service_share, "in all, s": time.monotonic() - begun, "failed": int(failed),
            "bought twice": report["twice"]}


def wait_for_accepts(process, service, count):
    """When the last was accepted; None when the client ends before."""
    while process.poll() is None:
        report = service.ask("report")
        if report["accepted"] >= count:
            return report["last"]
        time.sleep(0.2)
    return None


def warn_if_not_at_once(name, accepted, seconds):
    if 0 < seconds < accepted:
        print(f"{name}: the first had ended before the last was accepted, so that what each holds is more than is said; "
              f"let generations take longer than {accepted:.0f} s (--seconds)", file=sys.stderr)


def ended(client, process, when):
    process.wait()
    print(f"{client.name} ended {when}, with code {process.returncode}", file=sys.stderr)
    return None


def measure_in_turn(clients, rounds, *arguments, **options):
    """Client -> medians of its rounds, or None; each round begins with another client."""
    runs = {client.name: [] for client in clients}
    for turn in range(rounds):
        for i in range(len(clients)):
            client = clients[(i + turn) % len(clients)]
            runs[client.name].append(measure(client, *arguments, **options))
    return {name: None if None in results else {figure: median(result[figure] for result in results) for figure in results[0]}
            for name, results in runs.items()}


def median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def show(value):
    if value is None:
        return "-"
    return f"{value:.2f}" if abs(value) < 10 and value != int(value) else f"{value:.0f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--before", type=pathlib.Path, help="the build folder of another version")
    parser.add_argument("--generations", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=37, help="that a generation takes")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--http2", action="store_true")
    parser.add_argument("--only", nargs="*", choices=["engine", "elements", "asyncio", "sample", "souphttpsrc", "fakesrc"])
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    before = arguments.before.resolve() if arguments.before else None
    clients = {"engine": [engine(build)], "elements": [elements(build, build)], "asyncio": [peer("asyncio")]}
    if before:
        clients["engine"].append(engine(before, "the engine, before"))
        clients["elements"].append(elements(build, before, name="aimlvideosrc ! fakesink, before"))
    if arguments.tls or arguments.http2:
        clients["engine"].append(parsing_once(build))
    else:
        clients["sample"] = [peer("sample")]
        clients["souphttpsrc"] = [elements(build, build, "souphttpsrc", "souphttpsrc ! fakesink (download only)", stalls=True)]
        clients["fakesrc"] = [elements(build, build, "fakesrc", "fakesrc ! fakesink (in PAUSED)", holds_still=True)]
    chosen = [client for way, group in clients.items() if not arguments.only or way in arguments.only for client in group if client.there()]
    results = measure_in_turn(chosen, arguments.rounds, arguments.generations, arguments.seconds, build / CLIP, arguments.tls, arguments.http2)
    kind = "HTTP/2 over TLS" if arguments.http2 else "HTTP/1.1 over TLS" if arguments.tls else "HTTP"
    print(f"{arguments.generations} generations at once over {kind}, each {arguments.seconds:.0f} s at the service\n")
    columns = list(next(result for result in results.values() if result))
    print("| client | " + " | ".join(columns) + " |\n|---|" + "---|" * len(columns))
    for name, result in results.items():
        print(f"| {name} | " + " | ".join(show(result and result[column]) for column in columns) + " |")


if __name__ == "__main__":
    main()
