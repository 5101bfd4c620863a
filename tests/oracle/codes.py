"""The oracle's own terminology: a small dictionary of codes, searched anew for every question."""

from tests.oracle.words import THINGS

KINDS_OF_STATE = ("permanent", "persists", "passing", "event")


def system(code):
    return code.split(":")[0]


class Terminology:
    """A dictionary of codes.

    {code: {"parents": […], "same_as": […], "exclusive_with": […], "covers": [systems], "state": kind,
    "longest": duration, "shows": {concept: (a positive result shows it, a negative one denies it)}}}. Same-as and
    exclusive-with are symmetric. A code that is no key is not understood.
    """

    def __init__(self, concepts):
        self.concepts = concepts
        self.same, self.up, self.memory = {}, {}, {}

    def said(self, code, name, default=()):
        return self.concepts.get(code, {}).get(name) or default

    def same_as(self, code):
        """Return the code and all codes of the same concept, transitively."""
        if code in self.same:
            return self.same[code]
        found = {code}
        grew = True
        while grew:
            grew = False
            for other, concept in self.concepts.items():
                for twin in concept.get("same_as", []):
                    for a, b in ((other, twin), (twin, other)):
                        if a in found and b not in found:
                            found.add(b)
                            grew = True
        self.same[code] = found
        return found

    def self_and_ancestors(self, code):
        """Return all codes of the concept and of everything above it."""
        if code in self.up:
            return self.up[code]
        found, todo = set(), [code]
        while todo:
            for name in self.same_as(todo.pop()):
                if name not in found:
                    found.add(name)
                    todo.extend(self.said(name, "parents"))
        self.up[code] = found
        return found

    def strictly_below(self, code, other):
        return other in self.self_and_ancestors(code) and other not in self.same_as(code)

    def carries(self, fact, code, descendants=True):
        if not descendants:
            return any(own in self.same_as(code) for own in fact.get("codes", []))
        return any(code in self.self_and_ancestors(own) for own in fact.get("codes", []))

    def has_an_ancestor(self, fact, code):
        above = self.self_and_ancestors(code) - self.same_as(code)
        return any(own in above for own in fact.get("codes", []))

    def denies(self, fact, code):
        """Return whether an absent fact denies the code: it has the code, one of the same concept, or an ancestor."""
        return any(own in self.self_and_ancestors(code) for own in fact.get("codes", []))

    def exclusive(self, fact, code):
        """Return whether the fact's concept, or one above it, is declared exclusive with the code's concept or one
        above it.
        """
        above = self.self_and_ancestors(code)
        for own in fact.get("codes", []):
            for theirs in self.self_and_ancestors(own):
                for ours in above:
                    if ours in self.said(theirs, "exclusive_with") or theirs in self.said(ours, "exclusive_with"):
                        return True
        return False

    # --- could be -----------------------------------------------------------------------------------------------------

    def things(self, code):
        """Return the kinds of thing that the concept of the code may be; none where nothing says so."""
        found = set().union(*(THINGS.get(system(name), set()) for name in self.same_as(code)))
        if found or system(code) != "CLEIO":
            return found
        linked = [other for name in self.same_as(code) for other in self.said(name, "parents")]
        linked += [other for other in self.concepts if self.same_as(code) & set(self.said(other, "parents"))]
        return set().union(*(THINGS.get(system(other), set()) for other in linked))

    def related(self, code, asked):
        """Return whether one of both codes is the same as the other, or above it."""
        return code in self.self_and_ancestors(asked) or asked in self.self_and_ancestors(code)

    def could_be(self, code, asked):
        """Return whether a fact's code could be the asked one although no link says so."""
        if self.related(code, asked):
            return False
        if self.things(code) and self.things(asked) and not self.things(code) & self.things(asked):
            return False
        if code not in self.concepts:
            return True
        systems = {system(one) for one in self.same_as(code)}
        return systems != {"CLEIO"} and not any(self.places_elsewhere(name, code, asked) for name in systems)

    def places_elsewhere(self, name, code, asked):
        """Return whether the system places the asked code, and the code is not strictly below a nearest place."""
        above = self.self_and_ancestors(asked)
        covering = [one for one in above if name in self.said(one, "covers")]
        if any(one not in self.self_and_ancestors(code) for one in covering):
            return True
        places = [one for one in above if system(one) == name]
        nearest = [one for one in places if not any(self.strictly_below(other, one) for other in places)]
        return bool(nearest) and not any(self.strictly_below(code, one) for one in nearest)

    def fact_could_be(self, fact, codes):
        """Return whether a fact could be one of the codes; what is related to one of them is known."""
        key = (tuple(fact.get("codes", [])), tuple(codes))
        if key not in self.memory:
            self.memory[key] = not any(self.related(own, code) for own in key[0] for code in codes) and any(
                all(self.could_be(own, code) for own in key[0]) for code in codes
            )
        return self.memory[key]

    # --- kinds of state, tests, medicines -----------------------------------------------------------------------------

    def state(self, code):
        """Return (kind, longest) of the nearest concept at or above the code that states it, or (None, None)."""
        level, seen = {code}, set()
        while level:
            names = {name for one in level for name in self.same_as(one)} - seen
            stated = [
                (kind, self.said(name, "longest", None))
                for kind in KINDS_OF_STATE
                for name in sorted(names)
                if self.said(name, "state", None) == kind
            ]
            if stated:
                return stated[0]
            seen |= names
            level = {parent for name in names for parent in self.said(name, "parents")} - seen
        return None, None

    def state_of(self, fact):
        """Return the state of a fact: of its codes', the first in the order of the page's table."""
        key = ("state", tuple(fact.get("codes", [])))
        if key not in self.memory:
            states = [self.state(code) for code in fact.get("codes", [])]
            stated = [one for kind in KINDS_OF_STATE for one in states if one[0] == kind]
            self.memory[key] = stated[0] if stated else (None, None)
        return self.memory[key]

    def asks_the_present(self, codes):
        return all(self.state(code)[0] in ("persists", "passing") for code in codes)

    def shown_by(self, fact):
        """Return {concept: (a positive result shows it, a negative one denies it)} of the fact's tests."""
        found = {}
        for own in fact.get("codes", []):
            for name in self.self_and_ancestors(own):
                found.update(self.said(name, "shows", {}))
        return found

    def is_class(self, code):
        """Return whether the code names several medicines: a short ATC code, or two or more medicines below it."""
        if system(code) == "ATC":
            return len(code) < len("ATC:H02AB07")
        medicines = [
            name
            for name in self.concepts
            if system(name) == "ATC" and len(name) == len("ATC:H02AB07") and self.strictly_below(name, code)
        ]
        return len(medicines) > 1
