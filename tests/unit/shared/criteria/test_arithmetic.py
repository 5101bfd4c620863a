"""Calendar, unit and scale arithmetic."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.criteria.durations import ONE_DAY, Span, add, first_within, parse, smallest_unit, subtract, whole_parts
from shared.criteria.scales import SCALES
from shared.criteria.units import Analyte, conversion, measure

DAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))
SPANS = st.builds(Span, st.integers(0, 60), st.integers(0, 400))


@pytest.mark.parametrize(
    ("day", "duration", "expected"),
    [
        ("2024-02-29", "P1Y", "2025-02-28"),
        ("2024-02-29", "P4Y", "2028-02-29"),
        ("2025-01-31", "P1M", "2025-02-28"),
        ("2025-01-31", "P1M1D", "2025-03-01"),
        ("2025-12-31", "P2M", "2026-02-28"),
        ("2025-01-01", "P2W", "2025-01-15"),
        ("2025-01-01", "P1Y2M3W4D", "2026-03-26"),
        ("9999-12-31", "P1D", "9999-12-31"),
        ("9999-12-31", "P999Y", "9999-12-31"),
    ],
)
def test_add(day, duration, expected):
    assert add(date.fromisoformat(day), parse(duration)).isoformat() == expected


def test_subtract_clamps_and_saturates():
    assert subtract(date(2025, 3, 31), parse("P1M")) == date(2025, 2, 28)
    assert subtract(date(1, 1, 1), parse("P1Y")) == date.min


@pytest.mark.parametrize("text", ["", "P", "1Y", "P1H", "PT1H", "P-1Y", "P1.5Y", "P1D1Y"])
def test_other_durations_are_refused(text):
    with pytest.raises(ValueError):
        parse(text)


@settings(max_examples=300)
@given(DAYS, SPANS)
def test_first_within_is_the_first(day, span):
    first = first_within(day, span)
    assert add(first, span) >= day > add(first - ONE_DAY, span)


def test_smallest_unit_and_whole_parts():
    assert smallest_unit("P3Y4M") == Span(1, 0)
    assert whole_parts(parse("P2Y"), parse("P6M")) == 4
    assert whole_parts(parse("P4W"), parse("P7D")) == 4
    assert whole_parts(parse("P2Y"), parse("P5M")) is None
    assert whole_parts(parse("P1Y"), parse("P7D")) is None


CREATININE, FACTOR_VIII = Analyte("umol/L", Fraction("113.12")), Analyte("%", activity=True)


@pytest.mark.parametrize(
    ("given_unit", "wanted", "analyte", "factor"),
    [
        ("U/L", "ukat/L", None, Fraction(1, 60)),
        ("g/dL", "g/L", None, Fraction(10)),
        ("mg/dL", "umol/L", CREATININE, Fraction(10_000, 1) / Fraction("113.12")),
        ("umol/L", "mg/dL", CREATININE, Fraction("113.12") / 10_000),
        ("10*3/uL", "10*9/L", None, Fraction(1)),
        ("/uL", "10*9/L", None, Fraction(1, 1000)),
        ("{cells}/uL", "/uL", None, Fraction(1)),
        ("mL/min/{1.73_m2}", "mL/min/{1.73_m2}", None, Fraction(1)),
        ("L/h/{1.73_m2}", "mL/min/{1.73_m2}", None, Fraction(1000, 60)),
        ("mg/kg/d", "ug/kg/h", None, Fraction(1000, 24)),
        ("[IU]/dL", "%", FACTOR_VIII, Fraction(1)),
        ("%", "[IU]/mL", FACTOR_VIII, Fraction(1, 100)),
        ("[IU]/dL", "%", None, None),
        ("[IU]/L", "U/L", None, Fraction(1)),
        ("mL/min", "mL/min/{1.73_m2}", None, None),
        ("mg/dL", "umol/L", None, None),
        ("mg/kg/d", "mg/d", None, None),
        ("mg/kg.d", "mg/kg/d", None, None),
        ("furlong", "furlong", None, None),
    ],
)
def test_conversion_is_exact(given_unit, wanted, analyte, factor):
    assert conversion(given_unit, wanted, analyte) == factor


@pytest.mark.parametrize("text", ["", "/", "//", ".", "mg//d", "mg/", "{", "mg{", "10*", "10*999", "k"])
def test_what_is_no_unit(text):
    assert measure(text) is None


def test_scales_are_ordered_and_groups_expand():
    mgfa = SCALES["CLEIO:mgfa"]
    assert mgfa.between("II", "III") == {"IIa", "IIb", "IIIa", "IIIb"}
    assert mgfa.expand("2a") == {"IIa"}
    assert mgfa.expand("3") == mgfa.expand("III") == {"IIIa", "IIIb"}
    assert mgfa.expand("VI") == frozenset()
    for scale in SCALES.values():
        assert all(
            level in {known.code for known in scale.levels} for group in scale.groups.values() for level in group
        )
