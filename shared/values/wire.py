"""Base model and scalar types of the API: unknown fields are refused and types are never coerced."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from shared.values.forms import described

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PARTIAL_DATE = r"^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$"


class ApiModel(BaseModel):
    """A value of the API: strict, closed and immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Label(ApiModel):
    """A text in French and English."""

    fr: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    en: Annotated[str, StringConstraints(min_length=1, max_length=2000)]


def _parse_date(value: Any) -> Any:
    if isinstance(value, str):
        # Strict models refuse strings for dates, pydantic's lax mode accepts numbers: here only the full form passes.
        if not _DATE.fullmatch(value):
            raise PydanticCustomError("date_form", "a date is written YYYY-MM-DD")
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise PydanticCustomError("date_form", "this day does not exist") from None
    return value


def _parse_instant(value: Any) -> Any:
    if isinstance(value, str):
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            raise PydanticCustomError(
                "instant_form", "an instant is written as in RFC 3339, in UTC, ending in Z"
            ) from None
        if not value.endswith("Z"):
            raise PydanticCustomError("instant_form", "an instant is in UTC and ends in Z")
        return instant.astimezone(UTC)
    return value


def write_instant(value: datetime) -> str:
    """Write an instant in RFC 3339: UTC, milliseconds, ending in ``Z``."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Day = Annotated[date, BeforeValidator(_parse_date), WithJsonSchema({"type": "string", "format": "date"})]
Instant = Annotated[
    datetime,
    BeforeValidator(_parse_instant),
    PlainSerializer(write_instant, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
PartialDate = Annotated[
    str,
    StringConstraints(
        pattern=described(_PARTIAL_DATE, fr="AAAA, AAAA-MM ou AAAA-MM-JJ", en="YYYY, YYYY-MM or YYYY-MM-DD")
    ),
]
Code = Annotated[
    str,
    StringConstraints(
        pattern=described(
            r"^[A-Za-z0-9]{2,12}:[A-Za-z0-9_.\-/]{1,64}$",
            fr="un système et un code, p. ex. ORPHA:98896",
            en="a system and a code, e.g. ORPHA:98896",
        )
    ),
]
# Written without look-ahead, which pydantic's pattern engine does not have: at least one part, from years down to days.
_DAYS = r"[0-9]{1,5}D"
_WEEKS = rf"([0-9]{{1,4}}W({_DAYS})?|{_DAYS})"
_MONTHS = rf"([0-9]{{1,4}}M({_WEEKS})?|{_WEEKS})"
_YEARS = rf"([0-9]{{1,3}}Y({_MONTHS})?|{_MONTHS})"
Duration = Annotated[
    str,
    StringConstraints(
        pattern=described(
            rf"^P{_YEARS}$", fr="une durée ISO 8601, p. ex. P6Y ou P1Y6M", en="an ISO 8601 duration, e.g. P6Y or P1Y6M"
        )
    ),
]
