"""Ontologies in OBO format (HPO, MONDO), and translations of their names (Babelon, and the list of French synonyms)."""

import csv
import re
from collections.abc import Iterable

from services.registry.terminology.releases.draft import Draft
from shared.terminology.codes import read_code

_SYNONYM = re.compile(r'"((?:[^"\\]|\\.)*)" EXACT(.*)')
_EQUIVALENT = "MONDO:equivalentTo"
_LABELS = {"rdfs:label", "skos:prefLabel"}
_ROOTS = {"HP:0000001"}


def read_obo(lines: Iterable[str]) -> Draft:
    """Read the terms: name, exact synonyms, parents, former codes, and equivalents that MONDO states."""
    draft = Draft()
    term: dict[str, list[str]] = {}
    for line in (*lines, "[End]"):
        if line.startswith("["):
            _add(draft, term)
            term = {"": []} if line.startswith("[Term]") else {}
        elif ": " in line and "" in term:
            key, _, value = line.rstrip("\n").partition(": ")
            term.setdefault(key, []).append(value)
    return draft


def _add(draft: Draft, term: dict[str, list[str]]) -> None:
    code = read_code(term["id"][0]) if term.get("id") else None
    if code is None:
        return
    if term.get("is_obsolete") == ["true"]:
        for other in term.get("replaced_by", ()):
            draft.add(draft.replaced, code, other)
        return
    found = [match for match in map(_SYNONYM.match, term.get("synonym", ())) if match]
    synonyms = [match.group(1).replace('\\"', '"') for match in found if "layperson" not in match.group(2)]
    draft.name(code, "en", term["name"][0], synonyms)
    for value in term.get("is_a", ()):
        parent = value.split(" ", 1)[0]
        if parent not in _ROOTS:
            draft.add(draft.broader, code, parent)
    for former in term.get("alt_id", ()):
        draft.add(draft.replaced, former, code)
    for value in term.get("xref", ()):
        if _EQUIVALENT in value:
            draft.add(draft.same, code, value.split(" ", 1)[0])


def read_babelon(lines: Iterable[str]) -> Draft:
    """Read the translated labels of an ontology; definitions are left out."""
    draft = Draft()
    for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
        code = read_code(row["subject_id"])
        if code is not None and row["predicate_id"] in _LABELS and row["translation_value"]:
            draft.name(code, row["translation_language"], row["translation_value"])
    return draft


def read_french_synonyms(lines: Iterable[str]) -> Draft:
    """Read the list of French synonyms that HPO publishes beside its labels."""
    draft = Draft()
    for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
        code = read_code(row["subject_id"])
        if code is not None and row["translation_value"]:
            draft.name(code, "fr", "", (row["translation_value"],))
    return draft
