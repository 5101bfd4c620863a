"""A trial: what a source or a curator provides (`TrialInput`) and what readers get (`Trial`)."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.registry.model.contact import Contact
from services.registry.model.criteria_head import CriteriaHead
from services.registry.model.design import (
    MAX_ARMS,
    MAX_DOCUMENTS,
    MAX_KEYWORDS,
    MAX_OUTCOMES,
    MAX_REFERENCES,
    Arm,
    Design,
    Intervention,
    Outcome,
    Population,
    Reference,
    TrialDocument,
)
from services.registry.model.location import Location
from services.registry.model.participation import Participation
from services.registry.model.product import CellOrigin, Delivery, Product, Vector
from services.registry.model.state import TrialState
from services.registry.model.texts import (
    MAX_ELIGIBILITY_TEXT,
    MAX_ITEMS,
    MAX_LINE,
    MAX_TEXT,
    EligibilityText,
    Line,
    PublicNumber,
    ShortLine,
    Text,
)
from shared.values.forms import described
from shared.values.wire import ApiModel, Code, Duration, Instant, Label, PartialDate
from shared.vocabulary.geography import Country
from shared.vocabulary.identifiers import (
    IDENTIFIER_PATTERNS,
    PREFERENCE,
    CentreId,
    IdentifierType,
    TrialId,
    recognise_identifier,
)
from shared.vocabulary.recruitment import RecruitmentStatus

# Also of use beside the models that have them.
__all__ = [
    "MAX_ELIGIBILITY_TEXT",
    "MAX_ITEMS",
    "MAX_LINE",
    "MAX_TEXT",
    "CellOrigin",
    "Delivery",
    "Line",
    "Location",
    "Product",
    "PublicNumber",
    "ShortLine",
    "Text",
    "Vector",
]

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
Version = Annotated[int, Field(ge=1)]

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
SponsorKind = Literal["industry", "academic", "other"]
ActualOrEstimated = Literal["actual", "estimated"]
TrialSex = Literal["all", "male", "female"]
ConditionRole = Literal["target", "related"]
SampleKind = Literal["real", "demo"]
ScopeVerdict = Literal["in_scope", "out_of_scope", "scope_unclear"]


class Identifier(ApiModel):
    """A number of a trial. Each public type has a pattern; a sponsor's code is free text, but not a public number."""

    type: IdentifierType = Field(
        description="The registry that gave the number: `nct` ClinicalTrials.gov, `euct` CTIS, `eudract` EudraCT, "
        "`isrctn` ISRCTN, `utn` WHO, `id_rcb` the French agency; `sponsor`: the sponsor's code; `cleio`: "
        "a number of this network."
    )
    value: PublicNumber = Field(description="The number, in the form of its registry.")

    @model_validator(mode="after")
    def _matches_its_type(self) -> Self:
        pattern = IDENTIFIER_PATTERNS.get(self.type)
        if pattern is not None and not pattern.fullmatch(self.value):
            raise PydanticCustomError("identifier_form", "not a number of type {type}", {"type": self.type})
        if self.type == "sponsor" and recognise_identifier(self.value) is not None:
            raise PydanticCustomError("identifier_type", "this is a public registry number: give its own type")
        return self


def preferred_identifier(identifiers: list[Identifier]) -> str:
    """Return the number by which people name a trial: the one whose type comes first in `PREFERENCE`.

    :raises ValueError: the list is empty.
    """
    return min(identifiers, key=lambda identifier: PREFERENCE.index(identifier.type)).value


class BilingualText(ApiModel):
    """A line in French and in English, each possibly unknown."""

    fr: Line | None = Field(default=None, description="The text in French; null: not known.")
    en: Line | None = Field(default=None, description="The text in English; null: not known.")


class BilingualSummary(ApiModel):
    """A lay summary in French and in English, each possibly unknown."""

    fr: Text | None = Field(default=None, description="The summary in French; null: not known.")
    en: Text | None = Field(default=None, description="The summary in English; null: not known.")


class Condition(ApiModel):
    """A disease of the trial."""

    code: Code | None = Field(
        default=None,
        description="The code of the disease, as `SYSTEM:code`; null: the terminology does not recognise the text.",
    )
    text: Line = Field(description="The disease as the source wrote it.")
    role: ConditionRole = Field(
        default="target",
        description="`target`: the trial treats it. `related`: it is mentioned, or too general beside a target.",
    )
    inferred: Literal["mesh", "title"] | None = Field(
        default=None,
        description="Inferred from the MeSH terms or the title of the source; null: its conditions name the disease.",
    )


class Sponsor(ApiModel):
    """The organisation that is responsible for the trial."""

    name: Line = Field(description="The name of the sponsor.")
    kind: SponsorKind | None = Field(default=None, description="The kind of sponsor; null: not known.")


class Enrolment(ApiModel):
    """The number of participants, planned or final."""

    count: Annotated[int, Field(ge=0, le=1_000_000_000)] = Field(description="The number of participants.")
    type: ActualOrEstimated | None = Field(
        default=None, description="Whether the number is final or planned; null: not known."
    )


