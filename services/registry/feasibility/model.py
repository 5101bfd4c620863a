"""Requests, confidentiality agreements and answers, as they are stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Literal

Value = int | str
PrefillSource = Literal["centre", "registry", "last_answer"]
ReminderKind = Literal["week_before", "day_before", "overdue"]
GateState = Literal["closed", "open", "expired"]

# After these nothing more happens.
FINAL: Final = frozenset({"declined", "not_selected", "withdrawn", "first_patient_in"})
SELECTED: Final = frozenset({"selected", "contract", "green_light", "activated", "first_patient_in"})
# The states of a dossier in which centres can be asked, and in which no more is done about it.
ASKABLE: Final = frozenset({"feasibility", "decided", "published"})
WITHDRAWN: Final = "withdrawn"


@dataclass(frozen=True, slots=True)
class Dossier:
    """What feasibility needs of a submitted study.

    ``organisation``: its owner. ``trial``: the trial document, in which every field may be absent.
    """

    reference: str
    organisation: str
    state: str
    trial: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FeasibilityRequest:
    """What one centre is asked about one dossier.

    ``named``: the sponsor may know what this centre answers: it consented, or was selected. ``deadline``: the last day
    to answer; None: no questionnaire waits for answers. ``reminder_due``: when the next reminder is sent; None: none
    is.
    """

    reference: str
    submission: str
    centre: str
    version: int
    state: str
    requested_at: datetime
    named: bool = False
    deadline: date | None = None
    reminder_due: date | None = None

    @property
    def is_asked(self) -> bool:
        """Whether a questionnaire waits for answers: a selected centre may be asked again."""
        return self.deadline is not None


@dataclass(frozen=True, slots=True)
class LegalEntity:
    """The legal entity of a centre: the one that signs for it. ``finess_ej``: its FINESS number."""

    centre: str
    finess_ej: str
    name: str
    version: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """A confidentiality agreement on one dossier. ``signed_by``: the function of the signatory, never a name."""

    submission: str
    finess_ej: str
    version: int
    signed_by: str
    signed_on: date
    valid_until: date
    evidence: str
    author: str
    at: datetime

    def state(self, today: date) -> GateState:
        """Return whether the agreement opens the gate on a day."""
        if today < self.signed_on:
            return "closed"
        return "open" if today <= self.valid_until else "expired"


def gate_state(agreement: Agreement | None, today: date) -> GateState:
    """Return the state of a gate. ``agreement``: of the centre's legal entity; None: there is none."""
    return "closed" if agreement is None else agreement.state(today)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to one question. ``condition``: the disease of which it is, where a question is put for each."""

    question: str
    value: Value
    condition: str | None = None

    @property
    def key(self) -> tuple[str, str | None]:
        return self.question, self.condition


@dataclass(frozen=True, slots=True)
class AnswerSheet:
    """The answers of one request: the draft, and what was submitted. ``version``: of the sheet."""

    subject: str
    version: int
    draft: Sequence[Answer] = ()
    may_be_named: bool = False
    submitted: Sequence[Answer] = ()
    submitted_on: date | None = None


@dataclass(frozen=True, slots=True)
class Prefilled:
    """What is known already: the suggested answer, where it comes from, and of which day it is."""

    answer: Answer
    source: PrefillSource
    on: date
