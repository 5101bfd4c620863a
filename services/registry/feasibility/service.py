"""Reads feasibility requests and takes the steps of their work."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from services.registry.feasibility.clocks import clocks, is_question_open
from services.registry.feasibility.gate import age_bands_of, conditions_of, countries_of, shown
from services.registry.feasibility.model import (
    SELECTED,
    AnswerSheet,
    Dossier,
    FeasibilityRequest,
    GateState,
)
from services.registry.feasibility.problems import ConfidentialityGateError
from services.registry.feasibility.questionnaire import questionnaire
from services.registry.feasibility.recording import record_step
from services.registry.feasibility.repository import Narrowing
from services.registry.feasibility.schemas import (
    FeasibilityClock,
    FeasibilityDocument,
    FeasibilityStep,
    FeasibilityStepInput,
    FeasibilityStepPage,
    FeasibilitySummary,
    IndicationShown,
    StudyShown,
)
from services.registry.feasibility.session import Session
from services.registry.feasibility.sheets import submitted
from services.registry.feasibility.stepping import (
    GATED,
    changed,
    check_step,
    possible,
    shown_state,
    state_after,
)
from services.registry.steps.model import Step
from services.registry.submissions.content import SubmissionTrial
from services.registry.trials.service import check_version


@dataclass(frozen=True, slots=True)
class FeasibilityService:
    """Requests in one transaction."""

    session: Session

    async def page(
        self, state: str | None, due_by: date | None, after: tuple[datetime, str] | None, limit: int
    ) -> list[FeasibilitySummary]:
        """Return the requests that the caller sees, newest first."""
        session = self.session
        narrowing = Narrowing(state=state, due_by=due_by)
        if not session.sees_all:
            narrowing = Narrowing(session.access.principal.centre or "", None, state, due_by)
        if session.kind == "sponsor":
            narrowing = Narrowing(None, await session.own_dossiers(), state, due_by)
        found = await session.requests.page(narrowing, after, limit)
        steps = await session.requests.steps.of_many([one.reference for one in found])
        return [summary(one, steps.get(one.reference, ())) for one in found]

    async def read(self, submission: str, centre: str) -> FeasibilityDocument:
        """Return a request, with what the caller may see of the study.

        :raises NotFoundError: 404.
        """
        request = await self.session.request(submission, centre)
        return await self._document(request, await self.session.dossier(submission))

    async def steps(self, submission: str, centre: str) -> FeasibilityStepPage:
        """Return the steps of a request. Another party's person or program is named to the coordination only.

        :raises NotFoundError: 404.
        """
        request = await self.session.request(submission, centre)
        steps = await self.session.requests.steps.of(request.reference)
        return FeasibilityStepPage(items=[self._step(number, one) for number, one in enumerate(steps, 1)])

    async def step(
        self, submission: str, centre: str, given: FeasibilityStepInput, expected: int | None
    ) -> FeasibilityDocument:
        """Take a step of a request, made from version ``expected`` (None: from any).

        :raises WrongStepError: 409, it is not possible now.
        :raises ConfidentialityGateError: 409, it needs an agreement in force.
        :raises InvalidBodyError: 422, a date or a reason cannot be.
        """
        session = self.session
        request = await session.request(submission, centre, lock=True)
        check_version(expected, request.version)
        dossier = await session.dossier(submission)
        steps = await session.requests.steps.of(request.reference)
        state = state_after(request, steps, dossier, given.action, session.kind)
        on = given.on or session.today
        check_step(given, on, session.today, steps[-1].on if steps else None)
        if given.action in GATED and await session.gate(submission, centre) != "open":
            raise ConfidentialityGateError
        after = changed(request, steps, state, given, on, session.today)
        after = await self._with_answers(after, given, on, dossier)
        await record_step(session, after, dossier, given, on)
        return await self._document(after, dossier)

    async def _with_answers(
        self, request: FeasibilityRequest, given: FeasibilityStepInput, on: date, dossier: Dossier
    ) -> FeasibilityRequest:
        """Open the questionnaire, or take its answers, where the step does so."""
        repository = self.session.requests
        sheet = await repository.sheet(request.reference)
        if given.action in {"send_questionnaire", "ask_again"} and sheet is None:
            await repository.add_sheet(request.reference)
        if given.action != "submit" or sheet is None:
            return request
        after: AnswerSheet = submitted(questionnaire(), sheet, dossier, on)
        await repository.replace_sheet(after)
        return replace(request, named=after.may_be_named or request.state in SELECTED)

    async def _document(self, request: FeasibilityRequest, dossier: Dossier) -> FeasibilityDocument:
        session = self.session
        steps = await session.requests.steps.of(request.reference)
        gate = await session.gate(request.submission, request.centre)
        return FeasibilityDocument(
            **{**dict(summary(request, steps)), "state": shown_state(request, dossier)},
            gate=gate,
            actions=possible(request, steps, dossier, session.kind),  # type: ignore[arg-type]
            dossier=await self._dossier(dossier, gate),
            clocks=[
                FeasibilityClock(
                    name=one.name, start=one.start, end=one.end, outcome=one.outcome, days=one.days,
                    working_days=one.working_days, paused=one.paused,
                )
                for one in clocks(steps, session.today)
            ],
        )  # fmt: skip

    async def _dossier(self, dossier: Dossier, gate: GateState) -> StudyShown:
        complete = self.session.kind != "centre" or gate == "open"
        trial = dossier.trial
        if not complete:
            async with self.session.beyond():
                _, visible = await self.session.gates.visible(dossier.reference)
            trial = shown(dossier.trial, visible)
        return StudyShown(
            conditions=[IndicationShown(code=code, text=text) for code, text in conditions_of(dossier.trial)],
            phase=dossier.trial.get("phase"),
            age_bands=age_bands_of(dossier.trial),
            countries=countries_of(dossier.trial),
            complete=complete,
            trial=SubmissionTrial.model_validate_json(json.dumps(trial)),
        )

    def _step(self, number: int, step: Step) -> FeasibilityStep:
        by = step.detail["by"]
        shows_author = self.session.sees_all or by == self.session.kind
        return FeasibilityStep(
            number=number, action=step.action, state=step.state, on=step.on, at=step.at, by=by,  # type: ignore[arg-type]
            author=step.author if shows_author else None, reason=step.detail.get("reason"), text=step.reason,
        )  # fmt: skip


def summary(request: FeasibilityRequest, steps: Iterable[Step]) -> FeasibilitySummary:
    """Return a request as lists show it."""
    return FeasibilitySummary(
        reference=request.reference,
        submission=request.submission,
        centre=request.centre,
        version=request.version,
        state=request.state,  # type: ignore[arg-type]
        requested_at=request.requested_at,
        deadline=request.deadline,
        named=request.named,
        question_open=is_question_open(steps),
    )