class Milestone(ApiModel):
    """A date of the trial with the precision of its source (year, month or day)."""

    date: PartialDate = Field(description="The date: `2024`, `2024-05` or `2024-05-03`.")
    type: ActualOrEstimated | None = Field(
        default=None, description="Whether it has happened or is planned; null: not known."
    )


class TrialDates(ApiModel):
    """The dates of a trial; those that are null are not known."""

    start: Milestone | None = Field(default=None, description="When the trial starts.")
    primary_completion: Milestone | None = Field(
        default=None, description="When the last data for the primary outcome are collected."
    )
    completion: Milestone | None = Field(default=None, description="When the trial ends.")
    last_update: Milestone | None = Field(default=None, description="When the source last updated its record.")
    first_posted: Milestone | None = Field(default=None, description="When the source first published its record.")
    verified: Milestone | None = Field(default=None, description="When the sponsor last confirmed the record.")


class TrialCohort(ApiModel):
    """A part of the trial that recruits separately."""

    id: CohortId = Field(description="The id of the cohort, unique in the trial.")
    label: Label = Field(description="The name of the cohort.")
    status: RecruitmentStatus | None = Field(
        default=None, description="The recruitment status of the cohort; null: that of the trial."
    )


class TrialSite(ApiModel):
    """A member centre of the trial, by its id."""

    centre: CentreId = Field(description="The id of the centre.")
    status: RecruitmentStatus = Field(description="The recruitment status that the source gives for the centre.")


class Eligibility(ApiModel):
    """The source's own text and its structured fields; ages are ISO 8601 durations."""

    text: EligibilityText | None = Field(default=None, description="The eligibility criteria as the source wrote them.")
    minimum_age: Duration | None = Field(default=None, description="The lowest age, such as `P4Y`; null: none.")
    maximum_age: Duration | None = Field(default=None, description="The highest age; null: none.")
    sex: TrialSex | None = Field(default=None, description="The sex of participants; null: not known.")
    healthy_volunteers: bool | None = Field(
        default=None, description="Whether healthy persons can take part; null: not known."
    )
    populations: Annotated[list[Population], Field(max_length=9)] = Field(
        default_factory=list, description="Vulnerable or particular groups that the source says can take part."
    )


class ScopeReason(ApiModel):
    """A reason for the answer of the scope gate."""

    code: Annotated[
        str,
        StringConstraints(
            pattern=described(
                r"^[a-z][a-z0-9_]{1,60}$", fr="lettres minuscules, chiffres et _", en="lower-case letters, digits and _"
            )
        ),
    ] = Field(description="A stable code.")
    pointer: Annotated[
        str,
        StringConstraints(
            max_length=200,
            pattern=described(
                r"^(/[A-Za-z0-9_]+)*$", fr="un pointeur JSON, p. ex. /sites/0", en="a JSON Pointer, e.g. /sites/0"
            ),
        ),
    ] = Field(description="A JSON Pointer into the trial; empty: the whole trial.")
    detail: Label = Field(description="The reason in words.")


class ScopeAnswer(ApiModel):
    """Whether a trial belongs in this registry: what the scope gate answers, or a person who overrules it."""

    by: Literal["gate", "person"] = Field(
        default="gate", description="Who decided: the rules of the scope gate, or a person."
    )
    answer: ScopeVerdict = Field(
        description="`in_scope`: an advanced therapy outside oncology. `scope_unclear`: a person must decide; until "
        "then the trial is not published. `out_of_scope`: no advanced therapy, or for cancer."
    )
    reasons: Annotated[list[ScopeReason], Field(max_length=MAX_ITEMS)] = Field(description="What the scope gate found.")


class Origin(ApiModel):
    """The source of the first record, and its id there."""

    source: Annotated[
        str,
        StringConstraints(
            pattern=described(
                r"^[a-z][a-z0-9_\-]{0,39}(:[a-z][a-z0-9\-]{0,62})?$",
                fr="lettres minuscules, chiffres, _ et -, p. ex. ctgov ou partner:pedstart",
                en="lower-case letters, digits, _ and -, e.g. ctgov or partner:pedstart",
            )
        ),
    ] = Field(description="The source, e.g. `ctgov`; `sample`; or `curated` for a trial that a person wrote.")
    source_id: PublicNumber | None = Field(default=None, description="The id of the record there.")


def has_duplicates(values: list[Any]) -> bool:
    return len(set(values)) != len(values)


