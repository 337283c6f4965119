#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the tables of the documents that come from the table of fields (src/settings/fields.cpp).

    scripts/make_field_tables.py [BUILD]            writes them
    scripts/make_field_tables.py [BUILD] --check    says which document is stale

A table stands between <!-- fields: NAME --> and <!-- end -->.
"""

import pathlib
import re
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parent.parent
PAGES = ("docs/properties.md", "docs/uri.md", "docs/chains.md")

arguments = [argument for argument in sys.argv[1:] if argument != "--check"]
build = pathlib.Path(arguments[0] if arguments else SOURCE / "build")
printed = subprocess.run([build / "tests/e2e/field-tables"], capture_output=True, text=True, check=True).stdout
tables = dict(re.findall(r"<!-- fields: (\w+) -->\n(.*?)(?=<!-- fields|\Z)", printed, re.DOTALL))
used = set()
stale = []
for page in PAGES:
    path = SOURCE / page
    text = path.read_text()

    def replace(match):
        used.add(match[1])
        return f"<!-- fields: {match[1]} -->\n{tables[match[1]]}<!-- end -->"

    fresh = re.sub(r"<!-- fields: (\w+) -->\n.*?<!-- end -->", replace, text, flags=re.DOTALL)
    if fresh != text:
        stale.append(page)
        if "--check" not in sys.argv:
            path.write_text(fresh)
if used != set(tables):
    sys.exit(f"no document has the table of {', '.join(sorted(set(tables) - used))}")
if stale and "--check" in sys.argv:
    sys.exit(f"{', '.join(stale)}: stale, run scripts/make_field_tables.py")
