"""Which days to look at where every day would be too many: told from the record and the question, not by what is tested."""

import re
from datetime import timedelta
from random import Random

from shared.criteria.durations import add, parse

SAID = re.compile(r'"(P\d\w+)"')


def dates(chart):
    """The first and last days of everything that is recorded."""
    yield from chart.birth or ()
    for fact in chart.facts:
        yield from (*fact.first, *fact.last)


def days_to_look_at(chart, asked, course, *, first=0, far=20):
    """The ``first`` days, the last one, some ``far`` ones, and all around each day on which a course changes, or a recorded date is so long ago
    as ``asked`` says.
    """
    spans = [parse(said) for said in sorted(set(SAID.findall(asked)))]
    turns = [*course.days, *dates(chart), *(add(day, span) for day in dates(chart) for span in spans)]
    end = (chart.end - chart.as_of).days
    offsets = {*range(first), end, *Random(asked).sample(range(end), far)}
    offsets.update((turn - chart.as_of).days + near for turn in turns for near in (-1, 0, 1, 2))
    return [chart.as_of + timedelta(days=offset) for offset in sorted(offsets) if 0 <= offset <= end]
