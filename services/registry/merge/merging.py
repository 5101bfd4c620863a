"""Merges what records and people say into one trial: the same for any order in which it became known. Pure."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from services.registry.merge.fields import STATUS, FieldRule, at_path, field_rules, is_empty, set_path
from services.registry.merge.model import Conflict, ConflictKind, Merged, Provenance, Statement
from services.registry.merge.reading import Record, Said
from services.registry.merge.sources import authority
from services.registry.merge.status import Claim, effective_status, leading_statement

LEGACY = "legacy"


def merge(records: Iterable[Record], statements: Iterable[Statement] = ()) -> Merged:
    """Merge the records of a trial and the statements in force. Of a path the last statement counts, by number.

    Clocks can be set back: the time of a statement decides nothing. Statements on the trial itself go before those on
    trials that are merged into it; of these the trial with the lower id goes first.
    """
    ranked = sorted(records, key=lambda one: (authority(one.source).rank, one.source, one.source_id))
    layers = _layers(statements)
    document: dict[str, Any] = {}
    provenance: dict[str, tuple[Provenance, ...]] = {}
    conflicts: list[Conflict] = []
    for rule in field_rules().values():
        if rule.kind != "stop":
            for path, value, origins in _of_sources(rule, ranked):
                if path == rule.path:
                    set_path(document, path, value)
                if origins:
                    provenance[path] = origins
    conflicts += _legacy_conflicts(document, provenance, ranked, {path for layer in layers for path in layer})
    conflicts += _apply_status(
        document, provenance, ranked, [one["status"] for one in reversed(layers) if "status" in one]
    )
    for layer in layers:
        for path, statement in layer.items():
            if path != "status":
                conflicts += _apply(document, provenance, statement)
    return Merged(document, dict(sorted(provenance.items())), tuple(conflicts))


def _layers(statements: Iterable[Statement]) -> list[dict[str, Statement]]:
    """Return the statements on each trial, by path; those of a later layer go before those of an earlier one."""
    by_trial: dict[str, list[Statement]] = {"": []}
    for one in statements:
        by_trial.setdefault(one.of or "", []).append(one)
    # The trial itself has no name here, so it comes last.
    return [_in_force(by_trial[key]) for key in sorted(by_trial, reverse=True)]


def _in_force(statements: Iterable[Statement]) -> dict[str, Statement]:
    """Return the latest statement of each path, in their order. One of a group replaces those of its members."""
    stated: dict[str, Statement] = {}
    for one in sorted(statements, key=lambda one: one.id):
        replaced = [path for path in stated if path == one.path or path.startswith(f"{one.path}.")]
        for path in replaced:
            del stated[path]
        stated[one.path] = one
    return stated


def _of_sources(rule: FieldRule, records: Sequence[Record]) -> Iterator[tuple[str, Any, tuple[Provenance, ...]]]:
    """Yield what the sources say: path, value and where it comes from; of a keyed field also of each item."""
    saying = [(record, record.said[rule.path]) for record in records if rule.path in record.said]
    giving = [(record, said) for record, said in saying if not is_empty(said.value)]
    if not giving:
        giving = [(record, record.inferred[rule.path]) for record in records if rule.path in record.inferred]
    match rule.kind:
        case "union":
            items = {_text(item): item for _, said in giving for item in said.value}
            yield rule.path, list(items.values()), tuple(_provenance(*one) for one in giving)
        case "keyed":
            assert rule.key is not None
            chosen: dict[str, tuple[Any, Provenance]] = {}
            for record, said in giving:
                for item in said.value:
                    chosen.setdefault(item[rule.key], (item, _provenance(record, said)))
            yield rule.path, [chosen[key][0] for key in sorted(chosen)], ()
            for key, (item, origin) in chosen.items():
                yield f"{rule.path}/{key}", item, (origin,)
        case _:
            for record, said in [*giving, *saying][:1]:
                yield rule.path, said.value, (_provenance(record, said),)


def _apply(
    document: dict[str, Any], provenance: dict[str, tuple[Provenance, ...]], statement: Statement
) -> Iterator[Conflict]:
    """Put a statement in the place of what the sources say, and yield a conflict where they have changed since."""
    by_sources = at_path(document, statement.path)
    origin = provenance.get(statement.path) or provenance.get(statement.path.partition(".")[0]) or ()
    members = [path for path in provenance if path.startswith(f"{statement.path}.")]
    origin += tuple(one for path in members for one in provenance.pop(path))
    set_path(document, statement.path, statement.value)
    provenance[statement.path] = (_stated(statement),)
    if not _same(by_sources, statement.against) and not _same(by_sources, statement.value):
        by_person = next((one for one in origin if one.of is not None), None)
        source = by_person or next(iter(origin), None)
        kind: ConflictKind = "merged_statement" if by_person is not None else "outdated_statement"
        yield Conflict(kind, statement.path, statement.value, by_sources, source.source if source else "")


def _apply_status(
    document: dict[str, Any],
    provenance: dict[str, tuple[Provenance, ...]],
    records: Sequence[Record],
    statements: Sequence[Statement],
) -> Iterator[Conflict]:
    """Put the status in, and yield its conflicts. ``statements``: on each of the merged trials, this one first."""
    claims = [
        Claim(record.source, said.value, tuple(_value(record, name) for name in STATUS[1:]))
        for record in records
        if (said := record.said.get("status")) is not None and said.value is not None
    ]
    statement, among_people = leading_statement(statements)
    yield from among_people
    effective = effective_status(claims, statement)
    document["status"] = effective.status
    document |= dict(zip(STATUS[1:], effective.words, strict=True))
    if effective.by_person and statement is not None:
        provenance["status"] = (_stated(statement),)
    else:
        by_source = next((one for one in records if one.source == effective.source and "status" in one.said), None)
        if by_source is not None:
            provenance["status"] = (_provenance(by_source, by_source.said["status"]),)
    yield from effective.conflicts


def _legacy_conflicts(
    document: Mapping[str, Any],
    provenance: Mapping[str, tuple[Provenance, ...]],
    records: Sequence[Record],
    stated: Collection[str],
) -> Iterator[Conflict]:
    """Yield where a source differs from what people had written before sources were merged.

    A statement of the field since then settles it.
    """
    for record in records:
        if record.source == LEGACY and record.source_id.endswith(":curated"):
            for path, said in record.said.items():
                if path in stated:
                    continue
                used, origins = at_path(document, path), provenance.get(path, ())
                by_legacy = not origins or any(one.source == LEGACY for one in origins)
                if not by_legacy and not is_empty(said.value) and not _same(used, said.value):
                    yield Conflict("legacy", path, used, said.value, LEGACY)


def _value(record: Record, path: str) -> Any:
    said = record.said.get(path)
    return None if said is None else said.value


def _provenance(record: Record, said: Said) -> Provenance:
    return Provenance(record.source, record.source_id, said.dated)


def _stated(statement: Statement) -> Provenance:
    return Provenance("curated", None, statement.at.date().isoformat(), statement.id, statement.of)


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) or (is_empty(one) and is_empty(other))


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
