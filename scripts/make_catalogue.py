#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Make src/api/models.json, the project's own compact catalogue of models.

The input is a folder of facts read from the service's public documentation:
models.json (every model with every parameter) and kling-models.md (the table
with the time, the size and the sound of one sample run of each Kling model).

    scripts/make_catalogue.py FACTS_DIR > models.json && mv models.json src/api/

Models that the facts lack, since they are newer, are taken over from the catalogue as it is.
"""

import json
import pathlib
import re
import sys

CATALOGUE = pathlib.Path(__file__).resolve().parent.parent / "src/api/models.json"

# Facts of a parameter that the catalogue keeps, in this order.
FACTS = ("name", "type", "required", "format", "nullable", "enum", "default", "min", "max", "min_length", "max_length",
         "items", "items_format", "min_items", "max_items", "example", "about")

# What the documentation says in words only, or only in the samples on the models' pages.
SHOTS = {"rule": "exactly-one", "parameters": ["prompt", "multi_prompt"]}
ONE_ELEMENT_VIDEO = {"rule": "at-most-once", "parameter": "elements[].video_url"}
SILENT_TAIL = {"rule": "needs", "parameter": "tail_image_url", "other": "generate_audio", "value": False}
PAIRS = {"rule": "pair", "parameter": "image_url", "other": "effect_scene", "values": ["hug", "kiss", "heart_gesture"]}


def rules_of(model_id):
    rules = []
    if re.match(r"klingai/video-v3-(omni|pro|standard|turbo)", model_id):
        rules.append(SHOTS)
    if re.match(r"klingai/video-v3-(omni-\d+p|pro|standard)-image-to-video", model_id):
        rules.append(ONE_ELEMENT_VIDEO)
    if re.match(r"klingai/video-v3-omni-\d+p-image-to-video", model_id):
        rules.append(SILENT_TAIL)
    if model_id.endswith("-effects"):
        rules.append(PAIRS)
    return rules


def image_limits_of(model_id, takes_image):
    """Limits of every image of a model: MIME types, bytes, pixels of the short and the long side, width / height.
    `advised_short_side` is a wish of the documentation, not a limit."""
    if not takes_image:
        return None
    if re.match(r"klingai/video-v3-(standard-turbo|turbo-pro)-image-to-video", model_id):
        return {"types": ["image/jpeg", "image/png"], "max_bytes": 50_000_000, "min_short_side": 300,
                "min_aspect": 0.4, "max_aspect": 2.5}
    if model_id.startswith(("minimax/", "video-01")):
        return {"types": ["image/jpeg", "image/png"], "max_bytes": 20_000_000, "min_short_side": 301,
                "min_aspect": 0.4, "max_aspect": 2.5}
    if model_id.endswith("motion-control"):
        return {"min_short_side": 300, "max_long_side": 3850}
    if model_id.startswith(("google/veo", "veo")):
        return {"advised_short_side": 720}
    return None


def with_what_only_the_samples_send(model):
    """The samples on the pages of v3 pro and standard image-to-video name the last frame last_image_url, and that of
    pro sends aspect_ratio; their schemas know neither."""
    names = [p["name"] for p in model["parameters"]]
    if not re.fullmatch(r"klingai/video-v3-(pro|standard)-image-to-video", model["id"]) or "last_image_url" in names:
        return
    tail = next(p for p in model["parameters"] if p["name"] == "tail_image_url")
    at = model["parameters"].index(tail) + 1
    model["parameters"].insert(at, tail | {"name": "last_image_url", "about": "the same, as the page's sample spells it"})
    model["inputs"]["image"].insert(2, "last_image_url")
    if "pro" in model["id"]:
        model["parameters"].insert(at + 1, {"name": "aspect_ratio", "type": "string", "enum": ["16:9", "9:16", "1:1"],
                                            "about": "frame shape of the result, sent by the page's sample"})


def with_what_is_known_since(model):
    """The schema of motion control has a mode, and its page calls the model otherwise than the schema; of fabric-1.0-fast
    only the older of two schemas requires the resolution."""
    if model["id"] == "klingai/video-v2-6-pro-motion-control" and all(p["name"] != "mode" for p in model["parameters"]):
        model["parameters"].append({"name": "mode", "type": "string", "enum": ["std", "pro"], "default": "std",
                                    "about": "quality/price tier"})
    if model["id"] == "veed/fabric-1.0-fast":
        next(p for p in model["parameters"] if p["name"] == "resolution").pop("required", None)


def compact_parameter(raw):
    # 0 is a fact, though it equals False
    parameter = {key: raw[key] for key in FACTS
                 if key in raw and (key == "default" or raw[key] is not False and raw[key] is not None)}
    for nested in ("params", "item_params", "alternatives"):
        if nested in raw:
            name = {"params": "properties", "item_params": "item_properties"}.get(nested, nested)
            parameter[name] = [compact_parameter(p) if isinstance(p, dict) and "name" in p else compact_alternative(p)
                               for p in raw[nested]]
    return parameter


def compact_alternative(raw):
    alternative = {key: value for key, value in raw.items() if key not in ("params", "item_params")}
    if "params" in raw:
        alternative["properties"] = [compact_parameter(p) for p in raw["params"]]
    if raw["type"] == "array" and raw.get("items") == "string" and "min_items" not in raw:
        alternative |= {"items_format": "uri", "min_items": 2, "max_items": 2}  # a pair, as the page says in words
    return alternative


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
    if rules := rules_of(raw["id"]):
        model["rules"] = rules
    if limits := image_limits_of(raw["id"], "image" in model["inputs"]):
        model["image_limits"] = limits
    model["parameters"] = [compact_parameter(p) for p in raw["params"]]
    if "legacy_params" in raw:
        model["legacy_parameters"] = [compact_parameter(p) for p in raw["legacy_params"]]
    with_what_only_the_samples_send(model)
    with_what_is_known_since(model)
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
    models = {model["id"]: model for model in json.loads(CATALOGUE.read_text())["models"]}
    models |= {m["id"]: compact_model(m, runs) for m in raw}
    write([models[model_id] for model_id in sorted(models)], sys.stdout)


main()
