"""The terminology as one compressed document, by which a service gives it to another."""

import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from shared.terminology.graph import Properties, State, StateKind, Terminology
from shared.terminology.nodes import Nodes

FORMAT: Final = "cleio-terminology 1"
_COLUMNS: Final = 10
Labels: TypeAlias = Iterable[tuple[str, str, str]]
"""Codes with their label in French (empty: none) and in English."""


class UnreadableTerminologyError(ValueError):
    """The document is damaged, or of another format."""


@dataclass(frozen=True, slots=True)
class TerminologyDocument:
    """A terminology with the label of each named node, by the first of its codes, in French and English."""

    terminology: Terminology
    version: str
    _labels: dict[int, tuple[str, str]] = field(default_factory=dict)

    def label(self, code: str) -> dict[str, str] | None:
        """Return the label of a code or of an equivalent one; French falls back to English."""
        found = self._labels.get(self.terminology.nodes.number.get(code, -1))
        return {"fr": found[0] or found[1], "en": found[1]} if found else None


def write_document(terminology: Terminology, labels: Labels, version: str) -> bytes:
    """Return the document: format and version, then one line a node, sorted. Equal content gives equal bytes."""
    nodes, properties = terminology.nodes, terminology.properties
    named = {nodes.number[code]: (french, english) for code, french, english in labels}
    declared: dict[int, dict[str, str]] = {}
    for name in ("exclusive_with", "covers", "coded", "uncertain"):
        for code, values in getattr(properties, name).items():
            columns = declared.setdefault(nodes.number[code], {})
            columns[name] = " ".join(sorted({*columns.get(name, "").split(), *values}))
    states = {nodes.number[code]: state for code, state in properties.states.items()}
    lines = []
    for node, members in enumerate(nodes.members):
        if members:
            own = declared.get(node, {})
            state = states.get(node)
            lines.append(
                "\t".join(
                    (
                        " ".join(members),
                        " ".join(sorted(nodes.members[parent][0] for parent in nodes.parents[node])),
                        *(own.get(name, "") for name in ("exclusive_with", "covers", "coded", "uncertain")),
                        f"{state.kind} {state.longest or ''}" if state else "",
                        *named.get(node, ("", "")),
                        "",
                    )
                )
            )
    text = "\n".join((f"{FORMAT}\t{version}", *sorted(lines), ""))
    return gzip.compress(text.encode(), 6, mtime=0)


def read_document(content: bytes) -> TerminologyDocument:
    """Read a document.

    :raises UnreadableTerminologyError: it is damaged, or of another format.
    """
    try:
        lines = gzip.decompress(content).decode().split("\n")
        form, _, version = lines[0].partition("\t")
        if form != FORMAT or lines.pop():
            raise UnreadableTerminologyError
        nodes = Nodes()
        rows = [line.split("\t") for line in lines[1:]]
        for row in rows:
            if len(row) != _COLUMNS:
                raise UnreadableTerminologyError
            nodes.add_class(row[0].split(" "))
        labels = {}
        for node, row in enumerate(rows):
            if row[1]:
                nodes.link(nodes.members[node][0], *row[1].split(" "))
            if row[8]:
                labels[node] = row[7], row[8]
        terminology = Terminology.of(nodes, _properties(rows))
    except (OSError, EOFError, ValueError, IndexError) as error:
        raise UnreadableTerminologyError(type(error).__name__) from None
    return TerminologyDocument(terminology, version, labels)


def _properties(rows: list[list[str]]) -> Properties:
    def column(place: int) -> dict[str, list[str]]:
        return {row[0].partition(" ")[0]: row[place].split(" ") for row in rows if row[place]}

    return Properties(column(2), column(3), column(4), column(5), dict(_states(rows)))


def _states(rows: list[list[str]]) -> Iterator[tuple[str, State]]:
    kinds: dict[str, StateKind] = {
        "permanent": "permanent",
        "persists": "persists",
        "passing": "passing",
        "exposure": "exposure",
        "event": "event",
    }
    for row in rows:
        if row[6]:
            kind, _, longest = row[6].partition(" ")
            yield row[0].partition(" ")[0], State(kinds[kind], longest or None)
