"""Codes of patients in any spelling, as the terminology writes them. Pure."""

import re

from shared.terminology.codes import from_system, read_code, system_of
from shared.terminology.systems import BY_PREFIX

_FORM = re.compile(r"[A-Za-z0-9]{2,12}:[A-Za-z0-9_.\-/]{1,64}")
_LOCAL = "LOCAL"


def written(text: str) -> str | None:
    """Return a code as ``SYSTEM:code``. One of another system stays as it is: the map of a hospital may know it.

    None where the text is no code.
    """
    read = read_code(text)
    return read if read is not None else text if _FORM.fullmatch(text) else None


def of_coding(system: str | None, code: str) -> str | None:
    """Return the code of a FHIR coding; ``LOCAL:…`` for one of a system that is not known."""
    read = from_system(system, code)
    if read is not None or (system and system_of(system) is not None):
        return read
    local = f"{_LOCAL}:{code}"
    return local if _FORM.fullmatch(local) else None


def is_of_known_system(code: str) -> bool:
    """Return whether the system of a code is one of the terminology's."""
    return code.partition(":")[0] in BY_PREFIX
