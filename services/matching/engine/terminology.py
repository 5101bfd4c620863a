"""Relations between codes: same as, parent of, exclusive with."""

from collections.abc import Collection, Mapping


class Terminology:
    """The relations between the codes of one version of the terminology.

    Same-as links are symmetric and chain with parent links: the parent of an equivalent is a parent. Nothing is cached
    here, for a code may come from a patient; `PatientIndex` caches for the time of one match.
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

    def same(self, code: str) -> frozenset[str]:
        """Return the code and its equivalents in other systems."""
        return _closure(code, self._same)

    def above(self, code: str) -> frozenset[str]:
        """Return the code, its equivalents and all their ancestors."""
        return _closure(code, self._same, self._parents)

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
