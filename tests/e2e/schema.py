# SPDX-License-Identifier: LGPL-2.1-or-later
"""A judge of requests that shares no code with those it judges: the facts of the service's documentation about each model
(tests/models/facts.json) and a small validator of its own."""

import json
import numbers
import uuid
from urllib.parse import urlsplit

from support import SOURCE

FACTS = json.loads((SOURCE / "tests/models/facts.json").read_text())
MODELS = sorted(FACTS["models"])
IMAGE = "https://example.com/picture.png"


def facts_of(model):
    return FACTS["sets"][FACTS["models"][model]]


def is_type(value, name):
    if name == "boolean":
        return isinstance(value, bool)
    if name == "number":
        return isinstance(value, numbers.Real) and not isinstance(value, bool)
    if name == "integer":
        return is_type(value, "number") and value == int(value)
    return isinstance(value, {"string": str, "array": list, "object": dict}[name])


def is_uri(value):
    parts = urlsplit(value)
    return parts.scheme == "data" and "," in value or parts.scheme in ("http", "https") and bool(parts.netloc)


def mistakes_in(parameters, body, path=""):
    """Sentences about what is wrong with an object."""
    known = {parameter["name"]: parameter for parameter in parameters}
    for name in body:
        if name not in known:
            yield f"{path}{name} is not known"
    for name, parameter in known.items():
        if name in body:
            yield from mistakes_in_value(parameter, body[name], path + name)
        elif parameter.get("required"):
            yield f"{path}{name} is missing"


def mistakes_in_value(parameter, value, path):
    if value is None:
        if not parameter.get("nullable"):
            yield f"{path} is null"
        return
    if "alternatives" in parameter:
        if all(any(True for _ in mistakes_in_value(other, value, path)) for other in parameter["alternatives"]):
            yield f"{path} fits none of its alternatives"
        return
    if not any(is_type(value, name) for name in parameter["type"].split("|")):
        yield f"{path} is no {parameter['type']}"
        return
    if "enum" in parameter and value not in parameter["enum"]:
        yield f"{path} is none of its values"
    if is_type(value, "number"):
        if value < parameter.get("min", value) or value > parameter.get("max", value):
            yield f"{path} is out of range"
    elif isinstance(value, str):
        if not parameter.get("min_length", 0) <= len(value) <= parameter.get("max_length", len(value)):
            yield f"{path} has a wrong length"
        if parameter.get("format") == "uri" and not is_uri(value):
            yield f"{path} is no URI"
    elif isinstance(value, list):
        if not parameter.get("min_items", 0) <= len(value) <= parameter.get("max_items", len(value)):
            yield f"{path} has a wrong number of items"
        for index, item in enumerate(value):
            if not is_type(item, parameter.get("items", "string")):
                yield f"{path}[{index}] is no {parameter.get('items')}"
            elif "item_params" in parameter:
                yield from mistakes_in(parameter["item_params"], item, f"{path}[{index}].")
            elif parameter.get("items_format") == "uri" and not is_uri(item):
                yield f"{path}[{index}] is no URI"
    elif isinstance(value, dict) and "params" in parameter:
        yield from mistakes_in(parameter["params"], value, path + ".")


def value_for(parameter, extent):
    if "alternatives" in parameter:
        return value_for(parameter["alternatives"][0], extent)
    if "enum" in parameter:
        return parameter["enum"][-1 if extent == "fullest" else 0]
    kind = parameter["type"].split("|")[0]
    if kind == "array":
        item = {"type": parameter.get("items", "string"), "format": parameter.get("items_format"),
                "params": parameter.get("item_params", [])}
        count = parameter.get("max_items", 3) if extent == "fullest" else max(parameter.get("min_items", 1), 1)
        return [value_for(item, extent) for _ in range(min(count, 10))]
    if kind == "object":
        return request_for(parameter.get("params", []), extent)
    if kind in ("integer", "number"):
        number = parameter.get("max", 7) if extent == "fullest" else parameter.get("min", 1)
        return int(number) if kind == "integer" else number
    if kind == "boolean":
        return False
    if parameter.get("format") == "uri":
        return IMAGE
    if parameter.get("format") == "uuid":
        return str(uuid.UUID(int=1))
    length = parameter.get("max_length", 20) if extent == "fullest" else max(parameter.get("min_length", 1), 1)
    return "5" if parameter.get("name") == "duration" else "é" * length


def request_for(parameters, extent):
    return {parameter["name"]: value_for(parameter, extent) for parameter in parameters
            if extent == "fullest" or parameter.get("required")}


def keep_what_is_said_in_words(model, body):
    """The sentences of the documentation that no schema holds."""
    names = {parameter["name"] for parameter in facts_of(model)}
    if "multi_prompt" in names:
        body.pop("multi_prompt", None)
        body["prompt"] = "a"
    for element in body.get("elements", [])[1:]:
        element.pop("video_url", None)
    if "effect_scene" in names:
        body["effect_scene"] = "squish"
    return body


def smallest(model):
    return keep_what_is_said_in_words(model, request_for(facts_of(model), "smallest"))


def fullest(model):
    return keep_what_is_said_in_words(model, request_for(facts_of(model), "fullest"))


def wrong_values(parameter):
    """Values that the facts exclude, each with a part of the sentence that has to refuse it."""
    if "alternatives" in parameter:
        yield True, "it must be of type"
        return
    yield ("yes" if parameter["type"] == "boolean" else True), "it must be of type"
    if not parameter.get("nullable"):
        yield None, "must not be null"
    if "enum" in parameter:
        yield ("no such value" if parameter["type"] == "string" else 987654), "allowed are"
        return
    if "max" in parameter:
        yield parameter["max"] + 1, "allowed is"
    if "min" in parameter:
        yield parameter["min"] - 1, "allowed is"
    if "max_length" in parameter:
        yield "a" * (parameter["max_length"] + 1), "characters, at most"
    if parameter.get("format") == "uri":
        yield "ftp://example.com/a.png", "it must be a file that exists"
    if "max_items" in parameter and "item_params" not in parameter:
        yield [IMAGE] * (parameter["max_items"] + 1), "items, at most"
    if parameter.get("min_items", 0) > 0:
        yield [], "items, at least"
