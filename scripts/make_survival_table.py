#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the table of docs/provenance.md: what of a mark programs of others find in the outputs of aimlvideo, and in
copies that they make. Needs the build folder and the packages of packages-full.txt.

  scripts/make_survival_table.py [BUILD]           writes the document
  scripts/make_survival_table.py --check [BUILD]   compares it"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = SOURCE / "docs/provenance.md"
TYPE = "digitalsourcetype/trainedAlgorithmicMedia"
BEGIN, END = "<!-- what survives: scripts/make_survival_table.py -->\n", "<!-- end -->\n"

# file: (what it is, profile)
OUTPUTS = {
    "clip.mp4": ("`mp4`", "mp4"),
    "h264.mp4": ("`h264`", "h264"),
    "web.webm": ("`webm`", "webm"),
    "edit.mov": ("`prores`", "prores"),
    "stream": ("`hls`, the folder", "hls"),
    "poster.jpg": ("`poster`", "poster"),
}
FFMPEG = ("ffmpeg", "-v", "error", "-y", "-i")
# file: (what it is, command)
COPIES = {
    "copy-clip.mp4": ("`mp4` by `ffmpeg -c copy`", (*FFMPEG, "clip.mp4", "-c", "copy", "copy-clip.mp4")),
    "copy-h264.mp4": ("`h264` by `ffmpeg -c copy`", (*FFMPEG, "h264.mp4", "-c", "copy", "copy-h264.mp4")),
    "trim-h264.mp4": ("`h264`, a trim by `ffmpeg -ss 1 -t 2 -c copy`",
                      (*FFMPEG, "h264.mp4", "-ss", "1", "-t", "2", "-c", "copy", "trim-h264.mp4")),
    "copy-h264.mkv": ("`h264` by `ffmpeg -c copy` into Matroska", (*FFMPEG, "h264.mp4", "-c", "copy", "copy-h264.mkv")),
    "copy-web.webm": ("`webm` by `ffmpeg -c copy`", (*FFMPEG, "web.webm", "-c", "copy", "copy-web.webm")),
    "merged-clip.mkv": ("`mp4` by `mkvmerge`", ("mkvmerge", "-q", "-o", "merged-clip.mkv", "clip.mp4")),
    "merged-web.webm": ("`webm` by `mkvmerge -w`", ("mkvmerge", "-q", "-w", "-o", "merged-web.webm", "web.webm")),
    "remuxed.mp4": ("`mp4` by `qtdemux ! mp4mux`",
                    ("gst-launch-1.0", "-q", "filesrc", "location=clip.mp4", "!", "qtdemux", "!", "h264parse", "!", "mp4mux", "!",
                     "filesink", "location=remuxed.mp4")),
    "remuxed-h264.mp4": ("`h264` by `qtdemux ! mp4mux`",
                         ("gst-launch-1.0", "-q", "filesrc", "location=h264.mp4", "!", "qtdemux", "!", "h264parse", "!", "mp4mux",
                          "!", "filesink", "location=remuxed-h264.mp4")),
    "stripped.mp4": ("`h264` by `exiftool -all=`", ("exiftool", "-q", "-all=", "-o", "stripped.mp4", "h264.mp4")),
}
READERS = {
    "exiftool": lambda path: ["exiftool", "-a", "-G1", path],
    "ffprobe": lambda path: ["ffprobe", "-v", "error", "-show_format", "-show_streams", path],
    "mediainfo": lambda path: ["mediainfo", "--Full", path],
    "gst-discoverer-1.0": lambda path: ["gst-discoverer-1.0", "-v", path],
    "aimlvideo inspect": lambda path: ["aimlvideo", "inspect", path],
}


def run(arguments, folder, environment):
    return subprocess.run([str(argument) for argument in arguments], cwd=folder, env=environment, capture_output=True, text=True,
                          errors="replace", timeout=120)


def make(folder, environment):
    for name, (_, profile) in OUTPUTS.items():
        made = run(["aimlvideo", "generate", "a paper boat", "-o", name, "--profile", profile], folder, environment)
        assert made.returncode == 0, made.stderr
    for name, (_, command) in COPIES.items():
        made = run(command, folder, environment)
        assert (folder / name).exists(), f"{command}: {made.stderr}"


def cell(reader, path, folder, environment):
    if path.is_dir() and reader != "aimlvideo inspect":
        path = path / ("index.xmp" if reader == "exiftool" else "index.m3u8")
    said = run(READERS[reader](path), folder, environment)
    return "yes" if TYPE in said.stdout + said.stderr else "-"


def table(build):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        emulator = subprocess.Popen([build / "tools/emulator/aimlapi-emulator", "--port", "0", "--exit-with-parent",
                                     "--generation-time", "0.2", "--render-size", "160"], stdout=subprocess.PIPE, text=True)
        address = re.search(r"http://\S+", emulator.stdout.readline())[0]
        environment = dict(os.environ, AIMLAPI_KEY="any", AIMLAPI_BASE_URL=address, XDG_STATE_HOME=f"{folder}/state",
                           XDG_CACHE_HOME=f"{folder}/cache", GST_PLUGIN_PATH=f"{build}/gst-plugin",
                           PATH=f"{build}/tools/aimlvideo:{os.environ['PATH']}")
        try:
            make(folder, environment)
            lines = ["| file | " + " | ".join(f"`{reader}`" for reader in READERS) + " |", "|---|" + "---|" * len(READERS)]
            for file, (words, _) in (OUTPUTS | COPIES).items():
                cells = [cell(reader, folder / file, folder, environment) for reader in READERS]
                lines.append(f"| {words} | " + " | ".join(cells) + " |")
        finally:
            emulator.terminate()
            emulator.wait()
            emulator.stdout.close()
    return "\n".join(lines) + "\n"


def main(arguments):
    check = "--check" in arguments
    folders = [argument for argument in arguments if argument != "--check"]
    text = DOCUMENT.read_text()
    before, rest = text.split(BEGIN)
    was, after = rest.split(END, 1)
    now = table(pathlib.Path(folders[0] if folders else SOURCE / "build").resolve())
    if check and now != was:
        sys.exit(f"docs/provenance.md is not what programs find today: scripts/make_survival_table.py writes\n{now}")
    if not check:
        DOCUMENT.write_text(before + BEGIN + now + END + after)


if __name__ == "__main__":
    main(sys.argv[1:])
