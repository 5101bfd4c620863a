"""Opens questionnaires again when an amendment has changed the criteria that they were answered about."""

from datetime import datetime
from typing import Final

from services.registry.feasibility.model import SELECTED, gate_state
from services.registry.feasibility.repository import FeasibilityRepository, GateRepository
from services.registry.feasibility.routing import changes_of_step
from services.registry.feasibility.schemas import FeasibilityStepInput
from services.registry.feasibility.session import dossier_of
from services.registry.feasibility.stepping import TABLE, changed, detail_of
from services.registry.schema import FEED
from services.registry.steps.model import Step
from services.registry.submissions.repository import SubmissionRepository
from shared.persistence import Writing, with_grants
from shared.values.clock import day_in_france

_ANSWERED: Final = frozenset({"answered", "shortlisted"}) | SELECTED
_AGAIN: Final = FeasibilityStepInput(action="ask_again")
_COORDINATION: Final = "coordination"


async def ask_again(connection: Writing, submission: str, now: datetime) -> None:
    """Ask the centres again that answered about a dossier; their answers stay as a draft.

    A centre that was selected since stays so. One whose confidentiality agreement is no longer in force is not asked.
    """
    today = day_in_france(now)
    async with with_grants(connection, "submission.read.all", "feasibility.read.all", "feasibility.write.all"):
        repository, gates = FeasibilityRepository(connection), GateRepository(connection)
        dossier = await dossier_of(SubmissionRepository(connection), submission)
        for request, _ in await repository.of_dossier(submission):
            if request.state not in _ANSWERED or request.is_asked:
                continue
            if gate_state(await gates.agreement_of(submission, request.centre), today) != "open":
                continue
            steps = await repository.steps.of(request.reference)
            on = max([today, *(step.on for step in steps if step.on)])
            state = TABLE.after(request.state, _AGAIN.action, _COORDINATION)
            after = changed(request, steps, state, _AGAIN, on, today)
            await repository.replace(after)
            detail = {"by": _COORDINATION, **detail_of(_AGAIN, after)}
            step = Step(_AGAIN.action, after.state, now, _COORDINATION, _COORDINATION, on, None, detail)
            await repository.steps.add(after.reference, after.version, step)
            FEED.record(connection, *changes_of_step(after, step.action, dossier))
