"""Reads and changes dossiers: their content, steps, versions and comments."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from services.registry.model.references import new_reference
from services.registry.schema import FEED
from services.registry.steps.model import Step
from services.registry.submissions import rules as steps_rules
from services.registry.submissions.content import (
    SubmissionContent,
    SubmissionTrial,
    personal_faults,
    without_personal_texts,
)
from services.registry.submissions.diffs import changes, criteria_changed
from services.registry.submissions.events import change_of, routing
from services.registry.submissions.model import Comment, Relation, Submission, SubmittedVersion
from services.registry.submissions.problems import FieldRefusedError, NotADraftError, NotStorableError
from services.registry.submissions.repository import SubmissionRepository
from services.registry.submissions.schemas import (
    SubmissionChange,
    SubmissionCommentInput,
    SubmissionDiff,
    SubmissionDocument,
    SubmissionScreening,
    SubmissionStep,
    SubmissionStepInput,
    SubmissionVersion,
    head_of,
)
from services.registry.submissions.screening import faults_of_storage, in_content, screen
from services.registry.trials.drafts import draft_of
from services.registry.trials.repository import TrialRepository
from services.registry.trials.rules import TrialRules
from services.registry.trials.service import author_of, check_version
from shared.access.policy import Access, Rows
from shared.feed.changes import Routing
from shared.persistence import with_grants
from shared.values.clock import day_in_france
from shared.values.problems import (
    ForbiddenError,
    InvalidBodyError,
    NotFoundError,
)


@dataclass(frozen=True, slots=True)
class Dossier:
    """A dossier as one caller may use it."""

    one: Submission
    relation: Relation


class SubmissionService:
    """Dossiers in one transaction, for one caller. ``now``: the time of all that is done."""

    def __init__(
        self, repository: SubmissionRepository, rules: TrialRules, access: Access, now: datetime | None = None
    ) -> None:
        self.repository = repository
        self.rules = rules
        self.access = access
        self.principal = access.principal
        self.author = author_of(access.principal).name
        self.now = now or datetime.now(UTC)

    @property
    def organisation(self) -> str:
        """Return the organisation of the caller; callers without one share what belongs to their kind."""
        return self.principal.organisation or self.principal.kind

    @property
    def today(self) -> date:
        """Return the day on which it is done."""
        return day_in_france(self.now)

    async def find(self, reference: str) -> Dossier:
        """Return a dossier that the caller may see.

        :raises NotFoundError: 404, there is none.
        """
        found = await self.repository.find(reference, self.organisation)
        if found is None:
            raise NotFoundError
        one, relation = found
        if relation is None and self.access.rows == "all":
            relation = "coordination" if self.principal.kind == "coordination" else "reader"
        if relation is None:
            raise NotFoundError
        return Dossier(one, relation)

    async def page(
        self, state: str | None, after: tuple[datetime, str] | None, limit: int
    ) -> list[tuple[Submission, list[Step]]]:
        """Return the dossiers that the caller may see with their steps, newest first."""
        of = None if self.access.rows == "all" else self.organisation
        found = await self.repository.page(of, state, after, limit)
        steps = await self.repository.steps.of_many([one.reference for one in found])
        return [(one, steps.get(one.reference, [])) for one in found]

    async def create(self, content: SubmissionContent, detail: Mapping[str, object] | None = None) -> Dossier:
        """Create a dossier of the caller's organisation.

        :raises InvalidBodyError: 422, a text names a person.
        """
        self._check_texts(content)
        one = Submission(
            new_reference("SUB"), self.organisation, "draft", 1, content.dump(), self.now, self.now,
            _title_of(content),
        )  # fmt: skip
        await self.repository.add(one)
        step = self.made("create", one.state, self.today, None, detail)
        await self.repository.steps.add(one.reference, one.version, step)
        FEED.record(self.repository.connection, change_of(None, one, routing(one, ()), "create"))
        return Dossier(one, "owner")

    async def prefilled(self, number: str, content: SubmissionContent) -> SubmissionContent:
        """Return a content with what the registry has of a trial. Where ``content`` gives a trial, that counts.

        :raises FieldRefusedError: 422, the caller sees no trial with this number.
        """
        rows: Rows = "all" if self.access.rows == "all" else "published"
        stored = await TrialRepository(self.repository.connection).find(number, rows)
        if stored is None:
            raise FieldRefusedError.at(
                "/from", "unknown_trial", "aucun essai du registre n'a ce numéro", "no trial has this number"
            )
        fields = draft_of(stored.trial).model_dump(mode="json", exclude_defaults=True)
        fields.pop("sample", None)
        # What a source wrote about a person is not taken over.
        trial = without_personal_texts(SubmissionTrial.model_validate(fields))
        code = next((one.value for one in trial.identifiers if one.type == "sponsor"), None)
        given = content.model_dump(exclude_unset=True)
        return SubmissionContent.model_validate({"protocol_code": code, "trial": trial, **given})

    async def edit(self, dossier: Dossier, content: SubmissionContent, expected: int | None) -> Dossier:
        """Replace the content of a draft, made from version ``expected`` (None: any).

        :raises NotADraftError: 409.
        :raises StaleVersionError: 412.
        """
        one = dossier.one
        check_version(expected, one.version)
        if dossier.relation not in {"owner", "delegate", "proxy"}:
            # What a sponsor submits is its own: the coordination comments, and returns it.
            raise ForbiddenError
        if one.state != "draft":
            raise NotADraftError
        self._check_texts(content)
        edited = replace(one, content=content.dump(), title=_title_of(content))
        return await self.write(dossier, edited, "edit", None)

    async def step(self, dossier: Dossier, given: SubmissionStepInput, expected: int | None) -> Dossier:
        """Take a step that needs one person.

        :raises WrongStepError: 409. :raises StaleVersionError: 412. :raises InvalidBodyError: 422.
        """
        one = dossier.one
        check_version(expected, one.version)
        action = given.action
        state = steps_rules.after(one, action, self.principal.kind, dossier.relation)
        on = await self.check_input(one, action, given.reason, given.on)
        moved = replace(one, state=state)
        detail: dict[str, object] = {}
        if action == "submit":
            moved, detail = await self._submitted(moved)
        elif action == "drop_amendment":
            assert one.published_number is not None
            (published,) = await self.repository.versions(one.reference, [one.published_number])
            moved = replace(moved, content=published.content, answer="accepted")
        elif action == "amend":
            moved = replace(moved, answer=None)
        return await self.write(dossier, moved, action, self.made(action, state, on, given.reason, detail))

    async def _submitted(self, one: Submission) -> tuple[Submission, dict[str, object]]:
        """Make the working content the next version.

        :raises NotStorableError: 422, the registry could not make a trial of it.
        """
        content = SubmissionContent.model_validate_json(one.content)
        if faults := faults_of_storage(content):
            raise NotStorableError(errors=[fault.model_copy(update={"pointer": in_content(fault)}) for fault in faults])
        found = screen(content, self.rules, self.today)
        number = one.number + 1
        version = SubmittedVersion(number, self.now, self.author, one.content, found.model_dump_json())
        await self.repository.add_version(one.reference, version)
        detail: dict[str, object] = {"submitted": number, "score": found.score}
        if one.published_number is not None:
            detail["criteria_changed"] = await self.changes_criteria(one)
        return replace(one, number=number, answer=None), detail

    async def changes_criteria(self, one: Submission) -> bool:
        """Return whether the working content changes who can take part, compared with what is published.

        False: nothing is published. Feasibility and referrals ask this of an amendment.
        """
        if one.published_number is None:
            return False
        (published,) = await self.repository.versions(one.reference, [one.published_number])
        before, after = (SubmissionContent.model_validate_json(text) for text in (published.content, one.content))
        return criteria_changed(before, after)

    async def screening(self, dossier: Dossier, number: int | None) -> SubmissionScreening:
        """Screen the working content; or return what was found when a version was submitted.

        :raises NotFoundError: 404, there is no such version.
        """
        if number is None:
            content = SubmissionContent.model_validate_json(dossier.one.content)
            return screen(content, self.rules, self.today)
        return SubmissionScreening.model_validate_json((await self._version(dossier.one, number)).screening)

    async def versions(self, dossier: Dossier) -> list[SubmissionVersion]:
        """Return the submitted versions, oldest first."""
        return [
            SubmissionVersion(
                number=one.number,
                at=one.at,
                author=one.author,
                content=SubmissionContent.model_validate_json(one.content),
                screening=SubmissionScreening.model_validate_json(one.screening),
            )
            for one in await self.repository.versions(dossier.one.reference)
        ]

    async def diff(self, dossier: Dossier, first: int, last: int | None) -> SubmissionDiff:
        """Return what differs between two versions. ``last``: None: the working content.

        :raises NotFoundError: 404, there is no such version.
        """
        before = (await self._version(dossier.one, first)).content
        after = dossier.one.content if last is None else (await self._version(dossier.one, last)).content
        one, other = (SubmissionContent.model_validate_json(text) for text in (before, after))
        items = [
            SubmissionChange(path=found.path, before=found.before, after=found.after) for found in changes(one, other)
        ]
        return SubmissionDiff(
            **{"from": first}, to=last or 0, criteria_changed=criteria_changed(one, other), items=items
        )

    async def comment(self, dossier: Dossier, given: SubmissionCommentInput) -> Comment:
        """Add a comment. Internal ones are for the coordination.

        :raises ForbiddenError: 403, an authority; or an internal one by another than the coordination.
        """
        self.check_reads_comments(dossier)
        if given.internal and dossier.relation != "coordination":
            raise ForbiddenError
        one = dossier.one
        await self.repository.lock(one.reference)
        # The number counts internal comments too, which only the coordination reads.
        async with with_grants(self.repository.connection, "submission.write.all"):
            number = await self.repository.last_comment(one.reference) + 1
        comment = Comment(number, self.now, self.author, given.text, given.pointer, given.internal)
        await self.repository.add_comment(one.reference, comment)
        if not given.internal:
            hearing = await self.hearing(one)
            FEED.record(self.repository.connection, change_of(hearing, one, hearing, "comment"))
        return comment

    async def comments(self, dossier: Dossier, after: int, limit: int) -> list[Comment]:
        """Return comments after a number, as far as the caller may read them.

        :raises ForbiddenError: 403, an authority.
        """
        self.check_reads_comments(dossier)
        internal = dossier.relation == "coordination"
        return await self.repository.comments(dossier.one.reference, after, limit, internal=internal)

    def check_reads_comments(self, dossier: Dossier) -> None:
        """:raises ForbiddenError: 403, authorities read no comments."""
        if dossier.relation == "reader":
            raise ForbiddenError

    async def document(self, dossier: Dossier) -> str:
        """Return a dossier as the caller gets it, as JSON."""
        one = dossier.one
        steps = await self.repository.steps.of(one.reference)
        standing = steps_rules.standing_of(one, steps)
        head = SubmissionDocument.model_construct(
            **head_of(one, steps),
            amends=one.amends,
            actions=steps_rules.possible(one, self.principal.kind, dossier.relation),
            consent_by=standing.consent.author if standing.consent else None,
            publication_asked_by=standing.asked.author if standing.asked else None,
            steps=[SubmissionStep.of(step) for step in steps],
        )
        text = head.model_dump_json(exclude={"content"})
        # The stored content has the form of its model: it is not parsed to be written again.
        return f'{text[:-1]},"content":{one.content}}}'

    async def check_input(self, one: Submission, action: str, reason: str | None, on: date | None) -> date:
        """Return the day of a step. :raises FieldRefusedError: 422, no reason, or a day that cannot be."""
        if action in steps_rules.REASON_REQUIRED and reason is None:
            raise FieldRefusedError.at("/reason", "missing", "un motif est requis", "a reason is required")
        if on is None:
            return self.today
        if on > self.today:
            raise FieldRefusedError.at("/on", "in_the_future", "ne peut être dans l'avenir", "cannot be in the future")
        last = max((step.on for step in await self.repository.steps.of(one.reference) if step.on), default=on)
        if on < last:
            raise FieldRefusedError.at(
                "/on", "before_last_step", f"l'étape précédente est du {last}", f"the step before is of {last}"
            )
        return on

    def made(
        self, action: str, state: str, on: date, reason: str | None, detail: Mapping[str, object] | None = None
    ) -> Step:
        """Return a step of the caller, made now."""
        return Step(action, state, self.now, self.organisation, self.author, on, reason, detail or {})

    async def write(
        self,
        dossier: Dossier,
        moved: Submission,
        action: str,
        step: Step | None,
        *,
        before: Routing | None = None,
        criteria_changed: bool = False,
    ) -> Dossier:
        """Write the next version of a dossier with its step and feed entry.

        ``before``: who heard of it until now, where that has changed already.

        :raises StaleVersionError: 412, another transaction came first.
        """
        before = before or await self.hearing(dossier.one)
        written = replace(moved, version=dossier.one.version + 1, updated_at=self.now)
        await self.repository.replace(written)
        if step is not None:
            await self.repository.steps.add(written.reference, written.version, step)
        after = await self.hearing(written)
        change = change_of(before, written, after, action, criteria_changed=criteria_changed)
        FEED.record(self.repository.connection, change)
        return Dossier(written, dossier.relation)

    async def hearing(self, one: Submission) -> Routing:
        """Return who hears of a dossier."""
        return routing(one, [delegate.organisation for delegate in await self.repository.delegates(one)])

    async def _version(self, one: Submission, number: int) -> SubmittedVersion:
        found = await self.repository.versions(one.reference, [number])
        if not found:
            raise NotFoundError
        return found[0]

    def _check_texts(self, content: SubmissionContent) -> None:
        if faults := personal_faults(content):
            raise InvalidBodyError(
                errors=[fault.model_copy(update={"pointer": f"/content{fault.pointer}"}) for fault in faults]
            )


def _title_of(content: SubmissionContent) -> str | None:
    titles = content.trial.titles
    return content.title or titles.fr or titles.en
