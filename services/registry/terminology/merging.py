"""Joins the compiled tables and the concepts written by hand into one graph. What is written by hand wins."""

from collections.abc import Collection, Iterable, Sequence

from services.registry.terminology.concept import Concept
from services.registry.terminology.releases.compiling import CLASSIFICATIONS, ONE_EACH, CodeClass
from services.registry.terminology.releases.draft import Draft
from shared.terminology.graph import Properties, Terminology
from shared.terminology.nodes import Nodes


def merge(classes: Iterable[CodeClass], concepts: Sequence[Concept], loaded: Sequence[Draft] = ()) -> Terminology:
    """Return the graph of the classes with the concepts and the loaded releases, the last one loaded first.

    A code that a concept says is the same leaves its class where that has another code of the same system; one that a
    concept says is broader or narrower does not stay in the concept's class. Links that would put a concept above
    itself, or above one that excludes it, are removed.
    """
    nodes = Nodes()
    compiled = list(classes)
    for one in compiled:
        nodes.add_class(one.codes)
    for draft in loaded:
        _join_loaded(nodes, draft)
    _separate(nodes, concepts)
    for concept in concepts:
        if concept.same_as:
            nodes.join((concept.code, *concept.same_as))
        else:
            nodes.add(concept.code)
    for one in compiled:
        if one.parents:
            nodes.link(one.codes[0], *one.parents)
    coded = {one.codes[0]: one.coded for one in compiled if one.coded}
    for draft in loaded:
        for code, parent in draft.broader:
            if nodes.is_above(code, parent):
                continue  # it would close a cycle
            nodes.link(code, parent)
        for code, other in draft.same:
            if other.startswith(CLASSIFICATIONS):
                coded[code] = tuple(dict.fromkeys((*coded.get(code, ()), other)))
    for code, narrower in coded.items():
        for other in narrower:
            nodes.link(other, code)
    by_hand = list(links_of(concepts))
    for code, parent in by_hand:
        nodes.link(code, parent)
    exclusive = [(concept.code, other) for concept in concepts for other in concept.exclusive_with]
    for pair in exclusive:
        for code in pair:
            nodes.add(code)
    upside_down = [(parent, code) for code, parent in by_hand]
    nodes.cut([*upside_down, *exclusive, *((other, code) for code, other in exclusive)], by_hand)
    return Terminology.of(nodes, _properties(coded, concepts))


def _join_loaded(nodes: Nodes, draft: Draft) -> None:
    """Add the codes of a loaded release; join those for one thing where no class gets two codes of a system."""
    for code in sorted(draft.codes):
        nodes.add(code)
    for code, other in (*draft.same, *draft.replaced):
        members = [nodes.members[nodes.number[one]] for one in (code, other)]
        if not other.startswith(CLASSIFICATIONS) and not _systems(members[0]) & _systems(members[1]):
            nodes.join((code, other))


def links_of(concepts: Iterable[Concept]) -> Iterable[tuple[str, str]]:
    """Yield pairs of a code and a more general one."""
    for concept in concepts:
        yield from ((concept.code, parent) for parent in concept.parents)
        yield from ((child, concept.code) for child in concept.children)


def _separate(nodes: Nodes, concepts: Iterable[Concept]) -> None:
    """Take codes out of the classes that contradict a concept."""
    for concept in concepts:
        for other in (*concept.parents, *concept.children):
            if other in nodes.number and nodes.number[other] == nodes.number.get(concept.code):
                nodes.detach(other)
        together = (concept.code, *concept.same_as)
        for code in together:
            if code in nodes.number:
                members = nodes.members[nodes.number[code]]
                strangers = [one for one in members if one not in together]
                if _systems(strangers) & _systems(one for one in together if one not in members):
                    nodes.detach(code)


def _systems(codes: Iterable[str]) -> set[str]:
    return {code.partition(":")[0] for code in codes} & ONE_EACH


def _properties(coded: dict[str, tuple[str, ...]], concepts: Sequence[Concept]) -> Properties:
    def given(name: str) -> dict[str, Collection[str]]:
        return {concept.code: getattr(concept, name) for concept in concepts if getattr(concept, name)}

    return Properties(
        exclusive_with=given("exclusive_with"),
        covers=given("covers"),
        coded=coded,
        uncertain=given("uncertain"),
        states={concept.code: concept.state for concept in concepts if concept.state},
    )
