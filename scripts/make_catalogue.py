#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Make src/api/models.json, the project's own compact catalogue of models.

The input is a folder of facts read from the service's public documentation:
models.json (every model with every parameter) and kling-models.md (the table
with the time, the size and the sound of one sample run of each Kling model).

    scripts/make_catalogue.py FACTS_DIR > src/api/models.json
"""

import json
import pathlib
import re
import sys

# Facts of a parameter that the catalogue keeps, in this order.
FACTS = ("name", "type", "required", "format", "nullable", "enum", "default", "min", "max", "min_length", "max_length",
         "items", "items_format", "min_items", "max_items", "example", "about")


def compact_parameter(raw):
    parameter = {key: raw[key] for key in FACTS if key in raw and raw[key] not in (False, None) or key == "default" and key in raw}
    for nested in ("params", "item_params", "alternatives"):
        if nested in raw:
            name = {"params": "properties", "item_params": "item_properties"}.get(nested, nested)
            parameter[name] = [compact_parameter(p) if isinstance(p, dict) and "name" in p else p for p in raw[nested]]
    return parameter


def sample_runs(table):
    """id -> {seconds, width, height, sound}, what the model's page reports of its one sample run."""
    runs = {}
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) != 7 or not cells[0].startswith("`"):
            continue
        run = {}
        if time := re.search(r"(?:(\d+) min)? ?(?:(\d+) s(?:ec)?)?(?:,|$)", cells[6]):
            seconds = 60 * int(time[1] or 0) + int(time[2] or 0)
            if seconds:
                run["seconds"] = seconds
        if size := re.search(r"(\d+)x(\d+)", cells[6]):
            run["width"], run["height"] = int(size[1]), int(size[2])
        if "sound" in cells[6]:
            run["sound"] = "with sound" in cells[6]
        names = re.findall(r"`([^`]+)`", cells[0])
        runs[names[0]] = (run, names[1:])
    return runs


def compact_model(raw, runs):
    run, more_names = runs.get(raw["id"], ({}, []))
    model = {"id": raw["id"]}
    if aliases := sorted(set(raw.get("aliases", [])) | set(more_names)):
        model["aliases"] = aliases
    model["vendor"] = raw["vendor"]
    model["kind"] = raw["modality"]
    model["inputs"] = {name: fact["params"] for name, fact in raw["inputs"].items()}
    if raw["create_path"] != "/v2/video/generations":
        model["legacy_only"] = True
        model["legacy_path"] = raw["create_path"]
    elif "legacy_path" in raw:
        model["legacy_path"] = raw["legacy_path"]
    if raw.get("response_video_may_be_array"):
        model["video_may_be_array"] = True
    if run:
        model["sample"] = run
    model["parameters"] = [compact_parameter(p) for p in raw["params"]]
    if "legacy_params" in raw:
        model["legacy_parameters"] = [compact_parameter(p) for p in raw["legacy_params"]]
    return model


def write(models, out):
    """One line for each model's head and one for each parameter: a diff then shows what changed."""
    one_line = lambda value: json.dumps(value, ensure_ascii=False)
    out.write('{\n"version": 1,\n"models": [\n')
    for number, model in enumerate(models):
        head = {key: value for key, value in model.items() if not key.endswith("parameters")}
        out.write(one_line(head)[:-1])
        for key in ("parameters", "legacy_parameters"):
            if key in model:
                out.write(f',\n "{key}": [')
                out.write(",".join("\n  " + one_line(p) for p in model[key]))
                out.write("]")
        out.write("}" + (",\n" if number + 1 < len(models) else "\n"))
    out.write("]\n}\n")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    facts = pathlib.Path(sys.argv[1])
    runs = sample_runs((facts / "kling-models.md").read_text())
    raw = json.loads((facts / "models.json").read_text())
    write(sorted((compact_model(m, runs) for m in raw), key=lambda m: m["id"]), sys.stdout)


main()
