"""Asks centres about a dossier, and sums up what they answer."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.registry.centres.repository import CentreRepository
from services.registry.centres.schemas import Centre
from services.registry.feasibility.gate import age_bands_of
from services.registry.feasibility.indication import Indication
from services.registry.feasibility.model import ASKABLE, Dossier, FeasibilityRequest, gate_state
from services.registry.feasibility.network_result import LEAST_ANSWERS, network_result
from services.registry.feasibility.problems import (
    ConfidentialityGateError,
    CoordinationOnlyError,
    DossierNotOpenError,
    NoCentreError,
    TooFewCentresError,
)
from services.registry.feasibility.recording import record_request
from services.registry.feasibility.result_schemas import (
    FeasibilityOverview,
    FeasibilityResult,
    VisibleFieldsDocument,
    VisibleFieldsInput,
)
from services.registry.feasibility.schemas import FeasibilityAsk, FeasibilityAsked
from services.registry.feasibility.service import summary
from services.registry.feasibility.session import Session
from services.registry.model.references import new_reference
from shared.values.problems import Fault, InvalidBodyError, StaleVersionError
from shared.values.wire import Label

_MOST_CENTRES: Final = 1_000
_UNKNOWN: Final = Label(fr="aucun centre n'a cet identifiant", en="no centre has this id")
_FUTURE: Final = Label(fr="ne peut être dans l'avenir", en="cannot be in the future")


@dataclass(frozen=True, slots=True)
class AskingService:
    """Requests about one dossier, and their result, in one transaction."""

    session: Session
    indication: Indication

    async def ask(self, submission: str, given: FeasibilityAsk) -> FeasibilityAsked:
        """Ask centres that were not asked yet.

        :raises DossierNotOpenError: 409.
        :raises CoordinationOnlyError: 403, a sponsor names centres: it would learn the answer of each of them.
        :raises ConfidentialityGateError: 409, capabilities were asked for and no agreement is in force.
        :raises NoCentreError: 422.
        :raises TooFewCentresError: 422, a sponsor asks one or two: the result would change by the answer of one.
        """
        session = self.session
        dossier = await session.own_dossier(submission)
        if dossier.state not in ASKABLE:
            raise DossierNotOpenError
        on = given.on or session.today
        if on > session.today:
            raise InvalidBodyError(errors=[Fault(pointer="/on", code="in_the_future", detail=_FUTURE)])
        async with session.beyond():
            asked = {request.centre for request, _ in await session.requests.of_dossier(submission)}
        chosen = sorted(await self._chosen(dossier, given) - asked)
        if not chosen:
            raise NoCentreError
        if not session.sees_all and len(chosen) < LEAST_ANSWERS:
            raise TooFewCentresError
        for centre in chosen:
            request = FeasibilityRequest(new_reference("FEA"), submission, centre, 1, "received", session.now)
            await record_request(session, request, dossier, on)
        return FeasibilityAsked(asked=len(chosen), centres=chosen if session.sees_all else None)

    async def overview(self, submission: str) -> FeasibilityOverview:
        """Return the result over all centres, and the requests that the caller may see by centre.

        :raises NotFoundError: 404.
        """
        session = self.session
        dossier = await session.own_dossier(submission)
        async with session.beyond():
            found = await session.requests.of_dossier(dossier.reference)
            steps = await session.requests.steps.of_many([request.reference for request, _ in found])
        shown = [request for request, _ in found if session.sees_all or request.named]
        return FeasibilityOverview(
            submission=dossier.reference,
            result=FeasibilityResult.of(network_result(found), exact=session.sees_all),
            requests=[summary(one, steps.get(one.reference, ())) for one in shown],
        )

    async def visible(self, submission: str) -> VisibleFieldsDocument:
        """Return the fields that the sponsor shows before the gate.

        :raises NotFoundError: 404.
        """
        await self.session.own_dossier(submission)
        version, fields = await self.session.gates.visible(submission)
        return VisibleFieldsDocument(version=version, visible=fields)

    async def show(self, submission: str, given: VisibleFieldsInput, expected: int | None) -> VisibleFieldsDocument:
        """Choose the fields that are shown before the gate, from version ``expected`` (None: from any, or none yet).

        :raises NotFoundError: 404.
        :raises StaleVersionError: 412.
        """
        await self.session.own_dossier(submission)
        current, _ = await self.session.gates.visible(submission)
        if expected is not None and expected != current:
            raise StaleVersionError
        fields = sorted(set(given.visible))
        await self.session.gates.save_visible(submission, current + 1, fields)
        return VisibleFieldsDocument(version=current + 1, visible=fields)

    async def _chosen(self, dossier: Dossier, given: FeasibilityAsk) -> set[str]:
        page = await CentreRepository(self.session.requests.connection).page(None, _MOST_CENTRES)
        centres = {one.id: one for one in page}
        if given.centres is not None:
            if not self.session.sees_all:
                raise CoordinationOnlyError
            _check_known(given.centres, centres)
            return set(given.centres)
        candidates = [one for one in page if one.member and one.label != "suspended"]
        by = given.by or []
        if "age" in by:
            bands = set(age_bands_of(dossier.trial))
            candidates = [one for one in candidates if bands & set(one.populations)]
        if "indication" in by:
            treating = await self.indication.centres(dossier.trial)
            candidates = [one for one in candidates if one.id in treating]
        if "capability" in by:
            candidates = await self._capable(dossier, candidates, given.capabilities)
        return {one.id for one in candidates}

    async def _capable(
        self, dossier: Dossier, candidates: Iterable[Centre], capabilities: Collection[str]
    ) -> list[Centre]:
        """Return the centres behind an open gate with these capabilities: to others they would name the product."""
        gates, today = self.session.gates, self.session.today
        agreements = await gates.agreements(dossier.reference)
        signed = {finess for finess, one in agreements.items() if gate_state(one, today) == "open"}
        if not signed:
            raise ConfidentialityGateError
        entities = await gates.entities()
        opened = {centre for centre, entity in entities.items() if entity.finess_ej in signed}
        return [one for one in candidates if one.id in opened and set(capabilities) <= _capabilities(one, today)]


def _capabilities(centre: Centre, today: date) -> set[str]:
    """Return what a centre can do today."""
    return {
        one.code
        for one in centre.capabilities
        if (one.valid_from is None or one.valid_from <= today) and (one.valid_to is None or today <= one.valid_to)
    }


def _check_known(given: Iterable[str], centres: Collection[str]) -> None:
    """:raises InvalidBodyError: 422, names the centres that do not exist."""
    faults = [
        Fault(pointer=f"/centres/{place}", code="unknown_centre", detail=_UNKNOWN)
        for place, centre in enumerate(given)
        if centre not in centres
    ]
    if faults:
        raise InvalidBodyError(errors=faults)
