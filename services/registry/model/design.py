"""How a trial is designed: arms, interventions, outcomes; and what was written about it."""

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from services.registry.model.texts import Line
from shared.values.forms import described
from shared.values.wire import ApiModel, PartialDate

# Bounds that keep a trial small; real records seldom exceed them.
MAX_ARMS: Final = 50
MAX_OUTCOMES: Final = 50
MAX_KEYWORDS: Final = 50
MAX_REFERENCES: Final = 50
MAX_DOCUMENTS: Final = 50
MAX_DESCRIPTION: Final = 1000

Description = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=MAX_DESCRIPTION,
        pattern=described(
            r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$",
            fr="un texte sans caractère de contrôle",
            en="a text without control characters",
        ),
    ),
]
PubMedId = Annotated[
    str,
    StringConstraints(
        pattern=described(r"^[1-9][0-9]{0,8}$", fr="un numéro PubMed : des chiffres", en="a PubMed number: digits")
    ),
]
WebAddress = Annotated[
    str,
    StringConstraints(
        max_length=1000,
        pattern=described(
            r"^https?://[^\s\x00-\x1f\x7f\"<>\\^`{|}]+$",
            fr="une adresse web, p. ex. https://example.org",
            en="a web address, e.g. https://example.org",
        ),
    ),
]

Allocation = Literal["randomized", "non_randomized", "n-a"]
InterventionModel = Literal["single_group", "parallel", "crossover", "factorial", "sequential"]
Masking = Literal["none", "single", "double", "triple", "quadruple"]
Purpose = Literal[
    "treatment",
    "prevention",
    "diagnostic",
    "supportive_care",
    "screening",
    "health_services_research",
    "basic_science",
    "device_feasibility",
    "other",
]
ArmKind = Literal[
    "experimental", "active_comparator", "placebo_comparator", "sham_comparator", "no_intervention", "other"
]
InterventionKind = Literal[
    "drug",
    "device",
    "biological",
    "procedure",
    "radiation",
    "behavioral",
    "genetic",
    "dietary_supplement",
    "combination_product",
    "diagnostic_test",
    "other",
]
ReferenceKind = Literal["background", "result", "derived"]
# The codes of the French register (eclaire-study-population-code-system).
Population = Literal[
    "incap-pop",
    "minors",
    "nursing",
    "other",
    "pregnant",
    "emergency-situation",
    "incap-consent",
    "no-using-contraception",
    "using-contraception",
]


class Design(ApiModel):
    """How participants are assigned and observed. What is null is not known."""

    allocation: Allocation | None = Field(default=None, description="How participants are assigned to the arms.")
    intervention_model: InterventionModel | None = Field(default=None, description="How the arms follow one another.")
    masking: Masking | None = Field(
        default=None, description="How many parties do not know the arm: none, one, two, three or four."
    )
    purpose: Purpose | None = Field(default=None, description="What the trial is for.")


class Arm(ApiModel):
    """An arm, or a group of an observational study."""

    label: Line = Field(description="The name of the arm.")
    kind: ArmKind | None = Field(default=None, description="The kind of arm; null: not known.")
    description: Description | None = Field(
        default=None, description="What happens in it, possibly shortened; it then ends with `…`."
    )
    interventions: Annotated[list[Line], Field(max_length=MAX_ARMS)] = Field(
        default_factory=list, description="The names of its interventions."
    )


class Intervention(ApiModel):
    """A product, procedure or comparator."""

    name: Line = Field(description="The name.")
    kind: InterventionKind | None = Field(default=None, description="The kind of intervention; null: not known.")
    description: Description | None = Field(
        default=None, description="Dose, route and schedule, possibly shortened; it then ends with `…`."
    )


class Outcome(ApiModel):
    """Something that is measured."""

    measure: Line = Field(description="What is measured, possibly shortened; it then ends with `…`.")
    time_frame: Line | None = Field(default=None, description="When it is measured.")


class Reference(ApiModel):
    """A publication, by its number in PubMed."""

    pmid: PubMedId = Field(description="The number in PubMed.")
    kind: ReferenceKind | None = Field(
        default=None,
        description="`result`: of the trial, as the sponsor says; `derived`: found by its number; `background`.",
    )


class TrialDocument(ApiModel):
    """A document or page about the trial, at its source."""

    label: Line = Field(description="What it is.")
    url: WebAddress = Field(description="Where it is.")
    date: PartialDate | None = Field(default=None, description="The date of the document; null: not known.")
