#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The plugin, the command line and the examples use the engine by its headers for applications, <aimlvideo/...>.
Exceptions are in engine_internals.txt, with the reason. And in a program of several rooms no include goes up."""

import pathlib
import re
import sys

SCRIPTS = pathlib.Path(__file__).resolve().parent
SOURCE = SCRIPTS.parent
USERS = ("gst-plugin", "tools/aimlvideo", "examples")
# program: its folders, each of which includes only those before it and itself; "" is the program's own folder
ROOMS = {
    "src": ("base", "api", "http", "media", "settings", "ledger", "timing", "clip", "provenance", "service", "generation"),
    "tools/emulator": ("wire", "studio", "service", ""),
}


def exceptions(text):
    """{header: reason}"""
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith("#")]
    return {line[0]: line[1] if len(line) > 1 else "" for line in lines}


def includes(folder):
    """(file, header) for each include in the sources below a folder"""
    for file in sorted(folder.rglob("*")):
        if file.suffix in (".h", ".c", ".cpp"):
            for header in re.findall(r'^\s*#\s*include\s+["<](.+?)[">]', file.read_text(), re.MULTILINE):
                yield file, header


def included(source):
    """{internal header: [files that include it]}"""
    found = {}
    for user in USERS:
        for file, header in includes(source / user):
            if not header.startswith("aimlvideo/") and (source / "src" / header).exists():
                found.setdefault(header, []).append(str(file.relative_to(source)))
    return found


def upward(source):
    for program, rooms in ROOMS.items():
        folder = source / program
        for file, header in includes(folder):
            target = next((base / header for base in (folder, folder.parent) if (base / header).exists()), None)
            if not target or not target.is_relative_to(folder) or "pch" in file.parts:
                continue
            here, there = ((*path.parent.relative_to(folder).parts, "")[0] for path in (file, target))
            if here not in rooms:
                yield f"{file.relative_to(source)}: {here} is not among the rooms in {pathlib.Path(__file__).name}"
            elif there not in rooms or rooms.index(there) > rooms.index(here):
                yield f"{file.relative_to(source)}: includes \"{header}\", which is above it ({', '.join(rooms)})"


def problems(source, allowed):
    found = included(source)
    for header, files in sorted(found.items()):
        if header not in allowed:
            yield f"{', '.join(files)}: \"{header}\" is internal to the engine; include <aimlvideo/...> instead"
    for header, reason in sorted(allowed.items()):
        if not reason:
            yield f"engine_internals.txt: {header} has no reason"
        if header not in found:
            yield f"engine_internals.txt: nothing includes {header} any more; remove its line"


def main():
    said = list(problems(SOURCE, exceptions((SCRIPTS / "engine_internals.txt").read_text())))
    said += upward(SOURCE)
    print("\n".join(said), end="\n" if said else "", file=sys.stderr)
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
