"""Queries on a terminology that only tests need, answered from its public interface."""

from services.registry.terminology.concept import Concept
from services.registry.terminology.terminology import Terminology


def named(terminology: Terminology, name: str) -> list[Concept]:
    """Return the concepts that have this label or synonym."""
    return [concept for concept in terminology if concept.code in terminology.phrases.exactly(name)]


def descendants(terminology: Terminology, code: str) -> frozenset[str]:
    """Return every code below this one, with the codes declared the same."""
    codes = {same for concept in terminology for same in terminology.same_as(concept.code)}
    return frozenset(other for other in codes if code in terminology.ancestors(other))


def carriers(terminology: Terminology, code: str) -> frozenset[str]:
    """Return the codes that imply this one: itself, the codes declared the same, and all descendants."""
    return terminology.same_as(code) | descendants(terminology, code)


def exclusive_with(terminology: Terminology, code: str) -> frozenset[str]:
    """Return the codes declared exclusive with this one or an ancestor of it, from either side."""
    whole = terminology.same_as(code) | terminology.ancestors(code)
    declared = {other for concept in terminology if concept.code in whole for other in concept.exclusive_with}
    declared |= {concept.code for concept in terminology if whole.intersection(concept.exclusive_with)}
    return frozenset(same for other in declared for same in terminology.same_as(other))
