"""Validation errors name the expected form, and never what was sent."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from shared.values.validation import faults
from shared.values.wire import Code, Day, Duration, Instant, PartialDate
from shared.vocabulary.geography import Country, Departement
from shared.vocabulary.identifiers import CentreId

CANARY = "DUPONT-JEANNE"


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Given(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    code: Code | None = None
    place: Departement | None = None
    country: Country | None = None
    centre: CentreId | None = None
    since: PartialDate | None = None
    age: Duration | None = None
    day: Day | None = None
    at: Instant | None = None
    sex: Literal["female", "male"] | None = None
    only: Literal["one"] = "one"
    many: Literal[
        "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u"
    ] = "a"
    short: Annotated[str, StringConstraints(min_length=2, max_length=3)] = "aa"
    few: Annotated[list[int], Field(min_length=1, max_length=2)] = [1]
    number: Annotated[int, Field(ge=1, le=200)] = 1
    share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    pattern: Annotated[str, StringConstraints(pattern="^x+$")] = "x"
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] = Cat(kind="cat")


CASES: list[tuple[str, Any, str]] = [
    ("code", CANARY, "expected form: a system and a code, e.g. ORPHA:98896"),
    ("place", "59000", "expected form: a département, e.g. 59, 2A or 971"),
    ("country", "fr", "expected form: two capital letters, e.g. FR"),
    ("centre", CANARY, "expected form: a country and a name, e.g. fr-paris-necker"),
    ("since", CANARY, "expected form: YYYY, YYYY-MM or YYYY-MM-DD"),
    ("age", "6 years", "expected form: an ISO 8601 duration, e.g. P6Y"),
    ("day", "31/12/2020", "a date is written YYYY-MM-DD"),
    ("at", CANARY, "an instant is written in UTC, ending in Z"),
    ("sex", CANARY, "allowed values: female, male"),
    ("only", CANARY, "the only allowed value is one"),
    ("many", CANARY, "s, t, …"),
    ("short", CANARY, "at most 3 characters"),
    ("short", "a", "at least 2 character(s)"),
    ("few", [1, 2, 3], "at most 2 items"),
    ("few", [], "at least 1 item(s)"),
    ("number", 0, "at least 1"),
    ("number", 201, "at most 200"),
    ("share", 0.0, "more than 0"),
    ("share", 1.5, "less than 1"),
    ("pattern", CANARY, "a text matching the regular expression ^x+$"),
    ("pet", {"kind": CANARY}, "allowed values: cat, dog"),
    ("pet", {}, "the field 'kind' is required"),
    ("number", CANARY, "an integer is expected"),
    ("unknown", CANARY, "this field is unknown"),
]


@pytest.mark.parametrize(("field", "value", "expected"), CASES, ids=lambda value: str(value)[:30])
def test_an_error_names_the_expected_form(field: str, value: Any, expected: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Given.model_validate({field: value})
    [fault] = faults(refused.value.errors())
    assert expected in fault.detail.en
    assert CANARY not in fault.model_dump_json()
    assert fault.detail.fr != fault.detail.en
