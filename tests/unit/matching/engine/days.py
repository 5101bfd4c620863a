"""Chooses the days to compare where every day would be too many, from the facts and the expression alone."""

import re
from datetime import timedelta
from random import Random

from shared.criteria.durations import add, parse

DURATION = re.compile(r'"(P\d\w+)"')


def dates(index):
    """Yield the first and last days of the birth and of every fact."""
    yield from index.birth or ()
    for fact in index.facts:
        yield from (*fact.first, *fact.last)


def days_to_look_at(index, source, timeline, *, first=0, far=20):
    """Return the days on which to compare a timeline with the evaluation of the day.

    These are the ``first`` days, the last one, ``far`` random ones, those around each change of the timeline, and those
    around each date of a fact plus each duration that the expression ``source`` contains.
    """
    spans = [parse(text) for text in sorted(set(DURATION.findall(source)))]
    changes = [*timeline.days, *dates(index), *(add(day, span) for day in dates(index) for span in spans)]
    end = (index.end - index.as_of).days
    offsets = {*range(first), end, *Random(source).sample(range(end), far)}
    offsets.update((change - index.as_of).days + near for change in changes for near in (-1, 0, 1, 2))
    return [index.as_of + timedelta(days=offset) for offset in sorted(offsets) if 0 <= offset <= end]
