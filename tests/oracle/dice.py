"""Randomness for the generator, with helpers for every generated leaf."""

import random
from datetime import date, timedelta

from tests.oracle.days import subtract
from tests.oracle.vocabulary import AS_OF, NOT_UNDERSTOOD, RELATED, WINDOWS


class Dice:
    """Random choices, dates on the boundaries, facts and complete domains."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.as_of = self.random.choice([*AS_OF, date(2025, 1, 1) + timedelta(days=self.random.randrange(500))])
        self.facts, self.complete, self.births = [], [], []
        self.questions = 0

    def chance(self, share):
        return self.random.random() < share

    # --- dates on the boundaries --------------------------------------------------------------------------------------

    def edge(self, window=None):
        """Return a day on or before `as_of` that leaves the window on, just before or just after an interesting day."""
        target = self.as_of + timedelta(days=self.random.choice([-1, 0, 0, 1, 2, 10, 40, 90, 200]))
        day = subtract(target, window or self.random.choice(WINDOWS)) + timedelta(
            days=self.random.choice([-1, 0, 0, 1])
        )
        return min(day, self.as_of)

    def inside(self, window=None):
        """Return a day that is certainly in the window on `as_of`."""
        first = subtract(self.as_of, window or "P2Y")
        return first + timedelta(days=self.random.randint(0, (self.as_of - first).days))

    def written(self, day, full=0.93):
        if self.chance(full):
            return day.isoformat()
        return day.isoformat()[: self.random.choice([4, 7])]

    def fact(self, kind, code, **fields):
        made = {"id": f"f{len(self.facts) + 1}", "kind": kind, "codes": [code] if isinstance(code, str) else list(code)}
        made.update({name: value for name, value in fields.items() if value is not None})
        self.facts.append(made)
        return made

    def declare(self, domain, window=None):
        """Declare the domain complete, ending at the edge of what is allowed and starting at the edge of the window."""
        tenth = 31 if window is None else min(31, (self.as_of - subtract(self.as_of, window)).days // 10)
        tail = self.random.choice([0, 0, 0, tenth - 1, tenth, tenth + 1, tenth, tenth + 1, 31, 32])
        to = self.as_of - timedelta(days=max(tail, 0)) if self.chance(0.95) else self.as_of + timedelta(days=20)
        start = None
        if self.chance(0.7):
            start = subtract(self.as_of, window or "P10Y") + timedelta(
                days=self.random.choice([-400, -60, -1, 0, 0, 1, 30])
            )
            if self.chance(0.3) and self.births:
                start = self.births[0]
        spans = [(start, to)]
        if start and self.chance(0.25) and (to - start).days > 5:
            middle = start + timedelta(days=self.random.randint(1, (to - start).days - 2))
            spans = [(start, middle), (middle + timedelta(days=self.random.choice([0, 1, 1, 2])), to)]
        for begin, end in spans:
            if begin is None or begin <= end:
                self.complete.append(
                    {"domain": domain, **({"from": begin.isoformat()} if begin else {}), "to": end.isoformat()}
                )

    def related(self, code, share=0.35):
        return self.random.choice(RELATED.get(code, [code])) if self.chance(share) else code

    def coded(self, code, share=0.35):
        """Return the codes of a fact: the code or a related one, sometimes one that nothing understands, or several."""
        found = [self.related(code, share)]
        if self.chance(0.07):
            found = [self.random.choice(NOT_UNDERSTOOD)]
        if self.chance(0.07):
            found.append(self.random.choice([self.related(code, 1), *NOT_UNDERSTOOD]))
        return found
