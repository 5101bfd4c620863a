"""Builds the graph of codes: nodes of codes for one thing, with links to the nodes of more general things."""

from collections.abc import Collection, Iterable, Mapping
from itertools import pairwise

from shared.terminology.hierarchy import CodeHierarchy

Links = Mapping[str, Collection[str]]


class Nodes:
    """Nodes and their parents, by number. Codes of one node are the same thing. Grows, and is then only read.

    ``number``: the node of each code; ``members``: the codes of each node; ``parents``: its parents.
    """

    def __init__(self) -> None:
        self.number: dict[str, int] = {}
        self.members: list[tuple[str, ...]] = []
        self.parents: list[tuple[int, ...]] = []
        self.hierarchy = CodeHierarchy()
        self._linked = False

    def add(self, code: str) -> int:
        """Return the node of a code, a new one if it has none."""
        node = self.number.get(code)
        if node is None:
            node = self.number[code] = len(self.members)
            self.members.append((code,))
            self.parents.append(())
        return node

    def add_class(self, codes: Iterable[str]) -> None:
        """Add a node of codes that have none yet."""
        members = tuple(codes)
        node = len(self.members)
        self.number.update(dict.fromkeys(members, node))
        self.members.append(members)
        self.parents.append(())

    def join(self, codes: Iterable[str]) -> None:
        """Make one node of several codes and of the nodes that they have; quick only before any link."""
        first, *others = dict.fromkeys(self.add(code) for code in codes)
        for other in others:
            for code in self.members[other]:
                self.number[code] = first
            self.members[first] += self.members[other]
            self._add_parents(first, self.parents[other])
            self.members[other], self.parents[other] = (), ()
        if others and self._linked:
            moved = frozenset(others)
            for node, parents in enumerate(self.parents):
                if not moved.isdisjoint(parents):
                    self.parents[node] = ()
                    self._add_parents(node, tuple(first if one in moved else one for one in parents))

    def detach(self, code: str) -> None:
        """Give a code that shares its node a new one without links."""
        old = self.number[code]
        self.members[old] = tuple(other for other in self.members[old] if other != code)
        del self.number[code]
        self.add(code)

    def link(self, code: str, *parents: str) -> None:
        """Add more general codes."""
        self._linked = True
        number = self.number  # a start adds 100,000 links
        found = tuple([number[parent] if parent in number else self.add(parent) for parent in parents])
        node = self.add(code)
        if self.parents[node] or node in found:
            self._add_parents(node, found)
        else:
            self.parents[node] = found

    def link_by_form(self) -> None:
        """Link codes of ICD-10 and ATC to their parents, which become known with them."""
        ranges = (code[6:] for code in self.number if code.startswith("ICD10:") and code[9:10] == "-")
        self.hierarchy = CodeHierarchy(ranges)
        for code in [code for code in self.number if code.startswith(("ICD10", "ATC:"))]:
            self._link_by_form(code)

    def _link_by_form(self, code: str) -> None:
        for parent in self.hierarchy.parents(code):
            known = parent in self.number
            self.link(code, parent)
            if not known:
                self._link_by_form(parent)

    def cut(self, ways: Iterable[tuple[str, str]], trusted: Iterable[tuple[str, str]]) -> int:
        """Remove links until no way leads up from the first code of a pair to the second; return how many.

        Links of trusted pairs of a code and its parent stay.
        """
        kept = {(self.number[code], self.number[parent]) for code, parent in trusted}
        removed = 0
        for start, end in ways:
            while path := self._path(self.number[start], self.number[end]):
                step = next((step for step in pairwise(path) if step not in kept), None)
                if step is None:
                    break
                self.parents[step[0]] = tuple(one for one in self.parents[step[0]] if one != step[1])
                removed += 1
        return removed

    def is_above(self, code: str, other: str) -> bool:
        """Return whether the first code is at or above the second one."""
        return bool(self._path(self.add(other), self.add(code)))

    def above(self, start: Iterable[int]) -> list[int]:
        """Return nodes and all that is above them, each once."""
        found = list(dict.fromkeys(start))
        seen = set(found)
        for node in found:  # grows while it is read
            for parent in self.parents[node]:
                if parent not in seen:
                    seen.add(parent)
                    found.append(parent)
        return found

    def _path(self, start: int, end: int) -> list[int]:
        """Return the nodes of a way up from ``start`` to ``end``; empty where there is none."""
        came_from = {start: start}
        waiting = [start]
        for node in waiting:
            if node == end:
                path = [node]
                while path[-1] != start:
                    path.append(came_from[path[-1]])
                return path[::-1]
            for parent in self.parents[node]:
                if parent not in came_from:
                    came_from[parent] = node
                    waiting.append(parent)
        return []

    def _add_parents(self, node: int, parents: Iterable[int]) -> None:
        present = self.parents[node]
        self.parents[node] = tuple(dict.fromkeys((*present, *(one for one in parents if one != node))))
