"""Records the legal entities of centres, and the confidentiality agreements that they sign."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from services.registry.centres.repository import CentreRepository
from services.registry.feasibility.model import Agreement, LegalEntity, gate_state
from services.registry.feasibility.problems import CoordinationOnlyError, NoLegalEntityError
from services.registry.feasibility.recording import record_step
from services.registry.feasibility.schemas import (
    ConfidentialityAgreement,
    ConfidentialityGate,
    FeasibilityStepInput,
    LegalEntityDocument,
    LegalEntityInput,
)
from services.registry.feasibility.session import Session
from services.registry.feasibility.stepping import changed
from services.registry.model.precondition import Precondition
from services.registry.trials.service import author_of
from shared.values.problems import Fault, InvalidBodyError, NotFoundError, StaleVersionError
from shared.values.wire import Label

_NOT_THE_ENTITY: Final = Label(
    fr="n'est pas l'entité juridique de ce centre", en="is not the legal entity of this centre"
)
_FUTURE: Final = Label(fr="ne peut être dans l'avenir", en="cannot be in the future")
_BEFORE: Final = Label(fr="ne peut précéder la signature", en="cannot be before the signature")


@dataclass(frozen=True, slots=True)
class AgreementService:
    """The confidentiality gate in one transaction. The coordination records what was signed; others read it."""

    session: Session

    async def entity(self, centre: str) -> LegalEntityDocument:
        """Return the legal entity of a centre.

        :raises NotFoundError: 404.
        """
        found = await self.session.gates.entity(centre)
        if found is None:
            raise NotFoundError
        return _entity(found)

    async def put_entity(self, centre: str, given: LegalEntityInput, expected: Precondition) -> LegalEntityDocument:
        """Record the legal entity of a centre, or replace a version of it.

        :raises CoordinationOnlyError: 403.
        :raises NotFoundError: 404, there is no such centre, or nothing to replace.
        """
        self._check_caller()
        gates = self.session.gates
        if await CentreRepository(gates.connection).get(centre) is None:
            raise NotFoundError
        current = await gates.entity(centre)
        version = _next_version(expected, current.version if current else None)
        entity = LegalEntity(centre, given.finess_ej, given.name, version)
        await gates.save_entity(entity)
        return _entity(entity)

    async def gate(self, submission: str, centre: str) -> ConfidentialityGate:
        """Return the gate of a centre on a dossier.

        :raises NotFoundError: 404.
        """
        await self.session.request(submission, centre)
        entity = await self.session.gates.entity(centre)
        found = await self.session.gates.agreement(submission, entity.finess_ej) if entity else None
        return self._document(submission, entity, found)

    async def put_gate(
        self, submission: str, centre: str, given: ConfidentialityAgreement, expected: Precondition
    ) -> ConfidentialityGate:
        """Record a signed agreement, or replace a version of it. It opens the gate of every centre of the entity.

        Requests of these centres whose agreement was sent become `cda_signed`.

        :raises CoordinationOnlyError: 403: a centre does not open its own gate.
        :raises NoLegalEntityError: 409.
        :raises InvalidBodyError: 422, another entity signed, or the dates cannot be.
        """
        session = self.session
        await session.request(submission, centre)
        self._check_caller()
        entity = await session.gates.entity(centre)
        if entity is None:
            raise NoLegalEntityError
        self._check(given, entity)
        current = await session.gates.agreement(submission, entity.finess_ej)
        version = _next_version(expected, current.version if current else None)
        author = author_of(session.access.principal).name
        agreement = Agreement(
            submission, given.finess_ej, version, given.signed_by, given.signed_on, given.valid_until, given.evidence,
            author, session.now,
        )  # fmt: skip
        await session.gates.save_agreement(agreement)
        if agreement.state(session.today) == "open":
            await self._sign_requests(submission, entity.finess_ej, given.signed_on)
        return self._document(submission, entity, agreement)

    async def _sign_requests(self, submission: str, finess_ej: str, signed_on: date) -> None:
        session = self.session
        centres = {one.centre for one in (await session.gates.entities()).values() if one.finess_ej == finess_ej}
        waiting = [
            one
            for one, _ in await session.requests.of_dossier(submission)
            if one.centre in centres and one.state == "cda_sent"
        ]
        if not waiting:
            return
        dossier = await session.dossier(submission)
        steps = await session.requests.steps.of_many([one.reference for one in waiting])
        given = FeasibilityStepInput(action="sign_cda")
        for request in waiting:
            last = steps[request.reference][-1].on or signed_on
            # A centre may be asked after its entity has signed.
            on = max(last, signed_on)
            after = changed(request, steps[request.reference], "cda_signed", given, on, session.today)
            await record_step(session, after, dossier, given, on)

    def _check_caller(self) -> None:
        if not self.session.sees_all:
            raise CoordinationOnlyError

    def _check(self, given: ConfidentialityAgreement, entity: LegalEntity) -> None:
        faults = []
        if given.finess_ej != entity.finess_ej:
            faults.append(Fault(pointer="/finess_ej", code="not_the_entity", detail=_NOT_THE_ENTITY))
        if given.signed_on > self.session.today:
            faults.append(Fault(pointer="/signed_on", code="in_the_future", detail=_FUTURE))
        if given.valid_until < given.signed_on:
            faults.append(Fault(pointer="/valid_until", code="before_signature", detail=_BEFORE))
        if faults:
            raise InvalidBodyError(errors=faults)

    def _document(self, submission: str, entity: LegalEntity | None, found: Agreement | None) -> ConfidentialityGate:
        agreement = None
        if found is not None:
            names = ConfidentialityAgreement.model_fields
            agreement = ConfidentialityAgreement(**{name: getattr(found, name) for name in names})
        return ConfidentialityGate(
            submission=submission,
            state=gate_state(found, self.session.today),
            entity=_entity(entity) if entity else None,
            agreement=agreement,
            version=found.version if found else None,
        )


def _next_version(expected: Precondition, current: int | None) -> int:
    """Return the version to write.

    :raises NotFoundError: 404, there is nothing to replace.
    :raises StaleVersionError: 412, it exists already, or has another version.
    """
    if current is None:
        if not expected.creates:
            raise NotFoundError
        return 1
    if expected.creates or expected.version not in {None, current}:
        raise StaleVersionError
    return current + 1


def _entity(entity: LegalEntity) -> LegalEntityDocument:
    return LegalEntityDocument(
        centre=entity.centre, finess_ej=entity.finess_ej, name=entity.name, version=entity.version
    )
