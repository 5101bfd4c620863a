"""MONDO: the ontology as JSON of the package `cellxgene-ontology-guide`, and its maps to other systems (SSSOM)."""

import csv
import json
from collections.abc import Iterable

from services.registry.terminology.releases.draft import Draft
from shared.terminology.codes import read_code

_ANIMAL_DISEASES = "MONDO:0005583"
# Not of diseases: types of evidence and inheritance, qualifiers and modifiers.
_CHARACTERISTIC = "MONDO:0021125"
_RELATIONS = {"skos:exactMatch": "same", "skos:broadMatch": "broader", "skos:narrowMatch": "narrower"}


def read_ontology(text: str) -> Draft:
    """Read the human diseases: label, synonyms, direct parents, and what replaced a former code."""
    terms = json.loads(text)
    draft = Draft()
    for code, term in terms.items():
        ancestors = term.get("ancestors") or {}
        if term.get("deprecated"):
            if term.get("replaced_by"):
                draft.add(draft.replaced, code, term["replaced_by"])
        elif not {_ANIMAL_DISEASES, _CHARACTERISTIC} & {code, *ancestors}:
            draft.name(code, "en", term["label"], term.get("synonyms") or ())
            for parent in sorted(parent for parent, distance in ancestors.items() if distance == 1):
                draft.add(draft.broader, code, parent)
    return draft


def read_sssom(lines: Iterable[str]) -> Draft:
    """Read a map in SSSOM: exact matches, and matches with a broader or narrower object.

    A range of categories as the broader object (``ICD10CM:I00-I99``) says nothing of single diseases and is left out.
    """
    draft = Draft()
    for row in csv.DictReader((line for line in lines if not line.startswith("#")), delimiter="\t"):
        relation = _RELATIONS.get(row["predicate_id"])
        subject, other = row["subject_id"], row["object_id"]
        if relation == "same":
            draft.add(draft.same, subject, other)
        elif relation is not None and not is_range(other):
            pair = (subject, other) if relation == "broader" else (other, subject)
            draft.add(draft.broader, *pair)
    return draft


def is_range(text: str) -> bool:
    """Return whether a code is a range of categories of ICD-10."""
    code = read_code(text)
    return code is not None and code.startswith("ICD10") and "-" in code
