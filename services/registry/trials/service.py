"""Decides what a trial becomes: its versions, its criteria, its sites. Every accepted change is one version and, where anything shows, feed entries."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from services.registry.centres.repository import CentreRepository
from services.registry.schema import FEED
from services.registry.scope.gate import judge as scope_gate
from services.registry.sources.registry_criteria import registry_criteria
from services.registry.terminology.terminology import Terminology
from services.registry.trials.problems import (
    CriteriaRefusedError,
    IdentifierMismatchError,
    IdentifierTakenError,
    OutOfScopeError,
    UnknownCentreError,
    UnknownCohortError,
)
from services.registry.trials.repository import StoredSite, StoredTrial, TrialRepository
from services.registry.trials.routing import audience, change_of_site, change_of_trial, facets
from services.registry.trials.schemas import (
    CriteriaHead,
    Origin,
    ScopeAnswer,
    SiteInput,
    Slots,
    Trial,
    TrialInput,
    TrialScope,
    TrialSite,
    preferred_identifier,
)
from services.registry.trials.search import words_of
from shared.criteria.lint import RegistryRecord, lint
from shared.criteria.model import CriteriaDocument
from shared.feed.changes import NOT_VISIBLE, Change, Routing
from shared.values.problems import Fault, InvalidBodyError, NotFoundError, StaleVersionError
from shared.values.wire import Label


class TrialService:
    """Changes of trials in one transaction, which appends what is recorded here to the feed when it is committed."""

    def __init__(self, repository: TrialRepository, centres: CentreRepository, terminology: Terminology) -> None:
        self.repository = repository
        self.centres = centres
        self.terminology = terminology
        self.now = datetime.now(UTC)
        self._departements: dict[str, str] | None = None

    async def create(
        self,
        draft: TrialInput,
        origin: Origin,
        *,
        curated: bool,
        criteria: dict[str, Any] | None = None,
        confirmed_at: datetime | None = None,
    ) -> StoredTrial:
        """A new trial with its first criteria: the given ones, or those that its registry fields say.

        :raises OutOfScopeError: 422, naming the field.
        :raises IdentifierTakenError: 409.
        """
        scope = self.judge(draft)
        if await self.repository.owners(public_numbers(draft)):
            raise IdentifierTakenError
        await self._check_centres(draft)
        key = str(uuid.uuid4())
        document = CriteriaDocument.model_validate_json(
            json.dumps({**(criteria or self._registry_criteria(draft)), "version": 1})
        )
        trial = self._trial(draft, 1, CriteriaHead(version=1, grade=document.grade), scope, origin)
        stored = StoredTrial(key, trial, await self._side(trial), curated)
        await self.repository.save(stored, words_of(trial, self.terminology), ("created",), None)
        await self.repository.add_criteria(
            key, 1, document.grade, self.now, document.model_dump_json(exclude_none=True)
        )
        self._record(change_of_trial(None, trial, (NOT_VISIBLE, stored.side), ("created",)))
        for site in trial.sites:
            await self._save_site(stored, StoredSite(site.centre, 1, site.status, confirmed_at, ()), None)
        return stored

    async def update(
        self, stored: StoredTrial, draft: TrialInput, expected: int | None, *, curated: bool
    ) -> StoredTrial:
        """A new version made from version ``expected`` (None: from whichever is there). Nothing is written when nothing changed.

        :raises StaleVersionError: 412.
        """
        was = stored.trial
        if expected is not None and expected != was.version:
            raise StaleVersionError
        if draft == draft_of(was):
            return stored
        if await self.repository.owners(public_numbers(draft)) - {stored.key}:
            raise IdentifierTakenError
        await self._check_centres(draft)
        head = was.criteria
        if (
            head is not None
            and head.grade == "registry"
            and (draft.eligibility, draft.conditions) != (was.eligibility, was.conditions)
        ):
            head = await self._add_criteria(
                stored.key, head, CriteriaDocument.model_validate_json(json.dumps(self._registry_criteria(draft)))
            )
        trial = self._trial(draft, was.version + 1, head, self.judge(draft), was.origin)
        written = await self._write(stored, trial, curated=curated)
        await self._follow_sites(written, was)
        return written

    async def sign_criteria(
        self, stored: StoredTrial, document: CriteriaDocument, expected: int | None
    ) -> CriteriaDocument:
        """A new version of the criteria, refused where the lint finds an error. ``expected``: the criteria version it was made from.

        :raises CriteriaRefusedError: 422, with a pointer per error.
        :raises StaleVersionError: 412.
        """
        head = stored.trial.criteria
        if head is not None and expected is not None and expected != head.version:
            raise StaleVersionError
        known = frozenset(code for concept in self.terminology for code in self.terminology.same_as(concept.code))
        record = RegistryRecord(**stored.trial.eligibility.model_dump(exclude={"text"}))
        errors = [one for one in lint(document, known, record) if one.severity == "error"]
        if errors:
            raise CriteriaRefusedError(
                errors=[Fault(pointer=one.pointer, code=one.code, detail=one.detail) for one in errors[:50]]
            )
        new = await self._add_criteria(stored.key, head, document)
        trial = stored.trial.model_copy(
            update={"criteria": new, "version": stored.trial.version + 1, "updated_at": self.now}
        )
        await self._write(
            stored, trial, curated=stored.curated, kind="criteria.signed" if new.grade == "signed" else "trial.updated"
        )
        return document.model_copy(update={"version": new.version})

    async def declare_site(
        self, stored: StoredTrial, centre: str, given: SiteInput, expected: int | None
    ) -> StoredSite:
        """What a centre declares of a trial: status, open places per cohort, and that it holds today.

        :raises StaleVersionError: 412.
        """
        cohorts = {cohort.id for cohort in stored.trial.cohorts} or {"all"}
        for index, slots in enumerate(given.slots):
            if slots.cohort not in cohorts:
                place = Fault(pointer=f"/slots/{index}/cohort", code="unknown_cohort", detail=UnknownCohortError.title)
                raise UnknownCohortError(errors=[place])
        if await self.centres.get(centre) is None:
            raise NotFoundError
        held = {site.centre: site for site in await self.repository.sites(stored.key)}.get(centre)
        if held is not None and expected is not None and expected != held.version:
            raise StaleVersionError
        if given.confirmed_at is not None and given.confirmed_at > self.now:
            future = Label(fr="ne peut être dans l'avenir", en="cannot be in the future")
            raise InvalidBodyError(future, errors=[Fault(pointer="/confirmed_at", code="in_the_future", detail=future)])
        site = StoredSite(
            centre, held.version + 1 if held else 1, given.status, given.confirmed_at or self.now, tuple(given.slots)
        )
        if held is None or held.status != given.status:
            others = [one for one in stored.trial.sites if one.centre != centre]
            trial = stored.trial.model_copy(
                update={
                    "sites": sorted(
                        [*others, TrialSite(centre=centre, status=given.status)], key=lambda one: one.centre
                    ),
                    "version": stored.trial.version + 1,
                    "updated_at": self.now,
                }
            )
            stored = await self._write(stored, trial, curated=stored.curated)
        await self._save_site(stored, site, held)
        return site

    def judge(self, draft: TrialInput) -> ScopeAnswer:
        """The scope of a draft.

        :raises OutOfScopeError: 422, naming the fields that decide.
        """
        answer = scope_gate(draft, self.terminology)
        if answer.answer == "out_of_scope":
            raise OutOfScopeError(
                errors=[
                    Fault(pointer=reason.pointer, code=reason.code, detail=reason.detail) for reason in answer.reasons
                ]
            )
        return answer

    def _registry_criteria(self, draft: TrialInput) -> dict[str, Any]:
        return registry_criteria(draft, self.terminology)

    def _trial(
        self, draft: TrialInput, version: int, head: CriteriaHead | None, scope: ScopeAnswer, origin: Origin
    ) -> Trial:
        fields = {name: getattr(draft, name) for name in TrialInput.model_fields}
        return Trial(
            **fields,
            id=preferred_identifier(draft.identifiers),
            version=version,
            updated_at=self.now,
            criteria=head,
            scope=TrialScope(
                answer="in_scope" if scope.answer == "in_scope" else "scope_unclear", reasons=scope.reasons
            ),
            published=scope.answer == "in_scope",
            origin=origin,
        )

    async def _side(self, trial: Trial) -> Routing:
        if self._departements is None:
            self._departements = await self.centres.departements()
        return Routing(audience(trial), facets(trial, self.terminology, self._departements))

    async def _write(self, stored: StoredTrial, trial: Trial, *, curated: bool, kind: str | None = None) -> StoredTrial:
        written = StoredTrial(stored.key, trial, await self._side(trial), curated)
        changed = tuple(
            name
            for name in Trial.model_fields
            if name not in {"version", "updated_at"} and getattr(trial, name) != getattr(stored.trial, name)
        )
        if not await self.repository.save(written, words_of(trial, self.terminology), changed, stored.trial.version):
            raise StaleVersionError
        change = change_of_trial(stored.trial, trial, (stored.side, written.side), changed)
        if kind is not None:
            change = Change(
                kind, change.subject, change.version, change.before, change.after, change.changed, change.extra
            )
        self._record(change)
        if trial.id != stored.trial.id:
            # The trial goes on under a better identifier: who holds the old name must let it go.
            self._record(
                Change(
                    "trial.merged",
                    f"trial/{stored.trial.id}",
                    trial.version,
                    stored.side,
                    NOT_VISIBLE,
                    ("id",),
                    {"into": trial.id},
                )
            )
        return written

    def _record(self, change: Change) -> None:
        FEED.record(self.repository.connection, change)

    async def _add_criteria(self, key: str, head: CriteriaHead | None, document: CriteriaDocument) -> CriteriaHead:
        new = CriteriaHead(version=head.version + 1 if head else 1, grade=document.grade)
        text = document.model_copy(update={"version": new.version}).model_dump_json(exclude_none=True)
        await self.repository.add_criteria(key, new.version, new.grade, self.now, text)
        return new

    async def _follow_sites(self, stored: StoredTrial, was: Trial) -> None:
        """Bring the sites in line with a new version of the trial."""
        held = {site.centre: site for site in await self.repository.sites(stored.key)}
        wanted = {site.centre: site.status for site in stored.trial.sites}
        for centre, status in wanted.items():
            site = held.get(centre)
            if site is None or site.status != status:
                slots: tuple[Slots, ...] = site.slots if site else ()
                following = StoredSite(
                    centre, site.version + 1 if site else 1, status, site.confirmed_at if site else None, slots
                )
                await self._save_site(stored, following, site)
        for gone in was.sites:
            if gone.centre not in wanted and gone.centre in held:
                await self.repository.remove_site(stored.key, gone.centre)
                version = held[gone.centre].version + 1
                self._record(change_of_site(stored.trial, gone.centre, version, gone.status, None, stored.side))

    async def _save_site(self, stored: StoredTrial, site: StoredSite, held: StoredSite | None) -> None:
        if not await self.repository.save_site(stored.key, site, held.version if held else None):
            raise StaleVersionError
        was = held.status if held else None
        self._record(change_of_site(stored.trial, site.centre, site.version, was, site.status, stored.side))

    async def _check_centres(self, draft: TrialInput) -> None:
        if self._departements is None:
            self._departements = await self.centres.departements()
        for index, site in enumerate(draft.sites):
            if site.centre not in self._departements:
                raise UnknownCentreError(
                    errors=[
                        Fault(pointer=f"/sites/{index}/centre", code="unknown_centre", detail=UnknownCentreError.title)
                    ]
                )


def draft_of(trial: Trial) -> TrialInput:
    """What of a trial can be written: the trial without what the registry sets."""
    return TrialInput(**{name: getattr(trial, name) for name in TrialInput.model_fields})


def public_numbers(draft: TrialInput) -> list[tuple[str, str]]:
    """The identifiers that name one trial in the world; a sponsor's code names one only among that sponsor's."""
    return [(one.type, one.value) for one in draft.identifiers if one.type != "sponsor"]


def check_address(identifier: str, draft: TrialInput) -> None:
    """:raises IdentifierMismatchError: 422, when the address is none of the trial's identifiers."""
    if identifier not in {one.value for one in draft.identifiers}:
        raise IdentifierMismatchError(
            errors=[Fault(pointer="/identifiers", code="identifier_mismatch", detail=IdentifierMismatchError.title)]
        )