class TrialFields(ApiModel):
    """The fields of a trial that are written by sources, sponsors and curators."""

    identifiers: Annotated[list[Identifier], Field(min_length=1, max_length=100)] = Field(
        description="The numbers of the trial; each finds it, in any spelling. The preferred one is its `identifier`."
    )
    acronym: ShortLine | None = Field(default=None, description="The acronym.")
    titles: BilingualText = Field(default=BilingualText(), description="The title in each language.")
    official_titles: BilingualText = Field(
        default=BilingualText(), description="The scientific title in each language, where it differs from `titles`."
    )
    summary: BilingualSummary = Field(default=BilingualSummary(), description="A summary in plain language.")
    keywords: Annotated[list[ShortLine], Field(max_length=MAX_KEYWORDS)] = Field(
        default_factory=list, description="The keywords of the source."
    )
    conditions: Annotated[list[Condition], Field(max_length=MAX_ITEMS)] = Field(
        default_factory=list, description="The diseases."
    )
    product: Product = Field(default=Product(), description="The product under trial.")
    phase: Phase | None = Field(default=None, description="The phase.")
    study_type: StudyType | None = Field(default=None, description="The type of study.")
    design: Design = Field(default=Design(), description="How participants are assigned and observed.")
    arms: Annotated[list[Arm], Field(max_length=MAX_ARMS)] = Field(
        default_factory=list, description="The arms or groups of participants."
    )
    interventions: Annotated[list[Intervention], Field(max_length=MAX_ARMS)] = Field(
        default_factory=list, description="What participants get: products, procedures, comparators."
    )
    primary_outcomes: Annotated[list[Outcome], Field(max_length=MAX_OUTCOMES)] = Field(
        default_factory=list, description="What decides on the result."
    )
    secondary_outcomes: Annotated[list[Outcome], Field(max_length=MAX_OUTCOMES)] = Field(
        default_factory=list, description="What else is observed."
    )
    status: RecruitmentStatus = Field(default="unknown", description="The recruitment status of the whole trial.")
    source_status: ShortLine | None = Field(default=None, description="The status in the words of the source.")
    why_stopped: Text | None = Field(default=None, description="Why the trial was stopped, in the words of the source.")
    countries: Annotated[list[Country], Field(max_length=260)] = Field(
        default_factory=list, description="The countries of the trial (ISO 3166-1 alpha-2)."
    )
    sponsor: Sponsor | None = Field(default=None, description="The sponsor.")
    contact: Contact | None = Field(default=None, description="The public contact; null: not known.")
    participation: Participation = Field(default=Participation(), description="What taking part involves.")
    collaborators: Annotated[list[Line], Field(max_length=MAX_ITEMS)] = Field(
        default_factory=list, description="Other organisations that take part."
    )
    enrolment: Enrolment | None = Field(default=None, description="The number of participants.")
    dates: TrialDates = Field(default=TrialDates(), description="The dates of the trial.")
    cohorts: Annotated[list[TrialCohort], Field(max_length=MAX_ITEMS)] = Field(
        default_factory=list, description="The cohorts that recruit separately."
    )
    locations: Annotated[list[Location], Field(max_length=MAX_ITEMS)] = Field(
        default_factory=list, description="The places as the source wrote them."
    )
    sites: Annotated[list[TrialSite], Field(max_length=MAX_ITEMS)] = Field(
        default_factory=list,
        description="The member centres of the trial. Current status and open places: `/trials/{identifier}/sites`.",
    )
    eligibility: Eligibility = Field(default=Eligibility(), description="The eligibility criteria of the source.")
    references: Annotated[list[Reference], Field(max_length=MAX_REFERENCES)] = Field(
        default_factory=list, description="Publications about the trial or behind it."
    )
    documents: Annotated[list[TrialDocument], Field(max_length=MAX_DOCUMENTS)] = Field(
        default_factory=list, description="Protocols, consent forms and other pages, where the source offers them."
    )
    sample: SampleKind | None = Field(
        default=None, description="`real`, `demo`: loaded with the sample, as a real or a fictitious trial. null: not."
    )
    illustrative: bool = Field(
        default=False, description="Whether the trial is invented, for demonstration: it takes no patients."
    )

    @model_validator(mode="after")
    def _names_each_thing_once(self) -> Self:
        for field, values in (
            ("identifiers", [(identifier.type, identifier.value) for identifier in self.identifiers]),
            ("cohorts", [cohort.id for cohort in self.cohorts]),
            ("sites", [site.centre for site in self.sites]),
            ("countries", self.countries),
        ):
            if has_duplicates(values):
                raise PydanticCustomError("duplicate", "{field} has the same item twice", {"field": field})
        if self.sample == "demo" and not self.illustrative:
            raise PydanticCustomError("demo_not_illustrative", "a demonstration trial is illustrative")
        return self


class TrialInput(TrialFields):
    """A trial as a source, a sponsor or a curator writes it."""


class TrialHead(ApiModel):
    """Fields that the registry sets."""

    id: TrialId = Field(description="The number that this registry gave the trial. It never changes.")
    identifier: PublicNumber = Field(
        description="The preferred one of `identifiers`. It changes when the trial gets a number that is preferred."
    )
    version: Version = Field(description="The version, as in the `ETag`; each change raises it by one.")
    updated_at: Instant = Field(description="When it was last changed.")


class Trial(TrialFields, TrialHead):
    """A trial as readers get it."""

    criteria: CriteriaHead | None = Field(
        description="Version and grade of the computable criteria; null: there are none."
    )
    scope: ScopeAnswer = Field(description="Whether the trial belongs in this registry.")
    state: TrialState = Field(description="Where it stands; the public sees only `published` trials.")
    published: bool = Field(description="Whether it is public: in the state `published`.")
    origin: Origin = Field(description="Where the first record of the trial came from.")
