# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `aimlvideo --json` prints, held to docs/output.schema.json by a validator that others wrote."""

import json
import os
import pathlib

import jsonschema

SOURCE = pathlib.Path(os.environ.get("AIMLVIDEO_SOURCE_ROOT") or pathlib.Path(__file__).resolve().parents[2])


def strict(schema):
    """The schema without room for members that it does not document: programs must expect those, the tests must not."""
    if isinstance(schema, list):
        return [strict(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(entry) for key, entry in schema.items()}
    if schema.get("type") == "object" and "properties" in schema and isinstance(schema["properties"], dict):
        made.setdefault("additionalProperties", False)
    return made


def validator(name="output.schema.json"):
    schema = json.loads((SOURCE / "docs" / name).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(strict(schema))


VALIDATOR = validator()


def envelopes(output):
    """All that a command printed; nothing but envelopes, and the last is the only answer."""
    decoder = json.JSONDecoder()
    found = []
    while output.strip():
        output = output.lstrip()
        envelope, end = decoder.raw_decode(output)
        mistakes = [f"{'/'.join(map(str, mistake.absolute_path))}: {mistake.message}" for mistake in VALIDATOR.iter_errors(envelope)]
        assert not mistakes, (mistakes, envelope)
        found.append(envelope)
        output = output[end:]
    assert ["ok" in envelope for envelope in found] == [False] * (len(found) - 1) + [True], found
    return found


def answer(output):
    return envelopes(output)[-1]


def data(output):
    """What was asked for."""
    return answer(output).get("data", {})
