#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes what README.md opens with, from the programs in $BUILD (build if not given) and the emulator; nothing is bought.

    scripts/make_pictures.py                 writes docs/pictures and the terminal in README.md
    scripts/make_pictures.py --to FOLDER     writes all of it there instead; the terminal is terminal.txt

It needs chromium and ffmpeg (scripts/packages.txt), and tmux (scripts/packages-full.txt).
"""

import argparse
import base64
import contextlib
import csv
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.dont_write_bytecode = True
SOURCE = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SOURCE / "tests/emulator"))
from browser import Browser  # noqa: E402

BUILD = SOURCE / os.environ.get("BUILD", "build")
WIDTH, HEIGHT = 100, 30  # of the terminal
PATIENCE = 300
COMMAND = "aimlvideo batch clips.csv --jobs 3 --max-cost 5 --report report"
# one is refused by the service, and the last one does not fit into the budget
REFUSED = 4
ROWS = [
    ("The beam of the lighthouse sweeps over the evening sea", "lighthouse.jpg", "", ""),
    ("A paper boat on a stream, seen from above, drifts between fallen leaves", "", "", ""),
    ("A storm comes in from the sea, and the lamp is lit", "lighthouse.jpg", "", ""),
    ("The duel of two samurai, with all that belongs to it", "", "", ""),
    ("Fog lifts from the hills while the sun comes up", "", "", "webm"),
    ("The moon over dark hills, for a phone", "", "9:16", ""),
    ("Day turns into night at the lighthouse", "lighthouse.jpg", "", "h264"),
    ("A slow flight over the dunes", "", "", ""),
    ("Waves of grass, seen from a train", "", "", ""),
    ("The last light on the mountains", "", "", ""),
    ("One more, should there be money left", "", "", ""),
]


@contextlib.contextmanager
def emulator():
    """Its address. It sells pictures that are worth looking at."""
    process = subprocess.Popen([BUILD / "tools/emulator/aimlapi-emulator", "--port", "0", "--exit-with-parent",
                                "--generation-time", "24", "--render-size", "640"], stdout=subprocess.PIPE, text=True)
    try:
        address = process.stdout.readline().split()[-1]
        rule = {"match": {"phase": "create", "nth": REFUSED},
                "fault": {"kind": "moderation", "message": "Your prompt was flagged by the safety system: violence"}}
        urllib.request.urlopen(address + "/emulator/faults", json.dumps(rule).encode()).close()
        yield address
    finally:
        process.terminate()
        process.wait()


def write_manifest(folder):
    shutil.copy(SOURCE / "examples/media/lighthouse.jpg", folder)
    (folder / "clips").mkdir()
    names = ["lighthouse", "boat", "storm", "duel", "fog", "moon", "night", "dunes", "grass", "mountains", "more"]
    with open(folder / "clips.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["prompt", "image", "aspect-ratio", "profile", "output"])
        for name, (prompt, image, shape, profile) in zip(names, ROWS, strict=True):
            writer.writerow([prompt, image, shape, profile, f"clips/{name}.{'webm' if profile == 'webm' else 'mp4'}"])


class Terminal:
    """A real one, of tmux, without a window."""

    def __init__(self, folder, environment):
        self.server = ["tmux", "-S", str(folder / "tmux"), "-f", "/dev/null"]
        shell = "PS1='$ ' exec sh"
        subprocess.run([*self.server, "new-session", "-d", "-x", str(WIDTH), "-y", str(HEIGHT), "-c", str(folder), shell],
                       env=environment, check=True)

    def type(self, line):
        subprocess.run([*self.server, "send-keys", "-l", line], check=True)
        subprocess.run([*self.server, "send-keys", "Enter"], check=True)

    def text(self):
        shown = subprocess.run([*self.server, "capture-pane", "-p"], capture_output=True, text=True, check=True).stdout
        return "\n".join(line.rstrip() for line in shown.strip("\n").splitlines()) + "\n"

    def wait_for(self, pattern):
        end = time.monotonic() + PATIENCE
        while not re.search(pattern, self.text(), re.MULTILINE):
            if time.monotonic() > end:
                raise SystemExit(f"the terminal never showed {pattern}:\n{self.text()}")
            time.sleep(0.05)
        return self.text()

    def close(self):
        subprocess.run([*self.server, "kill-server"], check=False)


def run_batch(folder, address):
    """Makes the clips. What the terminal shows in the middle, and in the end."""
    environment = dict(os.environ, AIMLAPI_BASE_URL=address, AIMLAPI_KEY="any", XDG_STATE_HOME=str(folder / "state"),
                       XDG_CACHE_HOME=str(folder / "cache"), LC_ALL="C.UTF-8", NO_COLOR="1",
                       PATH=f"{BUILD}/tools/aimlvideo:{os.environ['PATH']}")
    terminal = Terminal(folder, environment)
    try:
        terminal.wait_for(r"^\$")
        terminal.type(COMMAND)
        middle = terminal.wait_for(r"(?s)FAILED.*1[2-9] %.*1[2-9] %")
        return middle, terminal.wait_for(r"made, .*(?s:.*)^\$$")
    finally:
        terminal.close()


def photograph(folder, pictures):
    with Browser(width=1280, height=800) as browser:
        browser.open((folder / "report/index.html").as_uri())
        browser.wait_until("document.readyState === 'complete'", "the report")
        browser.ask("Emulation.setScrollbarsHidden", hidden=True)
        for scheme in ("light", "dark"):
            browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme},
                                                                {"name": "hover", "value": "hover"}])
            browser.run("Promise.all([...document.images].map(image => image.decode()))")
            picture = browser.ask("Page.captureScreenshot", format="webp", quality=75)["data"]
            (pictures / f"report-{scheme}.webp").write_bytes(base64.b64decode(picture))


def contact_sheet(clip, picture):
    subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-i", clip, "-vf",
                    "fps=8/5,scale=320:-2,format=rgba,tile=4x2:padding=6:color=black@0", "-frames:v", "1", "-quality", "75", picture],
                   check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=pathlib.Path, metavar="FOLDER")
    pictures = parser.parse_args().to
    page = None if pictures else SOURCE / "README.md"
    pictures = pictures or SOURCE / "docs/pictures"
    pictures.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, emulator() as address:
        folder = pathlib.Path(scratch)
        write_manifest(folder)
        middle, _ = run_batch(folder, address)
        photograph(folder, pictures)
        contact_sheet(folder / "clips/lighthouse.mp4", pictures / "demo.webp")
    if not page:
        (pictures / "terminal.txt").write_text(middle)
        return
    block = f"<!-- terminal -->\n```text\n{middle}```\n<!-- end -->"
    page.write_text(re.sub(r"<!-- terminal -->\n.*?<!-- end -->", lambda _: block, page.read_text(), count=1, flags=re.DOTALL))


if __name__ == "__main__":
    main()
