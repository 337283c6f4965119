#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Make docs/models.md out of the catalogue of models.

    scripts/make_models_page.py > docs/models.md
"""

import json
import pathlib
import sys

CATALOGUE = pathlib.Path(__file__).resolve().parent.parent / "src/api/models.json"
MOST_CHOICES = 16

INTRODUCTION = """# Video models

The models that are checked before anything is sent, with every parameter that the service documents. This page is made by
`scripts/make_models_page.py` from the catalogue in `src/api/models.json`, which the element, `aimlvideo` and
`aimlapi-emulator` read too. A model that is not here can be used anyway: its parameters are sent unchecked, unless
[`aimlvideo models --refresh`](operating.md#new-models) has learned them.

`aimlvideo models kling --image --max-price 0.50 --sort price` finds some of them, `aimlvideo models ID` shows one, with its
price. Set a parameter that has no property of its own with `parameters`;
a local file may stand wherever a type says URI.

**Bold** parameters are required. Times and sizes are those of the one sample run that the model's documentation shows.
"""


def plain(value):
    return json.dumps(value) if isinstance(value, bool) else str(value)


def type_of(parameter):
    if parameter["type"] == "array":
        inner = "URI" if parameter.get("items_format") == "uri" else parameter.get("items", "value")
        return f"list of {inner}s"
    kind = "URI" if parameter.get("format") == "uri" else parameter["type"].replace("|", " or ")
    return kind + (", may be null" if parameter.get("nullable") else "")


def span(parameter, least, most, unit=""):
    if least not in parameter and most not in parameter:
        return []
    low, high = parameter.get(least), parameter.get(most)
    if low is None:
        return [f"at most {high}{unit}"]
    return [f"at least {low}{unit}" if high is None else f"{low} to {high}{unit}"]


def allowed_in(parameter):
    choices = [plain(choice) for choice in parameter.get("enum", [])]
    parts = []
    if choices:
        more = len(choices) - MOST_CHOICES
        parts.append(", ".join(f"`{choice}`" for choice in choices[:MOST_CHOICES]) + (f" and {more} others" if more > 0 else ""))
    else:
        parts += span(parameter, "min", "max")
    parts += span(parameter, "min_items", "max_items", " items")
    parts += span(parameter, "min_length", "max_length", " characters")
    return "; ".join(parts)


def rows_of(parameters, prefix=""):
    for parameter in parameters:
        name = prefix + parameter["name"]
        default = parameter.get("default")
        default = "" if default is None or len(plain(default)) > 40 else f"`{plain(default)}`"
        shown = f"**`{name}`**" if parameter.get("required") else f"`{name}`"
        yield f"| {shown} | {type_of(parameter)} | {allowed_in(parameter)} | {default} | {parameter.get('about', '')} |"
        inner = parameter.get("properties") or parameter.get("item_properties") or []
        yield from rows_of(inner, name + ("[]." if parameter["type"] == "array" else "."))


def rule_text(rule):
    name = rule.get("parameter", "")
    if rule["rule"] == "exactly-one":
        return "Exactly one of " + " and ".join(f"`{p}`" for p in rule["parameters"]) + " must be given."
    if rule["rule"] == "at-most-once":
        return f"`{name}` may be given once in a request."
    if rule["rule"] == "needs":
        return f"`{name}` is refused unless `{rule['other']}` is `{plain(rule['value'])}`."
    scenes = ", ".join(f"`{value}`" for value in rule["values"])
    return f"`{name}` is a list of two where `{rule['other']}` is one of {scenes}, and a single image otherwise."


def limit_text(limits):
    parts = []
    if "types" in limits:
        parts.append(" or ".join(kind.split("/")[1].upper() for kind in limits["types"]))
    if "max_bytes" in limits:
        parts.append(f"at most {limits['max_bytes'] // 1_000_000} MB")
    if "min_short_side" in limits:
        parts.append(f"at least {limits['min_short_side']} pixels on each side")
    if "max_long_side" in limits:
        parts.append(f"at most {limits['max_long_side']} pixels on the long side")
    if "min_aspect" in limits:
        parts.append(f"{limits['min_aspect']} to {limits['max_aspect']} times as wide as high")
    if "advised_short_side" in limits:
        parts.append(f"{limits['advised_short_side']} pixels or more on each side are recommended")
    return "Images: " + ", ".join(parts) + "."


def sample_text(sample):
    parts = []
    if "seconds" in sample:
        parts.append(f"{sample['seconds']} s")
    if "width" in sample:
        parts.append(f"{sample['width']}x{sample['height']}")
    if "sound" in sample:
        parts.append("with sound" if sample["sound"] else "without sound")
    return "Sample run: " + ", ".join(parts) + "."


def notes_of(model):
    if model.get("aliases"):
        yield "Also called " + ", ".join(f"`{alias}`" for alias in model["aliases"]) + "."
    if model.get("sample"):
        yield sample_text(model["sample"])
    if model.get("legacy_only"):
        yield f"On the legacy path only: `{model['legacy_path']}`."
    if model.get("image_limits"):
        yield limit_text(model["image_limits"])
    yield from map(rule_text, model.get("rules", []))


def body_of(model):
    lines = ["| parameter | type | allowed | default | meaning |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *rows_of(model["parameters"])])


def page(models):
    yield INTRODUCTION
    vendors = {}
    for model in models:
        vendors.setdefault(model["vendor"], []).append(model)
    for vendor in sorted(vendors, key=lambda name: (name != "Kling AI", name)):
        yield f"## {vendor}\n"
        # models that take the same share one table
        tables = {}
        for model in vendors[vendor]:
            tables.setdefault(body_of(model), []).append(model)
        for table, sharing in tables.items():
            for model in sharing:
                notes = " ".join(notes_of(model))
                yield f"### `{model['id']}`\n\n{model['kind']}. {notes}".rstrip() + "\n"
            yield table + "\n"


def main():
    if len(sys.argv) != 1:
        sys.exit(__doc__)
    models = json.loads(CATALOGUE.read_text())["models"]
    sys.stdout.write("\n".join(page(models)))


main()
