"""A trial: what a source or a curator provides (`TrialInput`) and what readers get (`Trial`)."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from shared.values.forms import described
from shared.values.wire import ApiModel, Code, Duration, Instant, Label, PartialDate
from shared.vocabulary.events import AtmpClass
from shared.vocabulary.geography import Country
from shared.vocabulary.identifiers import (
    IDENTIFIER_PATTERNS,
    PREFERENCE,
    CentreId,
    IdentifierType,
    recognise_identifier,
)
from shared.vocabulary.recruitment import RecruitmentStatus

MAX_ITEMS: Final = 1000
MAX_LINE: Final = 600
MAX_TEXT: Final = 10_000
MAX_ELIGIBILITY_TEXT: Final = 60_000

# A line has no control characters; a text may have tabs and line ends. PostgreSQL refuses NUL.
_LINE = described(
    r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$",
    fr="une ligne de texte sans caractère de contrôle",
    en="one line of text without control characters",
)
_TEXT = described(
    r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$",
    fr="un texte sans caractère de contrôle",
    en="a text without control characters",
)

Line = Annotated[str, StringConstraints(min_length=1, max_length=MAX_LINE, pattern=_LINE)]
ShortLine = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_LINE)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT, pattern=_TEXT)]
EligibilityText = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ELIGIBILITY_TEXT, pattern=_TEXT)]
CohortId = Annotated[
    str,
    StringConstraints(
        pattern=described(
            r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,31}$",
            fr="au plus 32 caractères : lettres, chiffres et _ . -, p. ex. cohort-1",
            en="at most 32 characters: letters, digits and _ . -, e.g. cohort-1",
        )
    ),
]
TrialId = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=_LINE)]
Version = Annotated[int, Field(ge=1)]
Gene = Annotated[
    str,
    StringConstraints(
        pattern=described(
            r"^[A-Za-z0-9][A-Za-z0-9\-]{0,29}$",
            fr="un symbole de gène HGNC, p. ex. DMD",
            en="an HGNC gene symbol, e.g. DMD",
        )
    ),
]

Phase = Literal[
    "early-phase-1",
    "phase-1",
    "phase-1-phase-2",
    "phase-2",
    "phase-2-phase-3",
    "phase-3",
    "phase-3-phase-4",
    "phase-4",
    "n-a",
]
StudyType = Literal["interventional", "observational", "expanded_access"]
Delivery = Literal["in_vivo", "ex_vivo"]
Vector = Literal["aav", "lentiviral", "gamma_retroviral", "adenoviral", "nonviral_plasmid", "mrna_lnp", "none", "other"]
CellOrigin = Literal["autologous", "allogeneic", "xenogeneic"]
SponsorKind = Literal["industry", "academic", "other"]
ActualOrEstimated = Literal["actual", "estimated"]
TrialSex = Literal["all", "male", "female"]
ConditionRole = Literal["target", "related"]
SampleKind = Literal["real", "demo"]
Grade = Literal["signed", "registry"]
ScopeVerdict = Literal["in_scope", "out_of_scope", "scope_unclear"]


class Identifier(ApiModel):
    """A number of a trial. Each public type has a pattern; a sponsor's code is free text, but not a public number."""

    type: IdentifierType
    value: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=_LINE)]

    @model_validator(mode="after")
    def _matches_its_type(self) -> Self:
        pattern = IDENTIFIER_PATTERNS.get(self.type)
        if pattern is not None and not pattern.fullmatch(self.value):
            raise PydanticCustomError("identifier_form", "not a number of type {type}", {"type": self.type})
        if self.type == "sponsor" and recognise_identifier(self.value) is not None:
            raise PydanticCustomError("identifier_type", "this is a public registry number: give its own type")
        return self


def preferred_identifier(identifiers: list[Identifier]) -> str:
    """Return the public id of a trial: the identifier whose type comes first in `PREFERENCE`.

    :raises ValueError: the list is empty.
    """
    return min(identifiers, key=lambda identifier: PREFERENCE.index(identifier.type)).value


