"""A dossier, and what belongs to it, as stored. Plain."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

SubmissionState = Literal["draft", "submitted", "screening", "feasibility", "decided", "published", "withdrawn"]
Answer = Literal["accepted", "declined"]
# How a caller stands to a dossier. `delegate`: acts for the owner, `proxy`: and may consent for it; `receiver`: the
# owner offers it the dossier; `reader`: an authority.
Relation = Literal["owner", "delegate", "proxy", "receiver", "coordination", "reader"]

STATES: tuple[SubmissionState, ...] = get_args(SubmissionState)


@dataclass(frozen=True, slots=True)
class Submission:
    """A dossier. Columns: see `tables.submissions`."""

    reference: str
    owner: str
    state: SubmissionState
    version: int
    content: str
    created_at: datetime
    updated_at: datetime
    title: str | None = None
    number: int = 0
    answer: Answer | None = None
    published_number: int | None = None
    trial_key: str | None = None
    transfer_to: str | None = None

    @property
    def amends(self) -> bool:
        """Return whether it is an amendment of what is published."""
        return self.published_number is not None and self.state != "published"


@dataclass(frozen=True, slots=True)
class SubmittedVersion:
    """A version as it was submitted. ``screening``, ``content``: JSON."""

    number: int
    at: datetime
    author: str
    content: str
    screening: str


@dataclass(frozen=True, slots=True)
class Comment:
    """A remark on a dossier. ``pointer``: the field that it is about."""

    number: int
    at: datetime
    author: str
    text: str
    pointer: str | None
    internal: bool


@dataclass(frozen=True, slots=True)
class Delegate:
    """An organisation that acts for the owner of a dossier."""

    organisation: str
    may_consent: bool
    at: datetime
    author: str
