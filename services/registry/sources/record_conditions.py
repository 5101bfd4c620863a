"""Chooses the conditions of a trial from what a record gives: condition texts, MeSH terms, and titles."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.registry.model.trial import MAX_LINE, Condition
from services.registry.scope import diseases
from services.registry.terminology.conditions import (
    MappedCondition,
    general_codes,
    group_codes,
    is_general,
    map_condition,
)
from services.registry.terminology.terminology import Terminology
from services.registry.terminology.titles import diseases_of_title

# A code of a wider disease must not replace a text that names one of its forms.
_SPECIFIC: Final = frozenset(("narrower", "other_disease"))


@dataclass(frozen=True, slots=True)
class MeshTerm:
    """A MeSH descriptor of a record. ``code``: ``MESH:D002836``, or None where the record gives only the term."""

    code: str | None
    term: str


def record_conditions(
    texts: Sequence[str], meshes: Sequence[MeshTerm], titles: Sequence[str], terminology: Terminology
) -> list[Condition]:
    """Return the conditions of a record.

    Where its texts name no known disease, or only general ones, its MeSH terms do, and else a title that names exactly
    one; such conditions are marked ``inferred``. A general condition beside a disease ("Autoimmune Diseases") is only
    related.
    """
    signs = diseases.table()
    targets = [text for text in texts if signs.is_condition(text)]
    mapped = {text: map_condition(text, terminology) for text in targets}
    found = [one for text in texts for one in _of_text(text, mapped.get(text))]
    named = {code for one in mapped.values() for code in one.codes}
    if not any(one.outcome in _SPECIFIC for one in mapped.values()):
        added = _of_meshes(meshes, named, terminology) if not _all_mapped(mapped) else []
        if not added:
            added = _of_titles(titles, named, terminology)
        known = {condition.code for condition in found}
        found += [condition for condition in added if condition.code not in known]
    return list(dict.fromkeys(_without_general(found, terminology)))


def _all_mapped(mapped: dict[str, MappedCondition]) -> bool:
    return bool(mapped) and all(one.codes and not one.partial for one in mapped.values())


def _of_text(text: str, mapped: MappedCondition | None) -> list[Condition]:
    """Return a condition for each disease that a text names, and one without code for what is not recognised in it."""
    if mapped is None:
        return [Condition(text=text, role="related")]
    found = [Condition(code=code, text=text) for code in mapped.codes]
    return found if found and not mapped.partial else [*found, Condition(text=text)]


def _of_meshes(meshes: Sequence[MeshTerm], named: set[str], terminology: Terminology) -> list[Condition]:
    """Return the diseases of the MeSH terms, but for those that are wider than a disease named already."""
    found: list[Condition] = []
    for mesh in meshes:
        concept = terminology.concept(mesh.code) if mesh.code is not None else None
        code = concept.code if concept is not None else map_condition(mesh.term, terminology).code
        if code is None or (named and code in general_codes(terminology) | group_codes(terminology)):
            continue
        related = {code, *terminology.same_as(code)}
        if not any(related & {one, *terminology.same_as(one), *terminology.ancestors(one)} for one in named):
            found.append(Condition(code=code, text=mesh.term[:MAX_LINE], inferred="mesh"))
    return found


def _of_titles(titles: Sequence[str], coded: set[str], terminology: Terminology) -> list[Condition]:
    """Return the disease that the titles name; if the second title names a form of it, that form.

    Beside coded conditions it counts only where these are general, or groups of which it is a form.
    """
    general, groups = general_codes(terminology), group_codes(terminology)
    if not coded <= general | groups:
        return []
    named = [diseases_of_title(title, terminology) for title in titles]
    found = list(next((one for one in named if one), ()))
    if len(found) == 1:
        for others in named:
            if len(others) == 1 and found[0].code in terminology.ancestors(others[0].code):
                found = list(others)
    if coded and any(one.code in general for one in found):
        return []
    return [
        Condition(code=one.code, text=one.text[:MAX_LINE], inferred="title")
        for one in found
        if (coded & groups) <= terminology.ancestors(one.code)
    ]


def _without_general(conditions: list[Condition], terminology: Terminology) -> list[Condition]:
    """Return the conditions, with those that say little beside another one as ``related``."""
    signs = diseases.table()
    general, groups = general_codes(terminology), group_codes(terminology)
    targets = [one for one in conditions if one.role == "target"]
    specific = [
        one
        for one in targets
        if not is_general(one.text)
        and one.code not in general
        and (one.code is not None or signs.read(one.text, terminology).verdict not in diseases.NOT_RECOGNISED)
    ]

    def says_little(one: Condition) -> bool:
        if is_general(one.text) or one.code in general:
            return bool(specific)
        return one.code in groups and any(
            other.code is not None and one.code in terminology.ancestors(other.code) for other in specific
        )

    return [
        one.model_copy(update={"role": "related"}) if one.role == "target" and says_little(one) else one
        for one in conditions
    ]
