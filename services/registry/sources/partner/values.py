"""Values of a partner's record: words for codes, and lists of texts."""

from typing import Any, Final

from services.registry.sources.partner.columns import Column, columns, folded
from services.registry.sources.reading import Reader, Section

SHORT: Final = 200


def quiet(top: Section) -> Section:
    """Return a section that reports no warnings."""
    return Section(Reader(), top.pointer, top.given)


def column(key: str) -> Column:
    """Return the column with a name."""
    return columns()[key]


def code(top: Section, key: str) -> Any:
    """Return the code of a word; None if it is absent or none is known."""
    written = top.line(key, SHORT)
    return None if written is None else column(key).values.get(folded(written))


def known(top: Section, key: str) -> Any:
    """Return the code of a word; None if it is absent or, with a warning, not known."""
    found = code(top, key)
    if found is None and top.line(key, SHORT) is not None:
        codes = ", ".join(dict.fromkeys(column(key).values.values()))
        top.reader.warn(
            f"/{key}",
            "unknown_code",
            f"mot inconnu ; codes possibles : {codes}",
            f"unknown word; possible codes: {codes}",
        )
    return found


def texts(top: Section, key: str, limit: int, most: int) -> list[str]:
    """Return the texts of a member, each once."""
    return list(dict.fromkeys(text for _, text in top.each_line(key, limit, most)))
