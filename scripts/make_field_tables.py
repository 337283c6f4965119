#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the tables of the documents that come from tables in the code: of fields
(src/settings/fields.cpp), and of the codes of errors (tools/aimlvideo/exit_code.cpp).

    scripts/make_field_tables.py [BUILD]            builds what prints them, and writes them
    scripts/make_field_tables.py [BUILD] --check    says which document is stale

A table stands between <!-- fields: NAME --> or <!-- codes: NAME --> and <!-- end -->.
"""

import pathlib
import re
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parent.parent
PAGES = ("docs/properties.md", "docs/uri.md", "docs/chains.md", "docs/errors.md")

arguments = [argument for argument in sys.argv[1:] if argument != "--check"]
# the folder of scripts/try.sh where there is one
build = pathlib.Path(arguments[0]) if arguments else next(
    (SOURCE / name for name in ("build-try", "build") if (SOURCE / name / "build.ninja").exists()), SOURCE / "build")
if "--check" not in sys.argv:
    subprocess.run(["ninja", "-C", build, "--quiet", "tests/e2e/field-tables"], check=True)
printed = subprocess.run([build / "tests/e2e/field-tables"], capture_output=True, text=True, check=True).stdout
tables = dict(re.findall(r"<!-- (\w+: \w+) -->\n(.*?)(?=<!-- |\Z)", printed, re.DOTALL))
used = set()
stale = []
for page in PAGES:
    path = SOURCE / page
    text = path.read_text()

    def replace(match):
        used.add(match[1])
        return f"<!-- {match[1]} -->\n{tables[match[1]]}<!-- end -->"

    fresh = re.sub(r"<!-- ((?:fields|codes): \w+) -->\n.*?<!-- end -->", replace, text, flags=re.DOTALL)
    if fresh != text:
        stale.append(page)
        if "--check" not in sys.argv:
            path.write_text(fresh)
if used != set(tables):
    sys.exit(f"no document has the table of {', '.join(sorted(set(tables) - used))}")
if stale and "--check" in sys.argv:
    sys.exit(f"{', '.join(stale)}: stale, run scripts/make_field_tables.py")
