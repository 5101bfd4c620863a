"""The relations between codes: the same, more general, exclusive, and whether one code could be another."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from shared.terminology.codes import kinds_of
from shared.terminology.hierarchy import category
from shared.terminology.nodes import Links, Nodes
from shared.terminology.systems import ANY, Kind

StateKind = Literal["permanent", "persists", "passing", "exposure", "event"]
OWN: Final = "CLEIO:"
_NONE: Final[frozenset[str]] = frozenset()

_LONGEST_FIRST: Final[tuple[StateKind, ...]] = ("permanent", "persists", "passing", "event", "exposure")


@dataclass(frozen=True, slots=True)
class State:
    """How long a state lasts once it was seen. ``longest``: the longest plausible duration of a passing one (ISO)."""

    kind: StateKind
    longest: str | None = None


@dataclass(frozen=True, slots=True)
class Properties:
    """What concepts declare beside their place, by code.

    ``exclusive_with``: codes that a patient cannot have together with this one, in both directions. ``covers``: systems
    whose codes for the concept, and for all that is narrower, are all below it. ``coded``: codes of ICD-10 that mean
    the concept, while narrower ones may have their place elsewhere. ``uncertain``: codes that may be the concept.
    """

    exclusive_with: Links = field(default_factory=dict)
    covers: Links = field(default_factory=dict)
    coded: Links = field(default_factory=dict)
    uncertain: Links = field(default_factory=dict)
    states: Mapping[str, State] = field(default_factory=dict)


class Terminology:
    """The codes of one version of the terminology and the links between them. Immutable.

    Codes that are the same share a node; parents are links between nodes. The hierarchies of ICD-10 and ATC follow from
    the codes, known or not. Nothing that was asked is kept, for a code may come from a patient; only what concerns the
    codes that criteria ask for (``asked``) is, and only if they are known.
    """

    def __init__(
        self,
        parents: Links | None = None,
        same_as: Links | None = None,
        exclusive_with: Links | None = None,
        *,
        children: Links | None = None,
        covers: Links | None = None,
        uncertain: Links | None = None,
        states: Mapping[str, State] | None = None,
        codes: Iterable[str] = (),
    ) -> None:
        """Build a small terminology from links. ``children``: narrower codes; ``codes``: known codes without a link.

        The other parameters are those of `Properties`.
        """
        nodes = Nodes()
        for code in codes:
            nodes.add(code)
        for code, others in (same_as or {}).items():
            nodes.join((code, *others))
        for code, above in (parents or {}).items():
            for parent in above:
                nodes.link(code, parent)
        for code, below in (children or {}).items():
            for child in below:
                nodes.link(child, code)
        properties = Properties(exclusive_with or {}, covers or {}, {}, uncertain or {}, states or {})
        self._set(nodes, properties)

    @classmethod
    def of(cls, nodes: Nodes, properties: Properties) -> "Terminology":
        """Return the terminology of nodes, which must not change any more."""
        made = cls()
        made._set(nodes, properties)
        return made

    def _set(self, nodes: Nodes, properties: Properties) -> None:
        self.nodes = nodes
        self.properties = properties
        for code, others in properties.coded.items():
            for other in others:
                nodes.link(other, code)
        for links in (properties.exclusive_with, properties.uncertain):
            for code, others in links.items():
                for other in (code, *others):
                    nodes.add(other)
        for code in (*properties.covers, *properties.states):
            nodes.add(code)
        nodes.link_by_form()
        self._node = nodes.number
        self._exclusive = self._both_ways(properties.exclusive_with)
        self._covers = self._by_node(properties.covers)
        self._coded = self._by_node(properties.coded)
        self._uncertain = self._by_node(properties.uncertain)
        self._states = {self._node[code]: state for code, state in properties.states.items()}
        self._kinds_of_own = self._own_kinds()
        self._places: dict[str, _Place] = {}

    def __contains__(self, code: object) -> bool:
        """Return whether the code is understood."""
        return isinstance(code, str) and self.understands(code)

    def __len__(self) -> int:
        """Return the number of known codes."""
        return len(self._node)

    def same(self, code: str) -> frozenset[str]:
        """Return the code and its equivalents in other systems."""
        node = self._node.get(code)
        return frozenset((code,) if node is None else self.nodes.members[node])

    def above(self, code: str) -> frozenset[str]:
        """Return the code, its equivalents and all their ancestors."""
        codes, nodes = self._walk(code)
        return frozenset((*codes, *(member for node in nodes for member in self.nodes.members[node])))

    def parents(self, code: str) -> frozenset[str]:
        """Return the first code of each direct parent of a known code."""
        return frozenset(self.nodes.members[parent][0] for parent in self.nodes.parents[self._node[code]])

    def excludes(self, code: str) -> frozenset[str]:
        """Return the concepts that a patient with this code certainly does not have, without their descendants."""
        if not self._exclusive:
            return _NONE
        others = {other for node in self._walk(code)[1] for other in self._exclusive.get(node, ())}
        return frozenset(member for node in others for member in self.nodes.members[node])

    def understands(self, code: str) -> bool:
        """Return whether the code is known, or placed by the hierarchy of its system (ICD-10, ATC)."""
        return code in self._node or self.nodes.hierarchy.places(code)

    def state_of(self, code: str) -> State | None:
        """Return the kind of state that the nearest concept at or above the code declares; None where none does."""
        level = set(self._first(code)[1])
        seen = set(level)
        while level:
            stated = [self._states[node] for node in level if node in self._states]
            if stated:
                return min(stated, key=lambda state: (_LONGEST_FIRST.index(state.kind), state.longest or ""))
            level = {parent for node in level for parent in self.nodes.parents[node]} - seen
            seen |= level
        return None

    def could_be(self, code: str, asked: str) -> bool:
        """Return whether a fact with ``code`` could be ``asked`` although no link says so.

        It could not where the code is known and means another kind of thing, or where a system of the code has a place
        for ``asked`` that the code is not in. See `docs/eligibility.md`.
        """
        return self.candidate(code).could_be(asked)

    def candidate(self, code: str) -> "Candidate":
        """Return a code of a fact, ready to be compared with many codes of criteria."""
        return Candidate(self, code)

    def kinds(self, code: str) -> frozenset[Kind]:
        """Return what the code and its equivalents can mean; empty: anything.

        An own concept is what its direct links to other systems are.
        """
        node = self._node.get(code)
        if node is None:
            return kinds_of(code)
        return frozenset(kind for member in self.nodes.members[node] for kind in kinds_of(member)) or (
            self._kinds_of_own.get(node, ANY)
        )

    def place(self, asked: str) -> "_Place":
        """Return where the systems have the code of a criterion."""
        found = self._places.get(asked)
        if found is None:
            found = self._placed(asked)
            if asked in self._node:
                self._places[asked] = found
        return found

    def _placed(self, asked: str) -> "_Place":
        nodes = self._walk(asked)[1]
        above = self.above(asked)
        own = self._node.get(asked, -1)
        by_system: dict[str, set[str]] = {}
        for code in above:
            by_system.setdefault(_system(code), set()).add(code)
        # A code of ICD-10 for the concept itself is its place there; that of a wider concept is none.
        coded = self._coded.get(own, ())
        by_system |= {system: {code for code in coded if _system(code) == system} for system in map(_system, coded)}
        if wider := {found for found in map(category, coded) if found is not None}:
            by_system.setdefault("ICD10", wider)
        nearest = {}
        for system, placed in by_system.items():
            wider_ones = [self.above(code) - self.same(code) for code in placed] if len(placed) > 1 else []
            nearest[system] = frozenset(code for code in placed if not any(code in more for more in wider_ones))
        covering: dict[str, list[str]] = {}
        uncertain: set[str] = set()
        for node in nodes:
            uncertain.update(self._uncertain.get(node, ()))
            for system in self._covers.get(node, ()):
                covering.setdefault(system, []).append(self.nodes.members[node][0])
        return _Place(above, self.kinds(asked), nearest, covering, frozenset(uncertain))

    def _first(self, code: str) -> tuple[list[str], list[int]]:
        """Return the code and what is above it by form until codes are known, and the nodes of these."""
        node = self._node.get(code)
        if node is not None:
            return [], [node]
        outside, first = [code], []
        for current in outside:  # grows while it is read
            for parent in self.nodes.hierarchy.parents(current):
                known = self._node.get(parent)
                if known is not None:
                    first.append(known)
                elif parent not in outside:
                    outside.append(parent)
        return outside, first

    def _walk(self, code: str) -> tuple[list[str], list[int]]:
        """Return what is at and above a code: codes that are not known, and nodes, each once."""
        outside, first = self._first(code)
        return outside, self.nodes.above(first)

    def _both_ways(self, links: Links) -> dict[int, set[int]]:
        both: dict[int, set[int]] = {}
        for code, others in links.items():
            for other in others:
                both.setdefault(self._node[code], set()).add(self._node[other])
                both.setdefault(self._node[other], set()).add(self._node[code])
        return both

    def _by_node(self, values: Links) -> dict[int, set[str]]:
        found: dict[int, set[str]] = {}
        for code, several in values.items():
            found.setdefault(self._node[code], set()).update(several)
        return found

    def _own_kinds(self) -> dict[int, frozenset[Kind]]:
        """Return the kinds of the direct neighbours of nodes that have only codes of our own."""
        members, found = self.nodes.members, dict[int, set[Kind]]()
        own = {number for code, number in self._node.items() if code.startswith(OWN)}
        for node, parents in enumerate(self.nodes.parents):
            for parent in parents if node in own else own.intersection(parents):
                one, other = (node, parent) if node in own else (parent, node)
                found.setdefault(one, set()).update(kind for code in members[other] for kind in kinds_of(code))
        return {node: frozenset(kinds) for node, kinds in found.items()}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the systems have the code of a criterion.

    ``above``: the code, its equivalents and ancestors; ``nearest``: by system, its codes at or nearest above;
    ``covering``: by system, the concepts at or above whose codes in that system are all known; ``uncertain``: codes
    that may be it.
    """

    above: frozenset[str]
    kinds: frozenset[Kind]
    nearest: Mapping[str, frozenset[str]]
    covering: Mapping[str, Collection[str]]
    uncertain: frozenset[str]


