"""Converts the XML of ISRCTN to JSON records. Document type declarations, and so all entities, are refused."""

from collections.abc import Iterator
from typing import Any, Final
from xml.parsers import expat

from services.registry.sources.problems import InvalidStudyError

_MAX_DEPTH: Final = 32
_TRIAL: Final = "trial"
# Elements beside `trial` that say who is responsible; `contact` names persons.
_PARTIES: Final = ("sponsor", "funder")


def records(content: bytes, retrieved: str) -> Iterator[dict[str, Any]]:
    """Yield the trials of an answer of ISRCTN as JSON: elements by name, in a list where there are several.

    Attributes of an element with elements are beside these; those of a text are beside it, as ``isrctn_dateAssigned``.
    ``retrieved``: the day of the answer (``2026-03-08``). The register gives no status, only dates to compare with it.

    :raises InvalidStudyError: this is not well-formed XML, it has a document type, or it is too deep.
    """
    try:
        root = _Builder().build(content)
    except (expat.ExpatError, LookupError, ValueError) as fault:
        raise InvalidStudyError.at(
            "", "not_xml", "un document XML sans DTD est attendu", "XML without a DTD is expected"
        ) from fault
    for full in _listed(root.get("fullTrial")):
        trial = full.get(_TRIAL) if isinstance(full, dict) else None
        if isinstance(trial, dict):
            parties = {name: _listed(full[name]) for name in _PARTIES if name in full}
            yield {**trial, **parties, "retrieved": retrieved}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


class _Builder:
    """Builds JSON from XML."""

    def __init__(self) -> None:
        self._open: list[tuple[str, dict[str, Any], list[str]]] = []
        self._root: Any = {}

    def build(self, content: bytes) -> dict[str, Any]:
        """Return the root element.

        :raises ExpatError, LookupError, ValueError: see `records`; a lookup error for an unknown encoding.
        """
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.buffer_text = True
        parser.Parse(content, True)
        return self._root if isinstance(self._root, dict) else {}

    @staticmethod
    def _refuse(*_declaration: object) -> None:
        raise ValueError("a document type is not accepted")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) == _MAX_DEPTH:
            raise ValueError("too deep")
        self._open.append((_local(name), {_local(key): value for key, value in attributes.items()}, []))

    def _text(self, text: str) -> None:
        self._open[-1][2].append(text)

    def _end(self, _name: str) -> None:
        name, members, texts = self._open.pop()
        text = "".join(texts).strip()
        is_text = bool(text) or not members
        value: Any = text if is_text else members
        if not self._open:
            self._root = value
            return
        parent = self._open[-1][1]
        if is_text:
            parent.update({f"{name}_{key}": attribute for key, attribute in members.items()})
        parent[name] = [*_listed(parent[name]), value] if name in parent else value


def _local(name: str) -> str:
    return name.rpartition(" ")[2]
