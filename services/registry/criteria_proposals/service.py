"""Decides what becomes of proposed criteria: one person proposes, another one signs or withdraws."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from pydantic import ValidationError

from services.registry.criteria_proposals.model import Outcome, Proposal
from services.registry.criteria_proposals.problems import AuthorCannotSignError, EndedProposalError
from services.registry.criteria_proposals.repository import ProposalRepository
from services.registry.criteria_proposals.routing import change_of_proposal
from services.registry.criteria_proposals.schemas import CriteriaDraft, ProposalDocument, SignatureInput
from services.registry.trials.criteria import source_hash
from services.registry.trials.model import StoredTrial
from services.registry.trials.service import TrialService, author_of, check_version
from shared.access.policy import Access
from shared.criteria.model import CriteriaDocument
from shared.values.problems import InvalidBodyError, NotFoundError, StaleVersionError
from shared.values.validation import faults

SHOWN: Final = 50
# Stands for the person who will sign, while a proposal is checked.
_SOMEONE: Final = "\N{HORIZONTAL ELLIPSIS}"


class ProposalService:
    """Proposed criteria in one transaction."""

    def __init__(self, trials: TrialService) -> None:
        self.trials = trials
        self.repository = ProposalRepository(trials.repository.connection)

    async def of_trial(self, identifier: str, access: Access) -> list[ProposalDocument]:
        """Return the proposals of a trial, newest first."""
        stored = await self.trials.find(identifier, access.rows)
        return [_document(one, stored, access) for one in await self.repository.of_trial(stored.key, SHOWN)]

    async def read(self, identifier: str, number: int, access: Access) -> ProposalDocument:
        """Return one proposal.

        :raises NotFoundError: 404.
        """
        stored, proposal = await self._find(identifier, number, access)
        return _document(proposal, stored, access)

    async def propose(
        self, identifier: str, given: CriteriaDraft, access: Access, expected: int | None
    ) -> ProposalDocument:
        """Write a proposal, made from version ``expected`` of the criteria (None: from the present one, if any).

        :raises CriteriaRefusedError: 422, errors of the lint; a proposal has none.
        :raises StaleVersionError: 412, other criteria came first.
        """
        stored = await self.trials.find(identifier, access.rows)
        head = stored.trial.criteria
        if head is not None:
            check_version(expected, head.version)
        self.trials.check_criteria(stored, _signed(given, stored, self.trials.now, _SOMEONE, None))
        proposal = Proposal(
            number=await self.repository.next_number(stored.key),
            version=1,
            draft=given.model_dump_json(by_alias=True, exclude_none=True),
            base=head.version if head is not None else None,
            written_from=source_hash(stored.trial.eligibility),
            author=author_of(access.principal).name,
            at=self.trials.now,
        )
        await self.repository.add(stored.key, proposal)
        self.trials.writer.record(change_of_proposal(proposal, stored))
        return _document(proposal, stored, access)

    async def withdraw(self, identifier: str, number: int, access: Access, expected: int | None) -> None:
        """Withdraw a proposal that waits.

        :raises EndedProposalError: 409. :raises StaleVersionError: 412.
        """
        stored, proposal = await self._waiting(identifier, number, access, expected)
        await self._end(stored, proposal, access, "withdrawn")

    async def sign(
        self, identifier: str, number: int, given: SignatureInput, access: Access, expected: int | None
    ) -> CriteriaDocument:
        """Sign a proposal as another person than its author: it is the next version of the criteria.

        :raises AuthorCannotSignError: 403. :raises EndedProposalError: 409.
        :raises StaleVersionError: 412, other criteria were signed since, or the text of the source changed.
        :raises CriteriaRefusedError: 422, as when criteria are signed in one call.
        """
        stored, proposal = await self._waiting(identifier, number, access, expected)
        if author_of(access.principal).name == proposal.author:
            raise AuthorCannotSignError
        draft = CriteriaDraft.model_validate_json(proposal.draft)
        document = _signed(draft, stored, self.trials.now, given.signed_by, given.signed_by_rpps)
        document = document.model_copy(update={"source_hash": proposal.written_from})
        await self._end(stored, proposal, access, "signed")
        return await self.trials.sign_criteria(stored.key, document, access, proposal.base)

    async def _find(self, identifier: str, number: int, access: Access) -> tuple[StoredTrial, Proposal]:
        stored = await self.trials.find(identifier, access.rows)
        proposal = await self.repository.get(stored.key, number)
        if proposal is None:
            raise NotFoundError
        return stored, proposal

    async def _waiting(
        self, identifier: str, number: int, access: Access, expected: int | None
    ) -> tuple[StoredTrial, Proposal]:
        stored, proposal = await self._find(identifier, number, access)
        check_version(expected, proposal.version)
        if proposal.outcome is not None:
            raise EndedProposalError
        return stored, proposal

    async def _end(self, stored: StoredTrial, proposal: Proposal, access: Access, outcome: Outcome) -> None:
        ended = replace(
            proposal,
            version=proposal.version + 1,
            outcome=outcome,
            ended_at=self.trials.now,
            ended_by=author_of(access.principal).name,
        )
        if not await self.repository.end(stored.key, ended):
            raise StaleVersionError
        self.trials.writer.record(change_of_proposal(ended, stored))


def _document(proposal: Proposal, stored: StoredTrial, access: Access) -> ProposalDocument:
    return ProposalDocument.of(proposal, stored.trial.identifier, author_of(access.principal).name)


def _signed(draft: CriteriaDraft, stored: StoredTrial, at: datetime, signer: str, rpps: str | None) -> CriteriaDocument:
    """Return a draft as the document that a person signs.

    :raises InvalidBodyError: 422, it is none.
    """
    try:
        return CriteriaDocument.model_validate_json(draft.signed(stored.trial.identifier, at, signer, rpps))
    except ValidationError as error:
        raise InvalidBodyError(errors=faults(error.errors())) from None