class BilingualText(ApiModel):
    """A line in French and in English, each possibly unknown."""

    fr: Line | None = None
    en: Line | None = None


class BilingualSummary(ApiModel):
    """A lay summary in French and in English, each possibly unknown."""

    fr: Text | None = None
    en: Text | None = None


class Condition(ApiModel):
    """A disease as the source wrote it, with its code if the terminology has one. ``target``: the indication."""

    code: Code | None = None
    text: Line
    role: ConditionRole = "target"


class Product(ApiModel):
    """The advanced therapy medicinal product.

    Null means unknown; ``vector: none`` means that nothing carries a gene.
    """

    name: Line | None = None
    atmp_class: AtmpClass | None = None
    combined: bool = False
    delivery: Delivery | None = None
    vector: Vector | None = None
    serotype: ShortLine | None = None
    genes: Annotated[list[Gene], Field(max_length=50)] = Field(default_factory=list)
    editing_tool: ShortLine | None = None
    cell_origin: CellOrigin | None = None
    cell_type: ShortLine | None = None
    route: ShortLine | None = None
    orphan_designation: bool | None = None


class Sponsor(ApiModel):
    name: Line
    kind: SponsorKind | None = None


class Enrolment(ApiModel):
    count: Annotated[int, Field(ge=0, le=1_000_000_000)]
    type: ActualOrEstimated | None = None


class Milestone(ApiModel):
    """A date of the trial with the precision of its source (year, month or day)."""

    date: PartialDate
    type: ActualOrEstimated | None = None


class TrialDates(ApiModel):
    start: Milestone | None = None
    primary_completion: Milestone | None = None
    completion: Milestone | None = None
    last_update: Milestone | None = None


class Cohort(ApiModel):
    id: CohortId
    label: Label
    status: RecruitmentStatus | None = None


class Location(ApiModel):
    """A place as a registry wrote it; never a person's name, telephone or address."""

    facility: Line | None = None
    city: ShortLine | None = None
    country: Country | None = None
    status: RecruitmentStatus | None = None


class TrialSite(ApiModel):
    """A member centre of the trial, by its id."""

    centre: CentreId
    status: RecruitmentStatus


class Eligibility(ApiModel):
    """The source's own text and its structured fields; ages are ISO 8601 durations."""

    text: EligibilityText | None = None
    minimum_age: Duration | None = None
    maximum_age: Duration | None = None
    sex: TrialSex | None = None


class CriteriaHead(ApiModel):
    """Version and grade of the criteria in force. The criteria themselves: `/trials/{id}/criteria`."""

    version: Version
    grade: Grade


class ScopeReason(ApiModel):
    """A reason for the answer of the scope gate.

    ``pointer``: JSON Pointer into the trial, empty for the whole trial.
    """

    code: Annotated[
        str,
        StringConstraints(
            pattern=described(
                r"^[a-z][a-z0-9_]{1,60}$", fr="lettres minuscules, chiffres et _", en="lower-case letters, digits and _"
            )
        ),
    ]
    pointer: Annotated[
        str,
        StringConstraints(
            max_length=200,
            pattern=described(
                r"^(/[A-Za-z0-9_]+)*$", fr="un pointeur JSON, p. ex. /sites/0", en="a JSON Pointer, e.g. /sites/0"
            ),
        ),
    ]
    detail: Label


class ScopeAnswer(ApiModel):
    """The answer of the scope gate. A stored trial is ``out_of_scope`` only if its source record left the scope."""

    answer: ScopeVerdict
    reasons: Annotated[list[ScopeReason], Field(max_length=MAX_ITEMS)]


class Origin(ApiModel):
    """The source of the first record, and its id there."""

    source: Annotated[
        str,
        StringConstraints(
            pattern=described(
                r"^[a-z][a-z0-9_\-]{0,39}$",
                fr="lettres minuscules, chiffres, _ et -, p. ex. ctgov",
                en="lower-case letters, digits, _ and -, e.g. ctgov",
            )
        ),
    ]
    source_id: TrialId | None = None


