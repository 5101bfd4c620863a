"""Units as laboratories and prescriptions write them."""

from fractions import Fraction
from pathlib import Path

import pytest

from shared.criteria.unit_spellings import ucum
from shared.criteria.units import conversion

LINES = (Path(__file__).parent / "unit_spellings.tsv").read_text(encoding="utf-8").splitlines()
CASES = [line.split("\t")[:3] for line in LINES if not line.startswith("#")]


@pytest.mark.parametrize(("written", "wanted", "factor"), CASES)
def test_a_unit_is_read_as_it_is_written(written: str, wanted: str, factor: str) -> None:
    read = ucum(written)
    if not factor:
        assert read is None
        return
    assert read is not None
    assert conversion(read, wanted) == Fraction(factor)
    assert ucum(read) == read


@pytest.mark.parametrize("text", ["", " ", "/", "10*", "x" * 10_000, "µ" * 65, "10^999/L"])
def test_no_text_fails(text: str) -> None:
    assert ucum(text) is None
