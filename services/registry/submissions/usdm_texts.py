"""Texts of a digital protocol (USDM 4): XHTML to plain text, with its placeholders resolved. Pure."""

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any, Final

# A placeholder may lead to a text with placeholders.
MAX_DEPTH: Final = 4
_NEW_LINE: Final = frozenset({"p", "div", "br", "tr", "ul", "ol", "table", "h1", "h2", "h3", "h4"})
_SPACES: Final = re.compile(r"[ \t\f\u00a0]+")
_LINES: Final = re.compile(r" *\n[ \n]*")
_PLACEHOLDER: Final = frozenset({"usdm:tag", "usdm:ref"})


class UsdmTexts:
    """The texts of one document. ``unresolved``: names of placeholders that lead nowhere."""

    def __init__(self, document: Any) -> None:
        self._by_id: dict[str, dict[str, Any]] = {}
        self.unresolved: list[str] = []
        for one in _objects(document):
            if isinstance(one.get("id"), str):
                self._by_id.setdefault(one["id"], one)

    def plain(self, text: str, dictionary: str | None = None) -> str:
        """Return a text without tags. ``dictionary``: the id of the one that resolves its placeholders."""
        return self._plain(text, self._tags(dictionary), 0)

    def _plain(self, text: str, tags: Mapping[str, str], depth: int) -> str:
        parser = _Plain(lambda name, given: self._resolved(name, given, tags, depth))
        parser.feed(text)
        parser.close()
        lines = _LINES.sub("\n", _SPACES.sub(" ", "".join(parser.parts)))
        return lines.strip()

    def _resolved(self, name: str, given: Mapping[str, str], tags: Mapping[str, str], depth: int) -> str:
        if depth >= MAX_DEPTH:
            found = None
        elif name == "usdm:tag":
            found = self._reference(tags.get(given.get("name", "")), tags, depth)
        else:
            found = self._value(given, tags, depth)
        if found is None:
            label = given.get("name") or given.get("id") or "?"
            self.unresolved.append(label)
            return f"[{label}]"
        return found

    def _reference(self, reference: str | None, tags: Mapping[str, str], depth: int) -> str | None:
        """Return what the reference of a placeholder leads to; None: nothing, or not completely."""
        if reference is None:
            return None
        before = len(self.unresolved)
        found = self._plain(reference, tags, depth + 1)
        if len(self.unresolved) == before:
            return found
        del self.unresolved[before:]
        return None

    def _value(self, given: Mapping[str, str], tags: Mapping[str, str], depth: int) -> str | None:
        value = self._by_id.get(given.get("id", ""), {}).get(given.get("attribute", ""))
        if isinstance(value, str):
            return self._plain(value, tags, depth + 1) or None
        return _written(value)

    def _tags(self, dictionary: str | None) -> dict[str, str]:
        maps = self._by_id.get(dictionary or "", {}).get("parameterMaps")
        return {
            one["tag"]: one["reference"]
            for one in (maps if isinstance(maps, list) else ())
            if isinstance(one, dict) and isinstance(one.get("tag"), str) and isinstance(one.get("reference"), str)
        }


def _written(value: Any) -> str | None:
    """Return a number, a quantity or a range as a text."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return f"{value:g}"
    if not isinstance(value, dict):
        return None
    if "minValue" in value or "maxValue" in value:
        ends = [_written(value.get(end)) for end in ("minValue", "maxValue")]
        return " - ".join(end for end in ends if end is not None) or None
    number, unit = _written(value.get("value")), value.get("unit")
    code = unit.get("standardCode", unit) if isinstance(unit, dict) else {}
    word = code.get("decode") if isinstance(code, dict) else None
    return f"{number} {word}" if number is not None and isinstance(word, str) else number


def _objects(document: Any) -> Iterator[dict[str, Any]]:
    pending = [document]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            yield value
            pending += value.values()
        elif isinstance(value, list):
            pending += value


class _Plain(HTMLParser):
    """Collects the text of XHTML; ``resolve`` gives that of placeholders."""

    def __init__(self, resolve: Any) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._resolve = resolve
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _PLACEHOLDER:
            self.parts.append(self._resolve(tag, {name: value or "" for name, value in attrs}))
        elif tag in {"script", "style"}:
            self._hidden += 1
        elif tag == "li":
            self.parts.append("\n- ")
        elif tag in {"td", "th"}:
            self.parts.append(" ")
        elif tag in _NEW_LINE and not "".join(self.parts[-3:]).rstrip(" ").endswith("\n-"):
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"}:
            self._hidden = max(0, self._hidden - 1)
        elif tag in _NEW_LINE or tag == "li":
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            # Line ends of the markup are spaces.
            self.parts.append(re.sub(r"\s+", " ", data))
