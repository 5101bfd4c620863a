"""Decides on dossiers: the sponsor's consent, the answer of the coordination, and the publication by two people."""

from dataclasses import replace

from services.registry.submissions.content import SubmissionContent
from services.registry.submissions.model import SubmissionState
from services.registry.submissions.problems import FieldRefusedError
from services.registry.submissions.publishing import Publisher
from services.registry.submissions.rules import after, check_decision, check_publication, standing_of
from services.registry.submissions.schemas import SubmissionDecisionInput
from services.registry.submissions.service import Dossier, SubmissionService
from services.registry.trials.service import check_person, check_version


class DecisionService:
    """Decisions on dossiers in one transaction."""

    def __init__(self, dossiers: SubmissionService, publisher: Publisher) -> None:
        self.dossiers = dossiers
        self.publisher = publisher

    async def decide(self, dossier: Dossier, given: SubmissionDecisionInput, expected: int | None) -> Dossier:
        """Consent to the publication of a dossier, accept or decline it, or ask for its publication.

        :raises WrongStepError: 409. :raises StaleVersionError: 412. :raises InvalidBodyError: 422.
        """
        one, service = dossier.one, self.dossiers
        check_version(expected, one.version)
        state = after(one, given.action, service.principal.kind, dossier.relation)
        if (given.answer is None) == (given.action == "decide"):
            raise FieldRefusedError.at(
                "/answer", "answer", "answer est requis avec decide, et seulement avec decide",
                "answer is required to decide, and only then",
            )  # fmt: skip
        on = await service.check_input(one, given.action, given.reason, given.on)
        detail: dict[str, object] = {"submitted": one.number}
        if given.action == "publish":
            return await self._publish(dossier, given, state)
        if given.answer is not None:
            steps = await service.repository.steps.of(one.reference)
            changed = await service.changes_criteria(one)
            check_decision(one, given.answer, standing_of(one, steps), criteria_changed=changed)
            detail["answer"] = given.answer
        moved = replace(one, state=state, answer=given.answer or one.answer)
        return await service.write(
            dossier, moved, given.action, service.made(given.action, state, on, given.reason, detail)
        )

    async def _publish(self, dossier: Dossier, given: SubmissionDecisionInput, state: SubmissionState) -> Dossier:
        one, service = dossier.one, self.dossiers
        check_person(service.principal)
        await service.repository.lock(one.reference)
        standing = standing_of(one, await service.repository.steps.of(one.reference))
        detail: dict[str, object] = {"submitted": one.number}
        if not check_publication(one, standing, service.author):
            step = service.made("publish", one.state, service.today, given.reason, detail)
            return await service.write(dossier, one, "publish", step)
        assert standing.asked is not None
        changed = await service.changes_criteria(one)
        content = SubmissionContent.model_validate_json(one.content)
        reason = given.reason or f"{one.reference}, version {one.number}"
        trial = await self.publisher.publish(one, content, (standing.asked.author, service.author), reason, service.now)
        moved = replace(one, state=state, published_number=one.number, trial_key=trial)
        step = service.made("publish", state, service.today, given.reason, {**detail, "trial_id": trial})
        published = await service.write(dossier, moved, "publish", step, criteria_changed=changed)
        await self.publisher.announce(published.one, criteria_changed=changed)
        return published
