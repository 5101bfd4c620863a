"""Which codes name one medicine, and which a class of medicines that may differ in strength."""

from typing import Final

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
    medicines = (known for known in terminology if known.startswith("ATC:") and len(known) == _MEDICINE)
    return sum(1 for known in medicines if code in terminology.above(known)) > 1
