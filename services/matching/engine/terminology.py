"""Relations between codes: same as, parent of, exclusive with."""

from collections.abc import Collection, Mapping


class Terminology:
    """The relations between the codes of one version of the terminology.

    Same-as links are symmetric and chain with parent links: the parent of an equivalent is a parent.
    """

    def __init__(
        self,
        parents: Mapping[str, Collection[str]] | None = None,
        same_as: Mapping[str, Collection[str]] | None = None,
        exclusive_with: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        self._parents = parents or {}
        self._same = _both_ways(same_as or {})
        self._exclusive = _both_ways(exclusive_with or {})
        self._above: dict[str, frozenset[str]] = {}
        self._equivalents: dict[str, frozenset[str]] = {}

    def same(self, code: str) -> frozenset[str]:
        """Return the code and its equivalents in other systems."""
        if code not in self._same:
            # Not kept: it may be any code of any patient.
            return frozenset({code})
        if code not in self._equivalents:
            self._equivalents[code] = _closure(code, self._same)
        return self._equivalents[code]

    def above(self, code: str) -> frozenset[str]:
        """Return the code, its equivalents and all their ancestors."""
        if code not in self._same and code not in self._parents:
            return frozenset({code})
        if code not in self._above:
            self._above[code] = _closure(code, self._same, self._parents)
        return self._above[code]

    def excludes(self, code: str) -> frozenset[str]:
        """Return the concepts that a patient with this code certainly does not have, without their descendants."""
        return frozenset(other for general in self.above(code) for other in self._exclusive.get(general, ()))


def _closure(code: str, *links: Mapping[str, Collection[str]]) -> frozenset[str]:
    found, waiting = {code}, [code]
    while waiting:
        current = waiting.pop()
        for link in links:
            for following in link.get(current, ()):
                if following not in found:
                    found.add(following)
                    waiting.append(following)
    return frozenset(found)


def _both_ways(links: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    both: dict[str, set[str]] = {}
    for source, targets in links.items():
        for target in targets:
            both.setdefault(source, set()).add(target)
            both.setdefault(target, set()).add(source)
    return both