class Candidate:
    """A code of a fact, to be compared with codes of criteria. It may live as long as one match."""

    __slots__ = ("_category", "_code", "_kinds", "_systems", "_terminology", "_understood", "above")

    def __init__(self, terminology: Terminology, code: str) -> None:
        self._terminology = terminology
        self._code = code
        self.above = terminology.above(code)
        """The code, its equivalents and all their ancestors."""
        self._understood = terminology.understands(code)
        self._kinds = terminology.kinds(code)
        self._systems = set(map(_system, terminology.same(code)))
        wider = category(code)
        self._category = Candidate(terminology, wider) if wider else None

    def could_be(self, asked: str) -> bool:
        """Return whether this code could be ``asked`` although no link says so."""
        place = self._terminology.place(asked)
        if asked in self.above or self._code in place.above or not place.uncertain.isdisjoint(self.above):
            return True
        if self._kinds and place.kinds and self._kinds.isdisjoint(place.kinds):
            return False
        if not self._understood:
            return True
        if self._code.startswith(OWN) and len(self._systems) == 1:
            return False  # all links of our own concepts are known
        for system in self._systems:
            if any(concept not in self.above for concept in place.covering.get(system, ())):
                return False
            nearest = place.nearest.get(system)
            if nearest is not None and nearest.isdisjoint(self.above):
                return False
        # Codes of ICD-10-CM have their place in ICD-10 by their category alone.
        return self._category is None or self._category.could_be(asked)


def _system(code: str) -> str:
    return code[: code.find(":")]
