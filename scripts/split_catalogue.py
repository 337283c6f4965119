#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Make the resources of which the library's catalogue of models consists: the whole of it, and each model under its id
and its aliases, so that one is found without reading the others.

    scripts/split_catalogue.py src/api/models.json OUTPUT.gresource.xml

The files it names are put beside the output.
"""

import json
import pathlib
import sys
from xml.sax.saxutils import quoteattr


def main():
    catalogue, output = map(pathlib.Path, sys.argv[1:])
    lines = []

    def add(name, resource, contents):
        (output.parent / name).write_text(contents)
        lines.append(f'    <file compressed="true" alias={quoteattr(resource)}>{name}</file>')

    add("models.json", "models.json", catalogue.read_text())
    for number, model in enumerate(json.loads(catalogue.read_text())["models"]):
        for name in [model["id"], *model.get("aliases", [])]:
            add(f"model-{number}.json", f"model/{name}", json.dumps(model, separators=(",", ":")))
    output.write_text("\n".join(['<?xml version="1.0" encoding="UTF-8"?>', "<gresources>",
                                 '  <gresource prefix="/aimlvideo">', *lines, "  </gresource>", "</gresources>", ""]))


main()
