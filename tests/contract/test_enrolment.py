"""Places of enrolments: who gets one, who waits, what frees one, and when a staggered cohort opens."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from services.registry.enrolment.expiry import expire_some
from services.registry.enrolment.model import Place, Waiting
from services.registry.enrolment.problems import DecisionDueError, NoPlaceError, NoSlotError
from services.registry.enrolment.service import EnrolmentService
from services.registry.model.references import new_reference
from services.registry.safety_holds.problems import HeldTrialError
from services.registry.trials.repository import TrialRepository
from shared.values.problems import DatabaseBusyError
from tests.contract.parties import CENTRE, OTHER_CENTRE, TRIAL, Parties
from tests.contract.registry import running_registry
from tests.contract.test_registry import events_since, now

pytestmark = pytest.mark.anyio

COHORT = f"{TRIAL}/sites/{CENTRE}/enrolment/A"
Use = Callable[[EnrolmentService], Awaitable[Any]]


@dataclass
class Places:
    """The places of cohort A at a centre. ``now`` can be moved."""

    parties: Parties
    now: datetime

    async def use(self, do: Use) -> Any:
        """Do something in a transaction of its own, as another part of the registry does."""
        async with self.parties.app.state.database.transaction() as connection:
            return await do(EnrolmentService(connection, self.now))

    async def request(
        self, reference: str | None = None, centre: str = CENTRE, *, days: int | None = None, waited: int = 0
    ) -> Place:
        """Ask for a place. ``days``: until the last one to dose; ``waited``: since the referral."""
        today = self.now.date()
        limit = None if days is None else today + timedelta(days=days)
        waiting = Waiting(today - timedelta(days=waited), dosing_limit=limit)
        reference = reference or new_reference("REF")

        async def do(service: EnrolmentService) -> Place:
            trial = await TrialRepository(service.connection).find(TRIAL.rpartition("/")[2])
            assert trial is not None
            return await service.request(reference, trial, centre, "A", waiting)

        found: Place = await self.use(do)
        return found

    async def advance(self, place: Place, *stages: Any, on: date | None = None) -> Place:
        referral, found = place.referral, place
        for stage in stages:

            async def do(service: EnrolmentService, stage: Any = stage) -> Place | None:
                return await service.advance(referral, stage, on)

            found = await self.use(do)
        return found

    async def give_back(self, place: Place, reason: Any) -> Place:
        found: Place = await self.use(lambda service: service.give_back(place.referral, reason))
        return found

    async def numbers(self) -> tuple[int, int, int, int]:
        """Return how many are held, used, waiting and free."""
        found = await self.parties.call("hospital", "GET", COHORT)
        return found["held"], found["used"], found["waiting"], found["free"]

    async def declare(self, who: str = "centre", centre: str = CENTRE, **given: Any) -> dict[str, Any]:
        path = f"{TRIAL}/sites/{centre}/enrolment/A"
        async with self.parties[who] as client:
            known = (await self.parties["coordination"].get(path)).status_code == 200
            headers = {"If-Match": "*"} if known else {"If-None-Match": "*"}
            answer = await client.put(path, json=given, headers=headers)
        assert answer.is_success, answer.text
        return dict(answer.json())


@pytest.fixture
async def app(stocked_url: str) -> AsyncIterator[FastAPI]:
    async with running_registry(stocked_url) as app:
        yield app


@pytest.fixture
async def places(app: FastAPI) -> Places:
    parties = Parties(app)
    await parties.make_trial()
    return Places(parties, datetime.now(UTC))


async def test_of_200_requests_for_the_last_place_one_succeeds(places: Places) -> None:
    await places.declare(offered=1)

    async def ask() -> Place:
        while True:
            try:
                return await places.request()
            except DatabaseBusyError:  # a client tries again
                await asyncio.sleep(0.05)

    states = [place.state for place in await asyncio.gather(*(ask() for _ in range(200)))]
    assert (states.count("held"), states.count("waiting")) == (1, 199)
    assert await places.numbers() == (1, 0, 199, 0)


async def test_a_held_place_expires_once_unless_consent_is_signed(places: Places) -> None:
    await places.declare(offered=2, hold_days=7)
    first, second, third = [await places.request() for _ in range(3)]
    assert [one.state for one in (first, second, third)] == ["held", "held", "waiting"]
    assert (await places.request(first.referral)) == first
    await places.advance(first, "consented")
    async with places.parties["centre"] as centre:
        cursor = await now(centre)
        places.now += timedelta(days=8)
        database = places.parties.app.state.database
        assert [await expire_some(database, places.now) for _ in range(2)] == [1, 0]
        expired = [one for one in await events_since(centre, cursor) if one["type"] == "enrolment.expired"]
    assert [(one["data"]["id"], one["data"]["state"]) for one in expired] == [(second.referral, "expired")]
    # The next one is not placed by itself: the centre decides.
    assert await places.numbers() == (1, 0, 1, 1)
    with pytest.raises(NoPlaceError):
        await places.advance(second, "included")
    decision = f"{COHORT}/places/{third.referral}/decision"
    assigned = await places.parties.call("centre", "POST", decision, {"decision": "assign"}, version=1)
    assert (assigned["state"], assigned["version"]) == ("held", 2)
    assert (await places.advance(first, "included")).state == "confirmed"
    assert await places.numbers() == (1, 1, 0, 0)


async def test_the_order_of_a_waiting_list_and_who_is_too_late(places: Places) -> None:
    await places.declare(offered=0)
    # An adult without limit who has waited 14 months; a child with 300 days; a girl past her last day; a boy with 20.
    adult = await places.request(waited=14 * 30)
    child, girl, boy = [await places.request(days=days) for days in (300, -1, 20)]
    assert [(one.position, one.too_late) for one in (adult, child, girl, boy)] == [
        (1, False),
        (2, False),
        (None, True),
        (1, False),
    ]
    shown = await places.parties.call("centre", "GET", f"{COHORT}/places")
    assert [(one["referral"], one["position"]) for one in shown["waiting"]] == [
        (boy.referral, 1),
        (adult.referral, 2),
        (child.referral, 3),
        (girl.referral, None),
    ]
    await places.declare(offered=1)
    path = f"{COHORT}/places/{adult.referral}/decision"
    out_of_order = await places.parties.call("centre", "POST", path, {"decision": "assign"}, expected=422)
    assert out_of_order["errors"][0]["pointer"] == "/reason"
    reason = {"decision": "assign", "reason": "the boy has an infection"}
    for person in ("neighbour", "rival"):
        await places.parties.call(person, "POST", path, reason, expected=404)
    await places.parties.call("sponsor", "POST", path, reason, expected=404)
    await places.parties.call("hospital", "POST", path, reason, expected=403)
    await places.parties.call("centre", "POST", path, {**reason, "reason": "tel 06 12 34 56 78"}, expected=422)
    await places.parties.call("centre", "POST", path, reason, version=7, expected=412)
    assert (await places.parties.call("centre", "POST", path, reason))["state"] == "held"
    path = f"{COHORT}/places/{boy.referral}/decision"
    await places.parties.call("centre", "POST", path, {"decision": "assign"}, expected=409)
    # A month later the boy is too late: one event says so.
    places.now += timedelta(days=30)
    database = places.parties.app.state.database
    async with places.parties["centre"] as centre:
        cursor = await now(centre)
        await expire_some(database, places.now)
        late = [one["data"] for one in await events_since(centre, cursor) if one["type"] == "enrolment.decision_due"]
    assert [(one["id"], one["changed"]) for one in late] == [(boy.referral, ["too_late"])]
    assert await expire_some(database, places.now) == 0


async def test_after_a_manufacturing_failure_the_place_stays_until_someone_decides(places: Places) -> None:
    await places.declare(offered=1, manufacturing={"slots": 1})
    place, waiting = await places.request(), await places.request()
    await places.advance(place, "consented", "included", "collected", "manufacturing", "conditioned")
    due = await places.give_back(place, "manufacturing_failure")
    assert (due.state, due.slot) == ("decision_due", False)
    with pytest.raises(DecisionDueError):
        await places.advance(place, "dosed")
    # What comes later frees it no more than the failure did.
    assert (await places.give_back(place, "died")).state == "decision_due"
    assert await places.numbers() == (0, 1, 1, 0)
    other = f"{COHORT}/places/{waiting.referral}/decision"
    await places.parties.call("centre", "POST", other, {"decision": "assign"}, expected=409)
    path = f"{COHORT}/places/{place.referral}/decision"
    assert (await places.parties.call("centre", "POST", path, {"decision": "recollect"}))["state"] == "confirmed"
    assert (await places.advance(place, "collected")).slot
    await places.give_back(place, "manufacturing_failure")
    await places.parties.call("centre", "POST", path, {"decision": "withdraw"}, expected=422)
    withdrawn = {"decision": "withdraw", "reason": "no second collection is possible"}
    assert (await places.parties.call("centre", "POST", path, withdrawn))["state"] == "given_back"
    assert await places.numbers() == (0, 0, 1, 1)


async def test_manufacturing_slots_are_apart_from_places(places: Places) -> None:
    await places.declare(offered=2, manufacturing={"slots": 1})
    first, second = await places.request(), await places.request()
    await places.advance(first, "consented", "included", "collected")
    await places.advance(second, "consented", "included")
    with pytest.raises(NoSlotError):
        await places.advance(second, "collected")
    await places.give_back(first, "consent_withdrawn")
    assert (await places.advance(second, "collected")).slot
    too_few = {"offered": 0, "manufacturing": {"slots": 0}}
    refused = await places.parties.call("centre", "PUT", COHORT, too_few, expected=422)
    assert [one["pointer"] for one in refused["errors"]] == ["/offered", "/manufacturing/slots"]


async def test_a_staggered_cohort_opens_with_interval_and_decision_over_all_sites(places: Places) -> None:
    staggering = {"interval_days": 28, "needs_decision": True}
    for centre in (CENTRE, OTHER_CENTRE):
        await places.declare("sponsor", centre, offered=3, staggering=staggering)
    await places.parties.call("centre", "PUT", COHORT, {"offered": 3, "staggering": staggering}, expected=403)
    first, other = await places.request(), await places.request(centre=OTHER_CENTRE)
    assert [one.state for one in (first, other)] == ["held", "waiting"]
    release = f"{TRIAL}/enrolment/A/release"
    await places.parties.call("sponsor", "POST", release, {"decided_on": "2026-01-01", "reference": "1"}, expected=409)
    dosed_on = places.now.date() - timedelta(days=20)
    await places.advance(first, "consented", "included")
    await places.advance(first, "dosed", on=dosed_on)

    decision = {"decided_on": places.now.date().isoformat(), "reference": "DSMB 3"}
    assign = f"{TRIAL}/sites/{OTHER_CENTRE}/enrolment/A/places/{other.referral}/decision"
    await places.parties.call("neighbour", "POST", assign, {"decision": "assign"}, expected=409)
    for person, expected in (("centre", 403), ("coordination", 403), ("rival", 404)):
        await places.parties.call(person, "POST", release, decision, expected=expected)
    early = {**decision, "decided_on": (dosed_on - timedelta(days=1)).isoformat()}
    await places.parties.call("sponsor", "POST", release, early, expected=422)
    # On day 28 without a decision it is closed.
    day_20, places.now = places.now, places.now + timedelta(days=8)
    assert (await places.request()).state == "waiting"
    places.now = day_20
    # Decided on day 20: it opens on day 28, at one site only.
    shown = (await places.parties.call("sponsor", "POST", release, decision))["items"]
    opens = (dosed_on + timedelta(days=28)).isoformat()
    assert {(one["closed"][0], one["staggering"]["opens_on"]) for one in shown} == {("staggering", opens)}

    def assigned(at: datetime) -> Use:
        async def do(service: EnrolmentService) -> Place:
            service.now, service.today = at, at.date()
            place = await service.repository.place(other.referral, lock=True)
            assert place is not None
            return await service.decide(place, "assign", None, "centre")

        return do

    with pytest.raises(NoPlaceError):
        await places.use(assigned(day_20 + timedelta(days=7)))
    assert (await places.use(assigned(day_20 + timedelta(days=8)))).state == "held"
    places.now = day_20 + timedelta(days=9)
    assert (await places.request()).state == "waiting"
    # A place that is given back before the dosing opens the cohort again.
    await places.give_back(other, "patient_declined")
    assert (await places.request(centre=OTHER_CENTRE)).state == "held"


async def test_a_hold_stops_requests_and_inclusions_and_nobody_who_is_further(places: Places) -> None:
    await places.declare(offered=3)
    held, consented, conditioned = [await places.request() for _ in range(3)]
    await places.advance(conditioned, "consented", "included", "conditioned")
    await places.advance(consented, "consented")
    hold = {"scope": "cohort", "target": "A", "kind": "authority_suspension", "reason": "authority_measure"}
    await places.parties.call("coordination", "POST", f"{TRIAL}/holds", hold, expected=201)
    for refused in (places.request(), places.advance(consented, "included")):
        with pytest.raises(HeldTrialError):
            await refused
    shown = await places.parties.call("hospital", "GET", COHORT)
    assert (shown["free"], shown["closed"]) == (0, ["none_free", "safety_hold"])
    assert (await places.use(lambda service: service.of(held.referral))).state == "held"
    assert (await places.advance(conditioned, "dosed")).state == "used"


async def test_the_sponsor_assigns_where_it_allocates_and_sees_no_dates(places: Places) -> None:
    await places.declare("sponsor", offered=1, allocation="sponsor")
    await places.parties.call("centre", "PUT", COHORT, {"offered": 2, "allocation": "centre"}, expected=403)
    place = await places.request(days=20)
    assert (place.state, place.position) == ("waiting", 1)
    path = f"{COHORT}/places/{place.referral}/decision"
    await places.parties.call("centre", "POST", path, {"decision": "assign"}, expected=403)
    (seen,) = (await places.parties.call("sponsor", "GET", f"{COHORT}/places"))["waiting"]
    assert (seen["possible"], seen["limit_on"], seen["referred_on"]) == (["assign"], None, None)
    assert (await places.parties.call("sponsor", "POST", path, {"decision": "assign"}))["state"] == "held"
    for reader in ("hospital", "authority"):
        await places.parties.call(reader, "GET", f"{COHORT}/places", expected=404)
    for reader, count in (("sponsor", 1), ("centre", 1), ("neighbour", 0), ("rival", 0), ("hospital", 1)):
        assert len((await places.parties.call(reader, "GET", "/registry/v1/enrolment"))["items"]) == count
    await places.parties.call("neighbour", "GET", COHORT, expected=404)
    assert (await places.parties.call("neighbour", "GET", f"{TRIAL}/enrolment"))["items"] == []
    steps = await places.use(lambda service: service.repository.steps.of(place.referral))
    assert [(one.action, one.state, one.organisation) for one in steps] == [
        ("request", "waiting", "service"),
        ("assign", "held", "acme"),
    ]
