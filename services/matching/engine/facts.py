"""A patient as plain values: every date as the range of days that it could be, every number exact."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Literal, NamedTuple

from shared.terminology.clinical_data import Invalidation

Kind = Literal["condition", "observation", "procedure", "medication", "immunization", "event", "variant", "answer"]
Status = Literal["present", "absent", "unconfirmed", "ordered"]
Comparator = Literal["<", "<=", ">", ">="]


class DateBounds(NamedTuple):
    """The earliest and the latest day that a full or partial date could be."""

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
    """A variant of a gene as a laboratory reports it; None where the report does not say.

    ``exons``: the first and the last exon; ``copies``: the number of copies of the gene.
    """

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


class Falsified(NamedTuple):
    """What falsified a result, or may have.

    ``only_raised``: nothing but antibodies of the mother, which make a number higher and never lower. ``number``: what
    was measured; None for a word.
    """

    cause: Invalidation
    only_raised: bool
    number: Fraction | None


class Fact(NamedTuple):
    """One thing known about the patient or a relative.

    ``first`` and ``last``: its first and last day; the same day unless ``exposure``. An exposure without an end never
    ends; a fact without a date could be of any day. ``day``: the full date (of an exposure: of its start), if given.
    ``ref_low`` and ``ref_high``: the reference range, in ``unit``. ``relative``: None for the patient.

    The last fields follow from the terminology (`presence`). ``shows_presence``: False for a number, which does not say
    whether the thing measured is present, even where the number is left out because something falsified it.
    ``doubtful``: a measurement that something may have falsified. ``falsified``: what did, or may have. ``fades_on``:
    the day from which a passing state is longer ago than it can be known to last. ``ends_by_denial``: a later denial
    ends it and does not contradict it.
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
    shows_presence: bool = True
    doubtful: bool = False
    falsified: Falsified | None = None
    fades_on: date | None = None
    ends_by_denial: bool = False


@dataclass(frozen=True, slots=True)
class CompleteDomain:
    """A declaration that all facts of a domain between two days are given. ``since``: None for the birth."""

    domain: str
    since: date | None
    to: date


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient to match.

    ``birth``: the possible birth dates; None where neither a birth date nor an age is known. ``due``: the days on which
    a corrected age may begin (the birth after at least 37 weeks, else the day at 40 weeks). ``gestation_known``:
    whether the length of the pregnancy is given.
    """

    birth: DateBounds | None = None
    due: DateBounds | None = None
    gestation_known: bool = False
    sex: Literal["male", "female", "other"] | None = None
    facts: tuple[Fact, ...] = ()
    complete_domains: tuple[CompleteDomain, ...] = ()
    deceased: bool = False
