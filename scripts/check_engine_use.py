#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The plugin, the command line and the examples use the engine by its headers for applications, <aimlvideo/...>.
Exceptions are in engine_internals.txt, with the reason."""

import pathlib
import re
import sys

SCRIPTS = pathlib.Path(__file__).resolve().parent
SOURCE = SCRIPTS.parent
USERS = ("gst-plugin", "tools/aimlvideo", "examples")


def exceptions(text):
    """{header: reason}"""
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith("#")]
    return {line[0]: line[1] if len(line) > 1 else "" for line in lines}


def included(source):
    """{internal header: [files that include it]}"""
    found = {}
    for user in USERS:
        for file in sorted((source / user).rglob("*")):
            if file.suffix in (".h", ".c", ".cpp"):
                for header in re.findall(r'^\s*#\s*include\s+["<](.+?)[">]', file.read_text(), re.MULTILINE):
                    if header.startswith("aimlvideo/"):
                        continue
                    if (source / "src" / header).exists():
                        found.setdefault(header, []).append(str(file.relative_to(source)))
    return found


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
    print("\n".join(said), end="\n" if said else "", file=sys.stderr)
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
