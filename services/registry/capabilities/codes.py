"""The coded list of capabilities: reviewed data, ``codes.json``."""

import json
from dataclasses import dataclass
from importlib import resources
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

from shared.values.forms import described
from shared.values.wire import Label

Requirement = Literal["authorisation", "accreditation", "declaration", "none"]


@dataclass(frozen=True, slots=True)
class CodeRow:
    """A row of the list.

    ``validity_months``: the usual validity; None: no end, or none is usual. ``lead_weeks``: how long a centre usually
    takes to get it; None: too long to count on. ``scoped``: whether it is stated for adults and children apart.
    ``covers``: codes whose needs it meets too.
    """

    code: str
    label: Label
    basis: Label
    requires: Requirement
    validity_months: int | None
    lead_weeks: int | None
    scoped: bool
    covers: tuple[str, ...]


def _read() -> dict[str, CodeRow]:
    rows = json.loads((resources.files(__package__) / "codes.json").read_text("utf-8"))
    return {
        row["code"]: CodeRow(
            row["code"], Label(**row["label"]), Label(**row["basis"]), row["requires"], row["validity_months"],
            row["lead_weeks"], row["scoped"], tuple(row["covers"]),
        )
        for row in rows
    }  # fmt: skip


CODES: Final = _read()
# The codes that meet a need, by code of the need.
MET_BY: Final = {code: [code, *(row.code for row in CODES.values() if code in row.covers)] for code in CODES}


def _is_listed(code: str) -> str:
    if code not in CODES:
        raise PydanticCustomError("unknown_code", "not a code of /capabilities/codes")
    return code


CodeForm = Annotated[
    str,
    StringConstraints(
        max_length=40,
        pattern=described(
            r"^[a-z][a-z0-9_]*$", fr="lettres minuscules, chiffres et _", en="lower-case letters, digits and _"
        ),
    ),
]
CapabilityCode = Annotated[CodeForm, AfterValidator(_is_listed)]