def _has_duplicates(values: list[Any]) -> bool:
    return len(set(values)) != len(values)


class TrialFields(ApiModel):
    """The fields of a trial that are written by sources, sponsors and curators."""

    identifiers: Annotated[list[Identifier], Field(min_length=1, max_length=100)]
    acronym: ShortLine | None = None
    titles: BilingualText = BilingualText()
    summary: BilingualSummary = BilingualSummary()
    conditions: Annotated[list[Condition], Field(max_length=MAX_ITEMS)] = Field(default_factory=list)
    product: Product = Product()
    phase: Phase | None = None
    study_type: StudyType | None = None
    status: RecruitmentStatus = "unknown"
    source_status: ShortLine | None = None
    why_stopped: Text | None = None
    countries: Annotated[list[Country], Field(max_length=260)] = Field(default_factory=list)
    sponsor: Sponsor | None = None
    collaborators: Annotated[list[Line], Field(max_length=MAX_ITEMS)] = Field(default_factory=list)
    enrolment: Enrolment | None = None
    dates: TrialDates = TrialDates()
    cohorts: Annotated[list[Cohort], Field(max_length=MAX_ITEMS)] = Field(default_factory=list)
    locations: Annotated[list[Location], Field(max_length=MAX_ITEMS)] = Field(default_factory=list)
    sites: Annotated[list[TrialSite], Field(max_length=MAX_ITEMS)] = Field(default_factory=list)
    eligibility: Eligibility = Eligibility()
    sample: SampleKind | None = None
    illustrative: bool = False

    @model_validator(mode="after")
    def _names_each_thing_once(self) -> Self:
        for field, values in (
            ("identifiers", [(identifier.type, identifier.value) for identifier in self.identifiers]),
            ("cohorts", [cohort.id for cohort in self.cohorts]),
            ("sites", [site.centre for site in self.sites]),
            ("countries", self.countries),
        ):
            if _has_duplicates(values):
                raise PydanticCustomError("duplicate", "{field} has the same item twice", {"field": field})
        if self.sample == "demo" and not self.illustrative:
            raise PydanticCustomError("demo_not_illustrative", "a demonstration trial is illustrative")
        return self


class TrialInput(TrialFields):
    """A trial as a source, a sponsor or a curator writes it."""


class TrialHead(ApiModel):
    """Fields that the registry sets: the public id, the version and the time of the last change."""

    id: TrialId
    version: Version
    updated_at: Instant


class Trial(TrialFields, TrialHead):
    """A trial as readers get it."""

    criteria: CriteriaHead | None
    scope: ScopeAnswer
    published: bool
    origin: Origin


class Slots(ApiModel):
    """Number of places declared open in a cohort."""

    cohort: CohortId
    open: Annotated[int, Field(ge=0, le=100_000)]


class SiteInput(ApiModel):
    """What a centre or a sponsor declares about a trial at a centre.

    ``confirmed_at``: when it was true; now if absent.
    """

    status: RecruitmentStatus
    slots: Annotated[list[Slots], Field(max_length=MAX_ITEMS)] = Field(default_factory=list)
    confirmed_at: Instant | None = None

    @model_validator(mode="after")
    def _counts_each_cohort_once(self) -> Self:
        if _has_duplicates([slots.cohort for slots in self.slots]):
            raise PydanticCustomError("duplicate", "{field} has the same item twice", {"field": "slots"})
        return self


class Site(ApiModel):
    """A trial at a member centre.

    ``stale``: not confirmed for 30 days. ``slots``: null if the caller may not see them.
    """

    trial: TrialId
    centre: CentreId
    version: Version
    status: RecruitmentStatus
    confirmed_at: Instant | None
    slots: Annotated[list[Slots], Field(max_length=MAX_ITEMS)] | None
    stale: bool
