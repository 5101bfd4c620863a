"""Writes the steps of requests with their feed entries."""

from datetime import date

from services.registry.feasibility.model import Dossier, FeasibilityRequest
from services.registry.feasibility.routing import changes_of_step
from services.registry.feasibility.schemas import FeasibilityStepInput
from services.registry.feasibility.session import Session
from services.registry.feasibility.stepping import detail_of
from services.registry.schema import FEED
from services.registry.steps.model import Step
from services.registry.trials.service import author_of

FIRST_STEP = "request"


async def record_request(session: Session, request: FeasibilityRequest, dossier: Dossier, on: date) -> None:
    """Write a new request with its first step and feed entry.

    :raises StaleVersionError: 412, another transaction asked the centre meanwhile.
    """
    await session.requests.add(request)
    await _add(session, request, dossier, _step(session, FIRST_STEP, request.state, on))


async def record_step(
    session: Session, after: FeasibilityRequest, dossier: Dossier, given: FeasibilityStepInput, on: date
) -> None:
    """Write the next version of a request with the step that made it, and the feed entries.

    :raises StaleVersionError: 412, another writer came first.
    """
    await session.requests.replace(after)
    step = _step(session, given.action, after.state, on, given.text, **detail_of(given, after))
    await _add(session, after, dossier, step)


def _step(session: Session, action: str, state: str, on: date, text: str | None = None, **detail: str) -> Step:
    principal = session.access.principal
    organisation, author = principal.organisation or principal.kind, author_of(principal).name
    return Step(action, state, session.now, organisation, author, on, text, {"by": session.kind, **detail})


async def _add(session: Session, request: FeasibilityRequest, dossier: Dossier, step: Step) -> None:
    await session.requests.steps.add(request.reference, request.version, step)
    FEED.record(session.requests.connection, *changes_of_step(request, step.action, dossier))
