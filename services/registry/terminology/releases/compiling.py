"""Joins the statements of releases into classes of codes for one thing, and an acyclic hierarchy of these classes."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from services.registry.terminology.releases.draft import Draft
from shared.terminology.hierarchy import CodeHierarchy

# A class has at most one code of these systems: two exact matches would join two diseases.
ONE_EACH: Final = frozenset({"MONDO", "ORPHA", "OMIM", "HP"})
# Classifications with one place for each disease. A disease may stand elsewhere than the group it belongs to.
CLASSIFICATIONS: Final = ("ICD10:", "ICD10CM:")
_ORDER: Final = ("ORPHA", "MONDO", "OMIM", "OMIMPS", "ICD10", "ICD10CM", "MESH", "HP")


@dataclass(frozen=True, slots=True)
class CodeClass:
    """Codes for one thing, the preferred first, with the codes of the next more general classes.

    ``coded``: codes of ICD-10 that mean this thing, while narrower diseases may have their place elsewhere.
    """

    codes: tuple[str, ...]
    parents: tuple[str, ...] = ()
    coded: tuple[str, ...] = ()


@dataclass(slots=True)
class Compiled:
    """The classes, sorted; and how many statements were left out, by reason."""

    classes: list[CodeClass]
    left_out: Counter[str] = field(default_factory=Counter)


def compile_classes(draft: Draft) -> Compiled:
    """Join the codes and order the classes.

    A statement counts if it does not contradict an earlier one: a pair that would put two codes of MONDO, Orphanet or
    OMIM into one class, or a parent that would close a cycle, is left out and counted.

    A code of ICD-10 joins its class only where the class has none below it. Else it is narrower: what has the code is
    of the class, but what is of the class need not have its place there (``E74.0`` is Danon disease, a cardiomyopathy
    outside ``I42``).
    """
    return _Compiler(draft).run()


class _Compiler:
    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._class_of: dict[str, int] = {}
        self._members: dict[int, list[str]] = {}
        self._parents: dict[int, list[int]] = {}
        self._coded: dict[int, list[str]] = {}
        self._numbers = count()
        self._left_out: Counter[str] = Counter()

    def run(self) -> Compiled:
        classified = [pair for pair in self._draft.same if pair[1].startswith(CLASSIFICATIONS)]
        for code, other in self._draft.same:
            if not other.startswith(CLASSIFICATIONS):
                self._join(code, other)
        replaced = {former: present for former, present in self._draft.replaced if former not in self._class_of}
        for former in replaced:
            present = self._present(former, replaced)
            if present is not None:
                self._class_of[former] = place = self._place(present)
                self._members[place].append(former)
        for code in sorted(self._draft.codes):
            if not code.startswith(CLASSIFICATIONS):
                self._place(code)
        for code, parent in self._draft.broader:
            self._add_parent(code, parent)
        self._classify(classified)
        return Compiled(sorted(self._classes(), key=lambda one: one.codes), self._left_out)

    def _place(self, code: str) -> int:
        place = self._class_of.get(code)
        if place is None:
            place = self._class_of[code] = next(self._numbers)
            self._members[place] = [code]
        return place

    def _join(self, code: str, other: str) -> None:
        one, two = self._place(code), self._place(other)
        if one == two:
            return
        shared = _limited(self._members[one]) & _limited(self._members[two])
        if shared:
            self._left_out["second code of a system"] += 1
            return
        for moved in self._members[two]:
            self._class_of[moved] = one
        self._members[one] += self._members.pop(two)

    def _present(self, former: str, replaced: dict[str, str]) -> str | None:
        """Follow replacements to a code that is still in use."""
        seen = {former}
        code = replaced[former]
        while code in replaced:
            if code in seen:
                return None
            seen.add(code)
            code = replaced[code]
        return code

    def _add_parent(self, code: str, parent: str) -> None:
        one, two = self._place(code), self._place(parent)
        if one == two or two in self._parents.get(one, ()):
            return
        if one in self._above(two):
            self._left_out["parent that closes a cycle"] += 1
        else:
            self._parents.setdefault(one, []).append(two)

    def _above(self, place: int) -> set[int]:
        seen = {place}
        waiting = [place]
        for current in waiting:
            for parent in self._parents.get(current, ()):
                if parent not in seen:
                    seen.add(parent)
                    waiting.append(parent)
        return seen

    def _classify(self, pairs: Iterable[tuple[str, str]]) -> None:
        with_narrower = {parent for parents in self._parents.values() for parent in parents}
        uses = Counter(other for _, other in pairs)
        for code, other in pairs:
            place = self._place(code)
            if place not in with_narrower and uses[other] == 1 and self._class_of.get(other) is None:
                self._class_of[other] = place
                self._members[place].append(other)
            else:
                self._coded.setdefault(place, []).append(other)

    def _classes(self) -> Iterator[CodeClass]:
        names = {place: tuple(sorted(codes, key=self._rank)) for place, codes in self._members.items()}
        for place, codes in names.items():
            parents = sorted(names[parent][0] for parent in self._parents.get(place, ()))
            yield CodeClass(codes, tuple(parents), tuple(sorted(self._coded.get(place, ()))))

    def _rank(self, code: str) -> tuple[bool, int, str]:
        system = code.partition(":")[0]
        named = any((code, language) in self._draft.labels for language in ("en", "fr"))
        placed = named or not code.startswith(("MONDO:", "HP:"))  # former codes have no name of their own
        return not placed, _ORDER.index(system) if system in _ORDER else len(_ORDER), code


def _limited(codes: Iterable[str]) -> set[str]:
    return {system for system in (code.partition(":")[0] for code in codes) if system in ONE_EACH}


def cycles(classes: Iterable[CodeClass]) -> list[str]:
    """Return the codes of classes that are above themselves, the hierarchy of ICD-10 included."""
    given = list(classes)
    place = {code: number for number, one in enumerate(given) for code in one.codes}
    hierarchy = CodeHierarchy()
    above: dict[str, set[str]] = {}
    for entry in given:
        first = entry.codes[0]
        above.setdefault(first, set()).update(given[place[parent]].codes[0] for parent in entry.parents)
        for code in entry.coded:
            above.setdefault(_first(code, given, place), set()).add(first)
        for code in (*entry.codes, *entry.coded):
            while parents := hierarchy.parents(code):
                one, other = _first(code, given, place), _first(parents[0], given, place)
                above.setdefault(one, set()).update({other} - {one})
                code = parents[0]  # noqa: PLW2901 - the walk upwards
    done: set[str] = set()
    found: list[str] = []
    for start, parents_of_start in above.items():
        path: list[tuple[str, Iterator[str]]] = [(start, iter(parents_of_start))] if start not in done else []
        on_path = {start}
        while path:
            code, parents_left = path[-1]
            parent = next(parents_left, None)
            if parent is None:
                done.add(code)
                on_path.discard(code)
                path.pop()
            elif parent in on_path:
                found.append(parent)
            elif parent not in done:
                on_path.add(parent)
                path.append((parent, iter(above.get(parent, ()))))
    return sorted(set(found))


def _first(code: str, classes: list[CodeClass], place: dict[str, int]) -> str:
    return classes[place[code]].codes[0] if code in place else code
