"""Lists of codes with names or other codes (ATC, LOINC, HGNC, CCAM, UCD, CIP), and a hospital's own code map."""

import csv
import re
from collections.abc import Callable, Iterable

from services.registry.terminology.releases.draft import Draft
from shared.terminology.codes import from_system, read_code

# A local code has a prefix of its own, so that it cannot be taken for a code of a known system.
_LOCAL = re.compile(r"[A-Za-z0-9]{2,12}:[A-Za-z0-9_.\-/]{1,64}")
_RELATIONS = {"same": "same", "exact": "same", "equivalent": "same", "narrower": "narrower", "broader": "broader"}
_SAME, _NARROWER = "same", "narrower"
Row = dict[str, str]


def rows_of(lines: Iterable[str]) -> Iterable[Row]:
    """Yield the rows of a list with commas, semicolons or tabs; column names in lower case."""
    given = list(lines)
    first = given[0] if given else ""
    separator = max("\t;,", key=first.count)
    for row in csv.DictReader(given, delimiter=separator):
        yield {name.strip().lower(): (value or "").strip() for name, value in row.items() if isinstance(name, str)}


def names(system: str, code: str, *labels: tuple[str, str], synonyms: str = "") -> Callable[[Iterable[str]], Draft]:
    """Return a reader of a list of codes. ``labels``: pairs of a language and the column with the label."""

    def read(lines: Iterable[str]) -> Draft:
        draft = Draft()
        for row in rows_of(lines):
            found = from_system(system, row.get(code, ""))
            if found is None:
                draft.unreadable += 1
                continue
            for language, column in labels:
                if row.get(column):
                    draft.name(found, language, row[column], filter(None, (row.get(synonyms, ""),)))
        return draft

    return read


def to_atc(system: str, code: str, atc: str, label: str) -> Callable[[Iterable[str]], Draft]:
    """Return a reader of presentations of medicines with their ATC code, which is more general."""

    def read(lines: Iterable[str]) -> Draft:
        draft = Draft()
        for row in rows_of(lines):
            one, other = from_system(system, row.get(code, "")), from_system("ATC", row.get(atc, ""))
            if one is None or other is None:
                draft.unreadable += 1
                continue
            draft.broader.append((one, other))
            if row.get(label):
                draft.name(one, "fr", row[label])
        return draft

    return read


def read_code_map(lines: Iterable[str]) -> Draft:
    """Read a hospital's map: columns ``local`` and ``standard``, and if need be ``relation`` and ``label``.

    ``local`` is written ``SYSTEM:code`` with a prefix of the hospital's own. ``relation`` says what the local code is:
    ``same`` (default), ``narrower`` or ``broader`` than the standard one.
    """
    draft = Draft()
    for row in rows_of(lines):
        local, standard = row["local"], read_code(row["standard"])
        relation = _RELATIONS.get(row.get("relation") or _SAME)
        if standard is None or relation is None or not _LOCAL.fullmatch(local) or read_code(local) is not None:
            draft.unreadable += 1
            continue
        if relation == _SAME:
            draft.same.append((standard, local))
        else:
            draft.broader.append((local, standard) if relation == _NARROWER else (standard, local))
        if row.get("label"):
            draft.name(local, "fr", row["label"])
    return draft
