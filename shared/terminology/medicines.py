"""Which codes name one medicine or a class of medicines that may differ, and whether a half-life is known."""

from typing import Final

from shared.terminology.clinical_data import HALF_LIVES
from shared.terminology.graph import Terminology

_MEDICINE: Final = len("ATC:H02AB07")


def is_class(code: str, terminology: Terminology | None = None) -> bool:
    """Return whether a code is a class: a short ATC code, or a concept with several medicines of ATC below it.

    Without a terminology only ATC codes can be a class.
    """
    if code.startswith("ATC:"):
        return len(code) < _MEDICINE
    if terminology is None:
        return False
    known = [one for one in terminology.nodes.number if one.startswith("ATC:")]
    below = [len(one) for one in known if code in terminology.above(one)]
    return len(below) > 1 or any(length < _MEDICINE for length in below)


def has_half_life(code: str, terminology: Terminology | None = None) -> bool:
    """Return whether the half-life of a medicine at, below or above a code is known.

    Without a terminology only the hierarchy of ATC is known.
    """
    if terminology is None:
        return any(one.startswith(code) or code.startswith(one) for one in HALF_LIVES)
    above = terminology.above(code)
    return any(one in above or code in terminology.above(one) for one in HALF_LIVES)
