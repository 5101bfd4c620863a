"""What a match costs of its caller's quota, beyond what `shared.http.limits.costs` says of its body."""

# A unit is 10 ms. Measured: 0.2 ms for each trial that is listed, and 0.2 ms more for each of a page that is explained.
TRIALS_PER_UNIT = 30
# The work units of a match end after half a second.
MOST_UNITS = 50
# Reading a record takes up to 0.4 ms for each fact, where each has other codes and units; usually a tenth of it.
FACTS_READ_PER_UNIT = 50


def match_units(facts: int, trials: int) -> int:
    """Return the units of a match of a patient with so many facts, with so many trials listed."""
    return min(trials // TRIALS_PER_UNIT, MOST_UNITS) + facts // FACTS_READ_PER_UNIT
