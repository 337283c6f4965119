#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Finds what g++ 12 compiles wrongly in a coroutine: a temporary or a conditional operator inside of an awaited condition,
which it gives no place of its own in the frame. What is awaited gets a name first (CONTRIBUTING.md). Reads the sources of
the tree, or the files that are named."""
import pathlib
import re
import sys

COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)
TEXT = re.compile(r'"(?:[^"\\\n]|\\.)*"')
BEGIN = re.compile(r"\b(?:if|while|switch)\s*(?:constexpr\s*)?\(")
# a text, arithmetic, a braced value or a lambda makes a temporary
MAKES_ONE = re.compile(r'""|[-+*/]|[?{]')


def closed(code, start):
    """Where the parenthesis that opens before `start` is closed."""
    depth = 1
    for at in range(start, len(code)):
        depth += (code[at] == "(") - (code[at] == ")")
        if depth == 0:
            return at
    return len(code)


def findings(path):
    blank = lambda match: re.sub(r"[^\n]", " ", match.group())  # noqa: E731
    code = TEXT.sub(lambda match: '""' + " " * (len(match.group()) - 2), COMMENT.sub(blank, path.read_text()))
    for match in BEGIN.finditer(code):
        head = code[match.end():closed(code, match.end())]
        condition = head.rsplit(";", 1)[-1]
        awaited = condition.partition("co_await")[2]
        if awaited and MAKES_ONE.search(awaited.replace("->", "").replace("*this", "")):
            yield code.count("\n", 0, match.start()) + 1, " ".join(condition.split())


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    named = [pathlib.Path(name) for name in sys.argv[1:]]
    files = named or [path for folder in ("src", "gst-plugin", "tools") for path in sorted((root / folder).rglob("*.cpp"))]
    found = [f"{path}:{line}: give what is awaited a name first: {text}" for path in files for line, text in findings(path)]
    print("\n".join(found) or f"{len(files)} file{'s' * (len(files) != 1)}: no temporary in an awaited condition")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
