#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Draws the rooms of the engine into docs/architecture.md, from the #include lines of src/.

    scripts/make_rooms.py            writes the drawing
    scripts/make_rooms.py --check    says whether it is stale

An arrow is drawn where no longer way says the same.
"""

import pathlib
import re
import sys

sys.dont_write_bytecode = True
from check_engine_use import ROOMS, SOURCE, includes  # noqa: E402

PAGE = SOURCE / "docs/architecture.md"


def uses():
    """{room: rooms that it includes}"""
    rooms = ROOMS["src"]
    found = {room: set() for room in rooms}
    for file, header in includes(SOURCE / "src"):
        here, there = file.relative_to(SOURCE / "src").parts[0], header.split("/")[0]
        if here in found and there in found and here != there:
            found[here].add(there)
    return found


def drawing():
    found = uses()
    below = {}
    for room in ROOMS["src"]:  # from the lowest up
        below[room] = found[room].union(*(below[other] for other in found[room]))
    lines = ["```mermaid", "graph TD"]
    for room in reversed(ROOMS["src"]):
        direct = [other for other in found[room] if not any(other in below[between] for between in found[room])]
        lines += [f"  {room} --> {other}" for other in sorted(direct)]
    return "\n".join(lines + ["```"])


if __name__ == "__main__":
    text = PAGE.read_text()
    fresh = re.sub(r"(<!-- rooms -->\n).*?(<!-- end -->)", lambda match: match[1] + drawing() + "\n" + match[2], text,
                   flags=re.DOTALL)
    if "--check" not in sys.argv:
        PAGE.write_text(fresh)
    elif fresh != text:
        sys.exit(f"{PAGE.name} is stale: run scripts/make_rooms.py")
