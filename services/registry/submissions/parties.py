"""Delegates of the owner of a dossier, and its transfer to another sponsor."""

from dataclasses import replace

from services.registry.identity.organisations.repository import OrganisationRepository
from services.registry.submissions.model import Delegate
from services.registry.submissions.problems import UnknownSponsorError
from services.registry.submissions.publishing import GRANTS, Publisher
from services.registry.submissions.rules import after
from services.registry.submissions.schemas import SubmissionDelegateInput, SubmissionStepInput, SubmissionTransferInput
from services.registry.submissions.service import Dossier, SubmissionService
from services.registry.trials.service import check_version
from shared.persistence import with_grants
from shared.values.problems import Fault, NotFoundError


class PartyService:
    """Delegates and transfers of dossiers in one transaction."""

    def __init__(self, dossiers: SubmissionService, publisher: Publisher) -> None:
        self.dossiers = dossiers
        self.publisher = publisher
        self.repository = dossiers.repository

    async def delegate(
        self, dossier: Dossier, organisation: str, given: SubmissionDelegateInput, expected: int | None
    ) -> Dossier:
        """Let another sponsor act for the owner; all but consent, unless that is granted too.

        :raises UnknownSponsorError: 422.
        """
        one, service = dossier.one, self.dossiers
        check_version(expected, one.version)
        state = after(one, "delegate", service.principal.kind, dossier.relation)
        await self._check_sponsor(organisation, "/path/organisation", not_this=one.owner)
        before = await service.hearing(one)
        delegate = Delegate(organisation, given.may_consent, service.now, service.author)
        await self.repository.set_delegate(one, delegate)
        step = service.made(
            "delegate", state, service.today, None, {"organisation": organisation, "may_consent": given.may_consent}
        )
        return await service.write(dossier, one, "delegate", step, before=before)

    async def revoke(self, dossier: Dossier, organisation: str, expected: int | None) -> Dossier:
        """End a delegation.

        :raises NotFoundError: 404, there is none.
        """
        one, service = dossier.one, self.dossiers
        check_version(expected, one.version)
        state = after(one, "revoke_delegate", service.principal.kind, dossier.relation)
        before = await service.hearing(one)
        if not await self.repository.remove_delegate(one, organisation):
            raise NotFoundError
        step = service.made("revoke_delegate", state, service.today, None, {"organisation": organisation})
        return await service.write(dossier, one, "revoke_delegate", step, before=before)

    async def offer(self, dossier: Dossier, given: SubmissionTransferInput, expected: int | None) -> Dossier:
        """Offer a dossier to another sponsor, or take the offer back.

        :raises UnknownSponsorError: 422.
        """
        one, service = dossier.one, self.dossiers
        check_version(expected, one.version)
        state = after(one, "offer_transfer", service.principal.kind, dossier.relation)
        if given.to is not None:
            await self._check_sponsor(given.to, "/to", not_this=one.owner)
        step = service.made("offer_transfer", state, service.today, given.reason, {"to": given.to})
        return await service.write(dossier, replace(one, transfer_to=given.to), "offer_transfer", step)

    async def answer(self, dossier: Dossier, given: SubmissionStepInput, expected: int | None) -> Dossier:
        """Accept or refuse a dossier that is offered. Its trial follows; what the former owner delegated ends."""
        one, service = dossier.one, self.dossiers
        check_version(expected, one.version)
        state = after(one, given.action, service.principal.kind, dossier.relation)
        on = await service.check_input(one, given.action, given.reason, given.on)
        accepts = given.action == "accept_transfer"
        moved = replace(one, owner=service.organisation if accepts else one.owner, transfer_to=None)
        step = service.made(given.action, state, on, given.reason, {"from": one.owner})
        async with with_grants(self.repository.connection, "submission.write.all", *GRANTS):
            written = await service.write(dossier, moved, given.action, step)
            if accepts and one.trial_key is not None:
                reason = given.reason or one.reference
                await self.publisher.give(one.trial_key, moved.owner, reason, service.author, service.now)
        return replace(written, relation="owner") if accepts else written

    async def _check_sponsor(self, organisation: str, pointer: str, *, not_this: str) -> None:
        # A sponsor does not list other organisations: it must know the id.
        async with with_grants(self.repository.connection, "organisation.read.all"):
            found = await OrganisationRepository(self.repository.connection).get(organisation)
        if found is None or found.status != "active" or found.kind != "sponsor" or found.id == not_this:
            fault = Fault(pointer=pointer, code=UnknownSponsorError.code, detail=UnknownSponsorError.title)
            raise UnknownSponsorError(errors=[fault])
