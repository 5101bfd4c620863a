"""A patient as plain values: every date as the days it could be, every number exact."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Literal, NamedTuple

Kind = Literal["condition", "observation", "procedure", "medication", "immunization", "event", "variant", "answer"]
Status = Literal["present", "absent", "unconfirmed", "ordered"]
Comparator = Literal["<", "<=", ">", ">="]


class DateBounds(NamedTuple):
    """The days that a full or partial date could be, both ends included."""

    earliest: date
    latest: date


ANY_DAY = DateBounds(date.min, date.max)
FOR_EVER = DateBounds(date.max, date.max)


@dataclass(frozen=True, slots=True)
class Dose:
    value: Fraction
    unit: str
    per_kg: bool


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant of a gene as a laboratory reports it; None where the report does not say."""

    gene: str
    type: str | None = None
    exons: tuple[int, int] | None = None
    zygosity: str | None = None
    copies: int | None = None
    frame: str | None = None
    hgvs: str | None = None
    origin: str = "germline"
    significance: str = "pathogenic"
    assay: str | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing known of the patient or of a relative.

    ``first`` and ``last`` are its first and last day; they are the same day unless ``exposure``. An exposure without an
    end lasts for ever; a fact without a date could be of any day. ``day`` is the full date (of the start of an exposure)
    where one is given.
    """

    id: str
    kind: Kind
    codes: tuple[str, ...] = ()
    status: Status = "present"
    first: DateBounds = ANY_DAY
    last: DateBounds = ANY_DAY
    day: date | None = None
    exposure: bool = False
    number: Fraction | None = None
    text: str | None = None
    comparator: Comparator | None = None
    unit: str | None = None
    ref_low: Fraction | None = None
    ref_high: Fraction | None = None
    assay: str | None = None
    dose: Dose | None = None
    outcome: str | None = None
    body_site: str | None = None
    severity: str | None = None
    relative: str | None = None
    variant: Variant | None = None
    question: str | None = None
    answer: Literal["yes", "no"] | None = None


@dataclass(frozen=True, slots=True)
class CompleteDomain:
    """A declaration that all facts of a domain from ``since`` (None: birth) to ``to`` are given."""

    domain: str
    since: date | None
    to: date


@dataclass(frozen=True, slots=True)
class Patient:
    """``birth`` holds the possible birth dates; None when neither a birth date nor an age is known."""

    birth: DateBounds | None = None
    sex: Literal["male", "female", "other"] | None = None
    facts: tuple[Fact, ...] = ()
    complete_domains: tuple[CompleteDomain, ...] = ()
