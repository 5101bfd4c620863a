"""Report changes of docs/openapi/*.json that would break a client: `python -m tests.tools.openapi_changes [REF]`.

Compares the files with those of the last release (docs/openapi/released), or with a Git reference. The tests fail where
this finds a change since a release (tests/architecture/test_released_api.py).

A request stays compatible when it gains optional parts or when limits widen. An answer stays compatible when it gains
fields, headers, error statuses, kinds of events or values of a growing field, or when limits narrow. A change of a
keyword that is not known here is breaking.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Schema = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
OPENAPI = ROOT / "docs" / "openapi"
RELEASED = OPENAPI / "released"
SERVICES = ("registry", "matching", "notifications")
_ANY_SCHEMA: Schema = {}  # one object: schemas are compared by identity
_LOWEST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_HIGHEST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_FORMS = ("format", "pattern", "uniqueItems")
_SHAPE = (
    "$defs",
    "anyOf",
    "oneOf",
    "type",
    "enum",
    "const",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "default",
    "discriminator",
    "propertyNames",
)
_TEXTS = ("description", "summary", "example", "examples", "tags")
_REMARKS = ("title", "description", "example", "examples", "deprecated")
# Fields of answers that may gain values: clients treat one that they do not know as none of those they know.
_GROWING = ("type", "kind", "state", "result", "code", "answer", "types")
# Each of these names holds parts by names of their own.
_BY_NAME = ("paths", "schemas", "responses", "headers", "content", "properties", "$defs")
_COMPARED = ("info", "paths", "components")
_KNOWN = {*_LOWEST, *_HIGHEST, *_FORMS, *_SHAPE, *_REMARKS}


def breaking_changes(released: dict[str, Any], present: dict[str, Any]) -> list[str]:
    """Describe each breaking change in one line that names its place. Different API versions are not compared."""
    if released["info"]["version"] != present["info"]["version"]:
        return []
    comparison = _Comparison(released, present)
    lines = []
    for path, operations in released["paths"].items():
        for method, before in operations.items():
            after = present["paths"].get(path, {}).get(method)
            found = ["removed"] if after is None else comparison.operation(before, after)
            lines += [f"{method.upper()} {path} {line}" for line in found]
    return list(dict.fromkeys(lines))


class _Comparison:
    def __init__(self, released: dict[str, Any], present: dict[str, Any]) -> None:
        self._released, self._present = released, present
        self._compared: dict[tuple[bool, int, int], list[str]] = {}

    def operation(self, before: Schema, after: Schema) -> Iterator[str]:
        if before["operationId"] != after["operationId"]:
            yield f"operationId: {before['operationId']} is now {after['operationId']}"
        for way in before.get("security", []):
            if not any(_opens(other, way) for other in after.get("security", [])):
                yield f"security: no longer open to {' and '.join(way) or 'anonymous callers'}"
        yield from self._parameters(before, after)
        yield from self._body(before.get("requestBody"), after.get("requestBody"))
        yield from self._answers(before["responses"], after["responses"])

    def _parameters(self, before: Schema, after: Schema) -> Iterator[str]:
        old, new = (
            {f"{one['in']} {one['name']}": one for one in operation.get("parameters", [])}
            for operation in (before, after)
        )
        yield from (f"{name}: removed" for name in old if name not in new)
        for name, one in new.items():
            if one.get("required") and not old.get(name, {}).get("required"):
                yield f"{name}: now required"
            if name in old:
                yield from self._sent(name, old[name], one)

    def _body(self, before: Schema | None, after: Schema | None) -> Iterator[str]:
        if after is None:
            yield from () if before is None else ("body: removed",)
            return
        if after.get("required") and not (before or {}).get("required"):
            yield "body: now required"
        if before is None:
            return
        if after["x-max-bytes"] < before["x-max-bytes"]:
            yield f"body: x-max-bytes {before['x-max-bytes']} is now {after['x-max-bytes']}"
        for media_type, old in before["content"].items():
            if media_type not in after["content"]:
                yield f"body: {media_type} removed"
            else:
                yield from self._sent("body", old, after["content"][media_type])

    def _answers(self, before: Schema, after: Schema) -> Iterator[str]:
        # 304 answers only those who send a version that they have.
        more = [status for status in after if status not in before and status < "4" and status != "304"]
        yield from (f"{status}: new status that is not an error" for status in more)
        for status, answer in before.items():
            if status not in after:
                yield f"{status}: removed"
                continue
            old, new = _resolved(answer, self._released), _resolved(after[status], self._present)
            yield from (
                f"{status}: header {name} removed"
                for name in old.get("headers", {})
                if name not in new.get("headers", {})
            )
            for media_type, content in old.get("content", {}).items():
                if media_type not in new.get("content", {}):
                    yield f"{status}: {media_type} removed"
                else:
                    yield from self._received(status, content, new["content"][media_type])

    def _sent(self, place: str, before: Schema, after: Schema) -> Iterator[str]:
        yield from (
            place + line
            for line in self._misfits(before.get("schema", _ANY_SCHEMA), after.get("schema", _ANY_SCHEMA), answer=False)
        )

    def _received(self, place: str, before: Schema, after: Schema) -> Iterator[str]:
        yield from (
            place + line
            for line in self._misfits(after.get("schema", _ANY_SCHEMA), before.get("schema", _ANY_SCHEMA), answer=True)
        )

    def _misfits(self, given: Schema, taken: Schema, *, answer: bool) -> list[str]:
        """Say why a value of the schema ``given`` may not be valid for ``taken``.

        ``answer``: the service gives and the client takes; otherwise the reverse.
        """
        documents = (self._present, self._released) if answer else (self._released, self._present)
        given, taken = _resolved(given, documents[0]), _resolved(taken, documents[1])
        pair = (answer, id(given), id(taken))
        if pair not in self._compared:
            self._compared[pair] = []  # A recursive schema fits if the rest of it fits.
            self._compared[pair] = list(self._differences(given, taken, answer=answer))
        return self._compared[pair]

    def _differences(self, given: Schema, taken: Schema, *, answer: bool) -> Iterator[str]:
        yield from _keywords(given, taken, answer=answer)
        if _forms(given) != [given] or _forms(taken) != [taken]:
            yield from self._choices(given, taken, answer=answer)
            return
        if not _types(given) <= _types(taken):
            before, after = (taken, given) if answer else (given, taken)
            yield f": type {before.get('type', 'any')} is now {after.get('type', 'any')}"
            return
        if "items" in taken:
            yield from (
                "/*" + line for line in self._misfits(given.get("items", _ANY_SCHEMA), taken["items"], answer=answer)
            )
        if "object" in _types(given) & _types(taken):
            yield from self._object(given, taken, answer=answer)

    def _choices(self, given: Schema, taken: Schema, *, answer: bool) -> Iterator[str]:
        if answer and "discriminator" in taken:
            known = {_label(form) for form in _forms(taken)}
            forms = [form for form in _forms(given) if _label(form) in known]
            yield from (f": {name} removed" for name in sorted(known - {_label(form) for form in forms}))
        else:
            forms = _forms(given)
        for choice in forms:
            # Compare a form with the form of the same name: another that accepts anything would hide the loss.
            namesakes = [form for form in _forms(taken) if _label(form) == _label(choice)]
            misfits = [self._misfits(choice, form, answer=answer) for form in namesakes or _forms(taken)]
            if all(misfits):
                yield from (
                    min(misfits, key=len)
                    if namesakes
                    else [f": {_label(choice)} {'is new' if answer else 'no longer accepted'}"]
                )

    def _object(self, given: Schema, taken: Schema, *, answer: bool) -> Iterator[str]:
        ours, theirs = given.get("properties", {}), taken.get("properties", {})
        before, after = (theirs, ours) if answer else (ours, theirs)
        yield from (f"/{name}: removed" for name in before if name not in after)
        for name in taken.get("required", []):
            if name not in given.get("required", []):
                yield f"/{name}: {'may now be missing' if answer else 'now required'}"
        for name, schema in ours.items():
            grows = answer and name in _GROWING
            if name in theirs:
                misfits = self._misfits(schema, theirs[name], answer=answer)
                yield from (f"/{name}{line}" for line in misfits if not (grows and line.endswith(" is new")))
        more, known = given.get("additionalProperties", True), taken.get("additionalProperties", True)
        if isinstance(more, dict) and isinstance(known, dict):
            yield from (f"/*{line}" for line in self._misfits(more, known, answer=answer))
        elif more and known is not True and (not answer or isinstance(known, dict)):
            yield ": other fields are no longer accepted" if not answer else ": other fields are now of any form"


def _keywords(given: Schema, taken: Schema, *, answer: bool) -> Iterator[str]:
    before, after = (taken, given) if answer else (given, taken)
    changed = [name for name in sorted(given.keys() | taken.keys()) if given.get(name) != taken.get(name)]
    for name in changed:
        ours, theirs = given.get(name), taken.get(name)
        if (
            (name in _LOWEST and theirs is not None and (ours is None or ours < theirs))
            or (name in _HIGHEST and theirs is not None and (ours is None or ours > theirs))
            or (name in _FORMS and theirs is not None)
            or (name == "default" and not answer)
            or (name not in _KNOWN and not name.startswith("x-"))
        ):
            yield f": {name} {before.get(name, 'none')!s:.100} is now {after.get(name, 'none')!s:.100}"
    values, known = _values(given), _values(taken)
    if known is not None and values is None:
        yield f": no longer one of {known}" if answer else f": now one of {known}"
    elif known is not None and values is not None:
        yield from (
            f": {value!r} is new" if answer else f": {value!r} no longer accepted"
            for value in values
            if value not in known
        )
        yield from (f": {value!r} removed" for value in known if answer and value not in values)


def _opens(way: Schema, other: Schema) -> bool:
    """Say whether every caller that satisfies ``way`` also satisfies ``other`` (no further scheme or scope)."""
    return all(name in other and set(scopes) <= set(other[name]) for name, scopes in way.items())


def _resolved(value: Schema, document: dict[str, Any]) -> Schema:
    while "$ref" in value:
        target: Any = document
        for name in value["$ref"].removeprefix("#/").split("/"):
            target = target[int(name) if isinstance(target, list) else name.replace("~1", "/").replace("~0", "~")]
        value = target
    return value


def _forms(schema: Schema) -> list[Schema]:
    return schema.get("anyOf") or schema.get("oneOf") or [schema]


def _values(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _types(schema: Schema) -> set[str]:
    types = schema.get("type", ["null", "boolean", "integer", "number", "string", "array", "object"])
    return {*([types] if isinstance(types, str) else types)} | ({"integer"} if "number" in types else set())


def _label(schema: Schema) -> str:
    return str(schema.get("$ref") or schema.get("title") or schema.get("type", "anything")).rpartition("/")[2]


def without_texts(document: dict[str, Any]) -> dict[str, Any]:
    """Return what the comparison reads: a document without its texts and examples, a third of its size."""
    kept: dict[str, Any] = _without_texts({name: document[name] for name in _COMPARED}, by_name=False)
    return kept


def _without_texts(value: Any, *, by_name: bool) -> Any:
    if isinstance(value, list):
        return [_without_texts(one, by_name=False) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _without_texts(one, by_name=not by_name and name in _BY_NAME)
        for name, one in value.items()
        if by_name or name not in _TEXTS
    }


def releases() -> list[str]:
    """Return the versions of which the documents are kept, the newest last."""
    folders = RELEASED.iterdir() if RELEASED.exists() else ()
    return sorted((one.name for one in folders), key=lambda name: [int(part) for part in name.split(".")])


def changes_since_release(version: str) -> list[str]:
    """Compare the present files with those of a release."""
    lines = []
    for name in SERVICES:
        released, present = (
            json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
            for folder in (RELEASED / version, OPENAPI)
        )
        lines += [f"{name}: {line}" for line in breaking_changes(released, present)]
    return lines


def keep_as_released(version: str) -> None:
    """Write the present documents as those of a version.

    :raises SystemExit: the change log says that the version is released, so that they are final.
    """
    if f"## {version} (unreleased)" not in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"):
        raise SystemExit(f"CHANGELOG.md has no section '{version} (unreleased)': documents of a release are final")
    (RELEASED / version).mkdir(parents=True, exist_ok=True)
    for name in SERVICES:
        document = without_texts(json.loads((OPENAPI / f"{name}.json").read_text(encoding="utf-8")))
        (RELEASED / version / f"{name}.json").write_text(_spread(document, 3) + "\n", encoding="utf-8")


def _spread(value: Any, levels: int) -> str:
    """Return JSON with a line for each part of the upper levels: small, and a difference has a place."""
    if levels == 0 or not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return "{\n" + ",\n".join(f"{json.dumps(name)}:{_spread(one, levels - 1)}" for name, one in value.items()) + "\n}"


def changes_since(ref: str) -> list[str]:
    """Compare the present files with those of the Git reference ``ref``; a service that it does not have is left out.

    :raises subprocess.CalledProcessError: when ``ref`` does not exist.
    """
    subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    lines = []
    for name in SERVICES:
        path = f"docs/openapi/{name}.json"
        before = subprocess.run(["git", "show", f"{ref}:{path}"], cwd=ROOT, capture_output=True, text=True, check=False)
        if before.returncode == 0:
            after = json.loads((ROOT / path).read_text(encoding="utf-8"))
            lines += [f"{name}: {line}" for line in breaking_changes(json.loads(before.stdout), after)]
    return lines


def main() -> None:
    """Print the breaking changes. The exit code is always 0: it is the tests that fail."""
    parser = argparse.ArgumentParser(description="Report changes of docs/openapi/*.json that would break a client.")
    parser.add_argument("ref", nargs="?", help="a Git reference to compare with (default: the last release)")
    parser.add_argument("--release", metavar="VERSION", help="keep the documents as those of this version")
    given = parser.parse_args()
    if given.release:
        keep_as_released(given.release)
        return
    ref = given.ref or releases()[-1]
    try:
        lines = changes_since(ref) if given.ref else changes_since_release(ref)
    except subprocess.CalledProcessError:
        sys.stdout.write(f"not compared: {ref} is not a commit of a Git repository here\n")
        return
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"{len(lines)} breaking changes of the API since {ref}\n")


if __name__ == "__main__":
    main()
