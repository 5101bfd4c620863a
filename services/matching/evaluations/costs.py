"""What a match costs of its caller's quota, beyond what `shared.http.limits.costs` says of its body."""

# Measured with 9,500 trials: about 20 µs for each trial and 4 µs for each fact and trial, up to some 100 facts, beyond
# which further facts are of kinds that few criteria ask for. A unit is 10 ms.
FACTS_THAT_COUNT = 100
TRIALS_AND_FACTS_PER_UNIT = 2_500
# Reading a record takes up to 0.4 ms for each fact, where each has other codes and units; usually a tenth of it.
FACTS_READ_PER_UNIT = 50


def match_units(facts: int, trials: int) -> int:
    """Return the units of a match of a patient with so many facts with so many trials."""
    matched = trials * (5 + min(facts, FACTS_THAT_COUNT)) // TRIALS_AND_FACTS_PER_UNIT
    return matched + facts // FACTS_READ_PER_UNIT
