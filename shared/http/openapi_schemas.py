"""Complete the schemas of an OpenAPI document: limits where a field has none, one name for each model."""

import json
from typing import Any

from shared.http.marks import Accepted
from shared.http.stages.head import MAX_URI
from shared.values.strict_json import MAX_ARRAY, MAX_INTEGER, MAX_NODES

# The limits of bodies do not apply to schemas that occur in answers only.
MAX_ANSWER_STRING = 256 * 1024
MAX_ANSWER_ARRAY = MAX_NODES
SCHEMA = "#/components/schemas/"
_SIDES = ("-Input", "-Output")


def unite_sides(document: dict[str, Any]) -> dict[str, Any]:
    """Give a model that is sent and received one name instead of two, ``…-Input`` and ``…-Output``.

    Models that refer to themselves get two names even where both descriptions are the same.
    """
    schemas = document["components"]["schemas"]
    bases = {name.removesuffix(side) for name in schemas for side in _SIDES if name.endswith(side)}
    different = {
        base
        for base in bases
        if len({_without_sides(schemas[base + side]) for side in _SIDES if base + side in schemas}) > 1
    }
    text = json.dumps(document)
    for base in bases - different:
        for side in _SIDES:
            text = text.replace(f'"{SCHEMA}{base}{side}"', f'"{SCHEMA}{base}"')
            text = text.replace(f'"{base}{side}": {{', f'"{base}": {{')
    united: dict[str, Any] = json.loads(text)
    return united


def _without_sides(schema: Any) -> str:
    text = json.dumps(schema, sort_keys=True)
    for side in _SIDES:
        text = text.replace(f'{side}"', '"')
    return text


def bound(document: dict[str, Any], takes: Accepted) -> None:
    """Write the general limits of bodies and answers into schemas that have none of their own."""
    sent = reached(
        [operation.get("requestBody", {}) for path in document["paths"].values() for operation in path.values()],
        document["components"]["schemas"],
    )
    for name, schema in document["components"]["schemas"].items():
        ends = (takes.limits.string, MAX_ARRAY) if name in sent else (MAX_ANSWER_STRING, MAX_ANSWER_ARRAY)
        _bound_schema(schema, *ends)
    for path in document["paths"].values():
        for operation in path.values():
            _bound_schema([operation.get("parameters", []), operation.get("requestBody", {})], MAX_URI, MAX_ARRAY)
            _bound_schema(
                [answer for answer in operation["responses"].values() if "$ref" not in answer],
                MAX_ANSWER_STRING,
                MAX_ANSWER_ARRAY,
            )


def reached(roots: Any, schemas: dict[str, Any]) -> set[str]:
    """Return the names of the schemas that these refer to, directly or indirectly."""
    found: set[str] = set()
    pending = [roots]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            name = str(value.get("$ref", "")).removeprefix(SCHEMA)
            if name in schemas and name not in found:
                found.add(name)
                pending.append(schemas[name])
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
    return found


_LENGTHS = {"date": 10, "date-time": 40, "uuid": 36}
# Pydantic writes the bounds of a number of either type in its own words, which JSON Schema does not know.
_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


def _bound_schema(value: Any, string: int, array: int) -> None:
    if isinstance(value, list):
        for one in value:
            _bound_schema(one, string, array)
        return
    if not isinstance(value, dict):
        return
    kind = value.get("type")
    if "anyOf" in value:
        bounds = {keyword: value.pop(word) for word, keyword in _BOUNDS.items() if word in value}
        if "exclusiveMinimum" in bounds:
            bounds.pop("minimum", None)  # of the wider type, which this one narrows
        for number in value["anyOf"] if bounds else ():
            number.update(bounds)
    if kind == "string" and not {"enum", "const", "maxLength"} & set(value):
        value["maxLength"] = _LENGTHS.get(value.get("format", ""), string)
    elif kind == "array" and "maxItems" not in value:
        value["maxItems"] = array
    elif kind == "integer" and "enum" in value:
        value |= {"format": "int32", "minimum": min(value["enum"]), "maximum": max(value["enum"])}
    elif kind == "integer" and "const" not in value:
        value.setdefault("format", "int64")
        if "exclusiveMinimum" not in value:
            value.setdefault("minimum", -MAX_INTEGER)
        if "exclusiveMaximum" not in value:
            value.setdefault("maximum", MAX_INTEGER)
    for name, one in value.items():
        if name not in {"enum", "const", "default", "example", "examples"}:
            _bound_schema(one, string, array)
