"""Imposes and lifts safety holds."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, TypeAlias

from services.registry.model.references import new_reference
from services.registry.safety_holds.model import Agreement, Hold, same_product
from services.registry.safety_holds.problems import HeldTrialError, LiftedHoldError, UnknownTargetError
from services.registry.safety_holds.repository import HoldRepository
from services.registry.safety_holds.routing import HoldChange, change_of_hold, class_alert
from services.registry.safety_holds.rules import check_agreement, check_imposer, party_of, shared_class
from services.registry.safety_holds.schemas import HoldDocument, HoldInput, LiftInput
from services.registry.trials.model import StoredTrial
from services.registry.trials.service import TrialService, author_of, check_person, check_version
from shared.access.policy import Access
from shared.values.clock import day_in_france
from shared.values.problems import Fault, InvalidBodyError, NotFoundError, StaleVersionError
from shared.values.wire import Label

MAX_OF_TRIAL = 200
FRANCE = "FR"
# In the transaction of the hold, once for each trial that it concerns, with the key of that trial. The application
# names them: features that depend on holds are not imported here.
HoldHook: TypeAlias = Callable[[Any, str, Hold, HoldChange], Awaitable[None]]


class HoldService:
    """Safety holds in one transaction. ``hooks``: what other features do when one begins or ends."""

    def __init__(self, trials: TrialService, hooks: Sequence[HoldHook] = ()) -> None:
        self.trials = trials
        self.hooks = hooks
        self.repository = HoldRepository(trials.repository.connection)
        self.now = trials.now

    async def of_trial(self, identifier: str, access: Access, *, lifted: bool) -> list[HoldDocument]:
        """Return the holds that concern a trial, newest first.

        :raises NotFoundError: 404, there is no such trial that the caller may see.
        """
        stored = await self.trials.find(identifier, access.rows)
        product = stored.trial.product.name
        holds = await self.repository.of_trial(stored.key, lifted=lifted, limit=MAX_OF_TRIAL)
        return await self._documents(
            [one for one in holds if one.scope != "product" or same_product(one.target, product)], access
        )

    async def page(
        self, access: Access, after: tuple[datetime, str] | None, limit: int, *, lifted: bool
    ) -> list[HoldDocument]:
        """Return holds on trials that the caller may see, newest first."""
        lifted = lifted and access.fields == "all"
        holds = await self.repository.page(after, limit, published=access.rows != "all", lifted=lifted)
        return await self._documents(holds, access)

    async def read(self, hold: str, access: Access) -> HoldDocument:
        """Return one hold.

        :raises NotFoundError: 404.
        """
        found, _ = await self._find(hold, access)
        return (await self._documents([found], access))[0]

    async def impose(self, identifier: str, given: HoldInput, access: Access) -> HoldDocument:
        """Impose a hold: it has effect at once. The parties of other trials of the same class are alerted.

        :raises ForbiddenError: 403, for another's site or trial, or a kind that is not the caller's to state.
        :raises UnknownTargetError: 422.
        """
        stored = await self._visible(identifier, access)
        owner = await self.trials.repository.owner(stored.key)
        check_imposer(access.principal, owner, given.scope, given.target, given.kind)
        check_past(given.decided_on, day_in_france(self.now))
        author = author_of(access.principal).name
        hold = Hold(
            new_reference("HLD"), stored.key, 1, given.scope, await self._target(stored, given), given.kind,
            given.reason, self.now, access.principal.organisation or access.principal.kind, author,
            given.decided_on, given.reference,
        )  # fmt: skip
        await self.repository.add(hold)
        await self._announce(hold, stored, owner, "imposed")
        product = stored.trial.product.model_dump()
        for other in await self.repository.classes(other_than=stored.key):
            if shared := shared_class(product, other.product):
                self.trials.writer.record(class_alert(hold, other, shared))
        return (await self._documents([hold], access))[0]

    async def lift(self, hold_id: str, given: LiftInput, access: Access, expected: int | None) -> HoldDocument:
        """Agree to lift a hold; the second organisation lifts it.

        The sites in its scope are unconfirmed until their centre confirms them.

        :raises NotFoundError: 404.
        :raises LiftedHoldError: 409.
        :raises ForbiddenError: 403, the caller is none of the parties or no person, imposed it, or agreed for the
            same side.
        :raises OtherReferenceError: 409.
        """
        hold, stored = await self._find(hold_id, access, lock=True)
        check_person(access.principal)
        check_version(expected, hold.version)
        if hold.lifted_at is not None:
            raise LiftedHoldError
        check_past(given.decided_on, day_in_france(self.now))
        agreement = await self._agreement(hold, stored, given, access)
        lifts = check_agreement(hold, agreement)
        await self.repository.agree(hold.id, agreement)
        others = tuple(one for one in hold.agreements if one.organisation != agreement.organisation)
        hold = replace(
            hold,
            version=hold.version + 1,
            agreements=(*others, agreement),
            lifted_at=self.now if lifts else None,
        )
        if not await self.repository.save(hold):
            raise StaleVersionError
        if lifts:
            await self._reopen(hold, stored, agreement.author)
        return (await self._documents([hold], access))[0]

    async def _agreement(self, hold: Hold, stored: StoredTrial, given: LiftInput, access: Access) -> Agreement:
        principal, key = access.principal, stored.key
        centres = {site.centre for site in await self.trials.repository.sites(key) if site.is_known}
        party = party_of(principal, await self.trials.repository.owner(key), hold, centres)
        return Agreement(
            party, principal.organisation or principal.kind, author_of(principal).name, self.now, given.basis,
            given.reference, given.decided_on,
        )  # fmt: skip

    async def _reopen(self, hold: Hold, stored: StoredTrial, author: str) -> None:
        """Send the event of a lifted hold, and take back the confirmation of the sites in its scope."""
        owner = await self.trials.repository.owner(stored.key)
        await self._announce(hold, stored, owner, "lifted")
        if hold.scope == "country" and hold.target != FRANCE:
            return
        centres: Collection[str] | None = [hold.target] if hold.scope == "site" and hold.target else None
        await self.trials.merger.sites.unconfirm(stored, centres, author)
        for other in await self._of_product(hold, owner):
            await self.trials.merger.sites.unconfirm(await self.trials.repository.get(other), None, author)

    async def _announce(self, hold: Hold, stored: StoredTrial, owner: str | None, change: HoldChange) -> None:
        self.trials.writer.record(change_of_hold(hold, stored, owner, change))
        concerned = [stored.key, *await self._of_product(hold, owner)]
        for hook in self.hooks:
            for key in concerned:
                await hook(self.repository.connection, key, hold, change)

    async def _of_product(self, hold: Hold, owner: str | None) -> list[str]:
        """Return the other trials of the same owner that a hold on a product concerns."""
        if hold.scope != "product":
            return []
        others = await self.repository.classes(other_than=hold.trial_key)
        return [one.key for one in others if one.owner == owner and same_product(one.product.get("name"), hold.target)]

    async def _target(self, stored: StoredTrial, given: HoldInput) -> str | None:
        trial = stored.trial
        target = trial.product.name if given.scope == "product" else given.target
        known: Mapping[str, Collection[str | None]] = {
            "trial": [None],
            "country": trial.countries,
            "site": [site.centre for site in await self.trials.repository.sites(stored.key)],
            "cohort": [cohort.id for cohort in trial.cohorts],
            "product": [trial.product.name] if trial.product.name else [],
        }
        if target not in known[given.scope]:
            fault = Fault(pointer="/target", code=UnknownTargetError.code, detail=UnknownTargetError.title)
            raise UnknownTargetError(errors=[fault])
        return target

    async def _find(self, hold_id: str, access: Access, *, lock: bool = False) -> tuple[Hold, StoredTrial]:
        hold = await self.repository.get(hold_id, lock=lock)
        if hold is None or (hold.lifted_at is not None and access.fields != "all"):
            raise NotFoundError
        return hold, await self._visible(hold.trial_key, access)

    async def _visible(self, identifier: str, access: Access) -> StoredTrial:
        return await self.trials.find(identifier, "all" if access.rows == "all" else "published")

    async def _documents(self, holds: list[Hold], access: Access) -> list[HoldDocument]:
        trials = await self.repository.answering(one.trial_key for one in holds) if holds else {}
        whole, with_authors = access.fields == "all", access.principal.kind == "coordination"
        return [
            HoldDocument.of(one, trials[one.trial_key], whole=whole, with_authors=with_authors)
            for one in holds
            if one.trial_key in trials
        ]


def check_open(holds: Collection[Hold], centre: str, cohort: str, product: str | None) -> None:
    """Check that nothing forbids a new place at a French centre.

    :raises HeldTrialError: 409.
    """
    if any(hold.covers(FRANCE, centre, cohort, product) for hold in holds):
        raise HeldTrialError


def check_past(day: date | None, today: date, pointer: str = "/decided_on") -> None:
    """:raises InvalidBodyError: 422, the day is in the future. ``pointer``: of its field."""
    if day is not None and day > today:
        future = Label(fr="ne peut être dans l'avenir", en="cannot be in the future")
        raise InvalidBodyError(future, errors=[Fault(pointer=pointer, code="in_the_future", detail=future)])
