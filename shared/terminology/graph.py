"""The relations between codes: the same, more general, exclusive, and whether one code could be another."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from shared.terminology.codes import kinds_of
from shared.terminology.hierarchy import CodeHierarchy, category
from shared.terminology.systems import ANY, Kind

StateKind = Literal["permanent", "persists", "passing", "exposure", "event"]
Links = Mapping[str, Collection[str]]
_NONE: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class State:
    """How long a state lasts once it was seen. ``longest``: the longest plausible duration of a passing one (ISO)."""

    kind: StateKind
    longest: str | None = None


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
        """``children``: narrower codes; ``covers``: systems whose codes for the concept are all among its children.

        ``uncertain``: codes that may or may not be the concept; ``codes``: known codes without any link.
        """
        self._node: dict[str, int] = {}
        self._members: list[tuple[str, ...]] = []
        links = [links for links in (parents, children, exclusive_with, uncertain) if links]
        self._add_nodes(same_as or {}, codes, links, (covers or {}, states or {}))
        mentioned = (code for code in self._node if "-" in code and code.startswith("ICD10:"))
        self._hierarchy = CodeHierarchy(code.removeprefix("ICD10:") for code in mentioned)
        self._parents: list[tuple[int, ...]] = [()] * len(self._members)
        self._link(parents or {}, children or {})
        self._exclusive = self._both_ways(exclusive_with or {})
        self._covers = self._by_node(covers or {})
        self._uncertain = self._by_node(uncertain or {})
        self._states = {self._node[code]: state for code, state in (states or {}).items()}
        self._kinds_of_own = self._own_kinds(parents or {}, children or {})
        self._places: dict[str, _Place] = {}

    def __contains__(self, code: object) -> bool:
        return code in self._node

    def __len__(self) -> int:
        """Return the number of known codes."""
        return len(self._node)

    def __iter__(self) -> Iterator[str]:
        return iter(self._node)

    def same(self, code: str) -> frozenset[str]:
        """Return the code and its equivalents in other systems."""
        node = self._node.get(code)
        return frozenset((code,) if node is None else self._members[node])

    def above(self, code: str) -> frozenset[str]:
        """Return the code, its equivalents and all their ancestors."""
        codes, nodes = self._walk(code)
        return frozenset((*codes, *(member for node in nodes for member in self._members[node])))

    def excludes(self, code: str) -> frozenset[str]:
        """Return the concepts that a patient with this code certainly does not have, without their descendants."""
        if not self._exclusive:
            return _NONE
        others = {other for node in self._walk(code)[1] for other in self._exclusive.get(node, ())}
        return frozenset(member for node in others for member in self._members[node])

    def understands(self, code: str) -> bool:
        """Return whether the code is known, or placed by the hierarchy of its system (ICD-10, ATC)."""
        return code in self._node or self._hierarchy.places(code)

    def state_of(self, code: str) -> State | None:
        """Return the kind of state that the nearest concept at or above the code declares; None where none does."""
        level = set(self._walk(code, steps=0)[1])
        seen = set(level)
        while level:
            stated = [self._states[node] for node in level if node in self._states]
            if stated:
                return min(stated, key=lambda state: (state.kind, state.longest or ""))
            level = {parent for node in level for parent in self._parents[node]} - seen
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
        return frozenset(kind for member in self._members[node] for kind in kinds_of(member)) or (
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
        by_system: dict[str, list[str]] = {}
        for code in above:
            by_system.setdefault(code.partition(":")[0], []).append(code)
        nearest = {}
        for system, placed in by_system.items():
            wider = [self.above(code) - self.same(code) for code in placed] if len(placed) > 1 else []
            nearest[system] = frozenset(code for code in placed if not any(code in more for more in wider))
        covering: dict[str, list[str]] = {}
        for node in nodes:
            for system in self._covers.get(node, ()):
                covering.setdefault(system, []).append(self._members[node][0])
        own = self._node.get(asked)
        uncertain = frozenset(self._uncertain.get(own, ())) if own is not None else _NONE
        return _Place(above, self.kinds(asked), nearest, covering, uncertain)

    def _walk(self, code: str, steps: int | None = None) -> tuple[list[str], list[int]]:
        """Return what is at and above a code: codes that are not known, then known nodes, each once.

        ``steps``: 0 to stop at the first known nodes.
        """
        outside: list[str] = []
        waiting: list[int] = []
        node = self._node.get(code)
        if node is not None:
            waiting.append(node)
        else:
            unknown = [code]
            while unknown:
                current = unknown.pop()
                outside.append(current)
                for parent in self._hierarchy.parents(current):
                    known = self._node.get(parent)
                    if known is not None:
                        waiting.append(known)
                    elif parent not in outside:
                        unknown.append(parent)
        if steps == 0:
            return outside, waiting
        seen = set(waiting)
        for place in waiting:  # grows while it is read
            for above in self._parents[place]:
                if above not in seen:
                    seen.add(above)
                    waiting.append(above)
        return outside, list(seen)

    def _add_nodes(
        self, same_as: Links, codes: Iterable[str], links: list[Links], keyed: tuple[Mapping[str, object], ...]
    ) -> None:
        node, members = self._node, self._members
        for code, others in same_as.items():
            joined = dict.fromkeys((code, *others))
            nodes = {node[one] for one in joined if one in node}
            for old in nodes:
                joined.update(dict.fromkeys(members[old]))
                members[old] = ()
            place = min(nodes, default=len(members))
            if place == len(members):
                members.append(())
            members[place] = tuple(joined)
            for one in joined:
                node[one] = place
        for code in (*codes, *(code for table in keyed for code in table), *_mentioned(links)):
            if code not in node:
                node[code] = len(members)
                members.append((code,))

    def _link(self, parents: Links, children: Links) -> None:
        for code, above in parents.items():
            self._add_parents(self._node[code], [self._node[parent] for parent in above])
        for code, below in children.items():
            for child in below:
                self._add_parents(self._node[child], [self._node[code]])
        for code in self._node.copy():
            self._link_by_form(code)

    def _link_by_form(self, code: str) -> None:
        """Link a code to its parents by its form, which become known with it."""
        for parent in self._hierarchy.parents(code):
            known = parent in self._node
            if not known:
                self._node[parent] = len(self._members)
                self._members.append((parent,))
                self._parents.append(())
            self._add_parents(self._node[code], [self._node[parent]])
            if not known:
                self._link_by_form(parent)

    def _add_parents(self, node: int, parents: list[int]) -> None:
        present = self._parents[node]
        self._parents[node] = tuple(dict.fromkeys((*present, *(one for one in parents if one != node))))

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

    def _own_kinds(self, parents: Links, children: Links) -> dict[int, frozenset[Kind]]:
        found: dict[int, set[Kind]] = {}
        pairs = [(code, other) for links in (parents, children) for code, others in links.items() for other in others]
        for one, other in (*pairs, *((other, one) for one, other in pairs)):
            if one.startswith("CLEIO:"):
                found.setdefault(self._node[one], set()).update(kinds_of(other))
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
        self._systems = {same.partition(":")[0] for same in terminology.same(code)}
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
        if self._systems == {"CLEIO"}:
            return False  # all links of our own concepts are known
        for system in self._systems:
            if any(concept not in self.above for concept in place.covering.get(system, ())):
                return False
            nearest = place.nearest.get(system)
            if nearest is not None and nearest.isdisjoint(self.above):
                return False
        # Codes of ICD-10-CM have their place in ICD-10 by their category alone.
        return self._category is None or self._category.could_be(asked)


def _mentioned(links: Iterable[Links]) -> Iterator[str]:
    for table in links:
        for code, others in table.items():
            yield code
            yield from others
