"""Decides on the places of referrals: who gets one, who waits, and what frees one."""

from datetime import date, datetime
from typing import Final

from services.registry.enrolment.model import GivenBack, Place, Stage, Waiting
from services.registry.trials.model import StoredTrial
from shared.persistence import Writing

SERVICE: Final = "service/registry"


class EnrolmentService:
    """Places in one transaction. ``author``: who acts, as `trials.service.author_of` names it."""

    def __init__(self, connection: Writing, now: datetime, author: str = SERVICE) -> None:
        self.connection = connection
        self.now = now
        self.author = author

    async def request(
        self, referral: str, trial: StoredTrial, centre: str, cohort: str | None, waiting: Waiting
    ) -> Place:
        """Ask for a place of a cohort (None: the only one of this centre); repeated, return what it has.

        The place is `held` if one is free, no other patient waits, and the centre allocates; else it is `waiting`,
        with its position, or `too_late`.

        :raises NoPlaceError: 409, no places are offered there.
        :raises HeldTrialError: 409, a safety hold is in force there.
        """
        raise NotImplementedError

    async def of(self, referral: str) -> Place | None:
        """Return the place of a referral, or its wait, also when it has ended; None: it never asked for one."""
        raise NotImplementedError

    async def give_back(self, referral: str, reason_code: GivenBack) -> Place | None:
        """Say that a referral no longer needs its place, or that its manufacturing failed.

        It is free at once, or a decision is due (`give_back.json`): nothing is given back automatically after the
        conditioning has started, and a manufacturing failure takes a decision. None: it has no place.
        """
        raise NotImplementedError

    async def advance(self, referral: str, stage: Stage, on: date | None = None) -> Place | None:
        """Say how far a referral is. ``on``: the day, of `dosed`; None: today. None: it never asked for a place.

        `consented`: the place expires no more. `included` confirms it. `collected` takes a manufacturing slot.
        `conditioned`: nothing frees it automatically. `dosed`: it is used, and the staggering of the cohort begins.

        :raises NoPlaceError: 409, it is to be included and has no place (any more).
        :raises NoSlotError: 409, no manufacturing slot is free.
        :raises HeldTrialError: 409, it is to be included, and a safety hold is in force there.
        """
        raise NotImplementedError

    async def waiting_list(self, trial_key: str, centre: str, cohort: str) -> list[Place]:
        """Return who waits, in the suggested order; those that are too late come last, without a position."""
        raise NotImplementedError
