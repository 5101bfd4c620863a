"""Proposed criteria on the wire."""

import json
from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from services.registry.criteria_proposals.model import Outcome, Proposal
from services.registry.model.trial import PublicNumber, Version
from shared.criteria.model import MAX_LEAVES, Cohort, Criterion, Name
from shared.criteria.values import Rpps
from shared.values.wire import ApiModel, Duration, Instant, write_instant


class CriteriaDraft(ApiModel):
    """Criteria that are not signed yet."""

    model_config = ConfigDict(serialize_by_alias=True)

    source_version: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        description="The version of the protocol that was encoded."
    )
    anchors: Annotated[list[Literal["screening", "dosing"]], Field(min_length=1, max_length=2)] = Field(
        default=["screening"], description="The moments to which criteria refer."
    )
    authored_by: Name = Field(description="Who encoded the criteria.")
    illustrative: bool = Field(
        default=False, description="Whether the people who write and sign them are invented, for demonstration."
    )
    cohorts: list[Cohort] = Field(default=[], max_length=100, description="The cohorts; empty: one, with the id `all`.")
    lead_time: Duration | None = Field(default=None, description="The time from screening to dosing.")
    criteria: list[Criterion] = Field(min_length=1, max_length=MAX_LEAVES, description="The criteria.")

    def signed(self, trial: str, at: datetime, signer: str, rpps: str | None) -> str:
        """Return the document that a person signs: JSON of `CriteriaDocument`."""
        stated = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        signature = {"grade": "signed", "signed_by": signer, "signed_by_rpps": rpps, "signed_at": write_instant(at)}
        return json.dumps({**stated, "trial": trial, **signature})


class SignatureInput(ApiModel):
    """The signer, who is not the author."""

    signed_by: Name = Field(description="The physician who checked the criteria.")
    signed_by_rpps: Rpps | None = Field(
        default=None,
        description="The physician's number in the French directory of health professionals (RPPS). Only the signer of "
        "illustrative criteria has none.",
    )


class ProposalDocument(ApiModel):
    """Criteria that wait for a second person, or did."""

    trial: PublicNumber = Field(description="The preferred public number of the trial.")
    number: int = Field(description="The number of the proposal in its trial, from 1.")
    version: Version = Field(description="The version, as in the `ETag`.")
    base: Version | None = Field(description="The version of the criteria that it was made from; null: there was none.")
    author: str = Field(description="Who proposed it: the organisation, and the person or program, by their ids.")
    at: Instant = Field(description="When it was proposed.")
    mine: bool = Field(description="Whether the caller proposed it, and so cannot sign it.")
    outcome: Outcome | None = Field(description="What became of it; null: it waits for a second person.")
    ended_at: Instant | None = Field(description="When it was signed or withdrawn.")
    ended_by: str | None = Field(description="Who signed or withdrew it.")
    criteria: CriteriaDraft = Field(description="The criteria.")

    @classmethod
    def of(cls, one: Proposal, trial: str, caller: str) -> "ProposalDocument":
        """Return a proposal as readers get it."""
        return cls(
            trial=trial,
            number=one.number,
            version=one.version,
            base=one.base,
            author=one.author,
            at=one.at,
            mine=one.author == caller,
            outcome=one.outcome,
            ended_at=one.ended_at,
            ended_by=one.ended_by,
            criteria=CriteriaDraft.model_validate_json(one.draft),
        )


class ProposalList(ApiModel):
    """The proposals of a trial."""

    items: list[ProposalDocument] = Field(description="The proposals, newest first: at most 50.")
