"""What must be checked again, on both databases: after a safety hold begins or ends, and after an amendment."""

import copy
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI

from tests.conftest import ADMIN, client_of, token_of
from tests.contract.feasibility import CODED, ENTITIES, Study, answers
from tests.contract.parties import AAV9, CENTRE, NEW, NUMBER, OTHER_CENTRE, TRIAL
from tests.contract.parties import Parties as Holders
from tests.contract.test_referrals import REFERRALS, Parties
from tests.contract.test_registry import events_since, now

pytestmark = pytest.mark.anyio

SAME_PRODUCT, OTHER_PRODUCT = "NCT90000079", "NCT90000080"
CONSENTED = ("accepted", "contacted", "pre_screened", "consented", "screening")
LATER = ("included", "collection", "manufacturing", "released", "conditioning", "dosed", "follow_up")
# Whom a hold does not concern, with the next step.
GOES_ON = {"collection": "manufacturing", "conditioning": "dosed", "dosed": "follow_up", "follow_up": "completed"}
RESTART = {"basis": "substantial_modification", "reference": "SM-4", "decided_on": "2026-11-02"}
# Scope and target of a hold on the trial → whose open referrals must be checked.
SCOPES: dict[tuple[str, str | None], set[str]] = {
    ("site", CENTRE): {"sent A", "screening B", "no cohort", "included A"},
    # A patient without a cohort may be meant for it.
    ("cohort", "A"): {"sent A", "no cohort", "included A", "neighbour"},
    ("product", None): {"sent A", "screening B", "no cohort", "included A", "neighbour", "same product"},
    ("country", "DE"): set(),
}


@pytest.fixture
async def parties(app: FastAPI) -> AsyncIterator[Parties]:
    hospital = token_of("hospital", "clinician", organisation="chu-exemple")
    centre = token_of("centre", "clinician", centre=CENTRE)
    async with (
        client_of(app, token=hospital) as sender,
        client_of(app, token=centre) as receiver,
        client_of(app, token=ADMIN) as admin,
    ):
        yield Parties(app, sender, receiver, admin)


@dataclass
class Sent:
    """Referrals by a name. ``seen``: why each had to be checked, when this was last read."""

    parties: Parties
    references: dict[str, str]
    seen: dict[str, str | None]

    @classmethod
    async def of(cls, parties: Parties) -> "Sent":
        """Send referrals that stand at each stage, to three trials."""
        more: dict[str, dict[str, Any]] = {
            "sent A": {"cohort": "A"}, "screening B": {"cohort": "B"}, "no cohort": {}, "included A": {"cohort": "A"},
            "neighbour": {"centre": OTHER_CENTRE, "cohort": "A"}, "same product": {"trial": SAME_PRODUCT},
            "other product": {"trial": OTHER_PRODUCT}, **{state: {"cohort": "A"} for state in GOES_ON},
        }  # fmt: skip
        found = {name: (await parties.send(**{"trial": NUMBER, **given}))["reference"] for name, given in more.items()}
        for name in ("screening B", "included A", *GOES_ON):
            later = () if name == "screening B" else LATER[: LATER.index(name.partition(" ")[0]) + 1]
            await parties.walk(found[name], *CONSENTED, *later)
        return cls(parties, found, dict.fromkeys(found))

    async def marked(self) -> dict[str, set[str]]:
        """Return those that were marked since the last call, by why."""
        await self.parties.until_marked()
        items = (await self.parties.admin.get(REFERRALS, params={"limit": 100})).json()["items"]
        listed = {one["reference"]: one["check_again"] for one in items}
        found: dict[str, set[str]] = {}
        for name, reference in self.references.items():
            why = listed[reference]
            if why != self.seen[name]:
                self.seen[name] = why
                found.setdefault(str(why), set()).add(name)
        return found

    async def check(self, names: Collection[str]) -> None:
        """Have the hospital check some again."""
        for name in names:
            after_consent = name in {"screening B", "included A"}
            who = self.parties.centre if after_consent else self.parties.hospital
            assert (await self.parties.step(who, self.references[name], "checked")).status_code == 200
            self.seen[name] = None


async def test_a_hold_marks_the_open_referrals_in_its_scope_when_it_begins_and_when_it_ends(parties: Parties) -> None:
    holders = Holders(parties.app)
    for number, product in ((NUMBER, "AV-1"), (SAME_PRODUCT, "av-1"), (OTHER_PRODUCT, "AV-2")):
        await holders.make_trial(number, product={**AAV9, "name": product}, countries=["FR", "DE"])
    sent = await Sent.of(parties)
    for (scope, target), concerned in SCOPES.items():
        hold = {"scope": scope, "target": target, "kind": "sponsor_halt_safety", "reason": "death"}
        imposed = await holders.call("sponsor ann", "POST", f"{TRIAL}/holds", hold, expected=201)
        assert await sent.marked() == ({"safety_hold": concerned} if concerned else {}), (scope, target)
        lift = f"/registry/v1/holds/{imposed['id']}/lift"
        await holders.call("sponsor bob", "POST", lift, RESTART)
        # One organisation alone lifts nothing.
        assert await sent.marked() == {}
        await holders.call("coordination", "POST", lift, RESTART)
        assert await sent.marked() == ({"hold_lifted": concerned} if concerned else {}), (scope, target)
        await sent.check(concerned)
    # Who is collected, conditioned or dosed goes on while a hold is in force.
    await holders.call(
        "sponsor ann", "POST", f"{TRIAL}/holds", {**hold, "scope": "trial", "target": None}, expected=201
    )
    for state, following in GOES_ON.items():
        await parties.walk(sent.references[state], following)


async def amend(study: Study, content: dict[str, Any], *, asks: bool) -> None:
    """Publish an amendment."""
    cast, reference = study.cast, study.reference
    await cast.sponsor.act(reference, "amend")
    await cast.sponsor.edit(reference, content)
    await cast.sponsor.act(reference, "submit")
    for action in ("screen", "open_feasibility") if asks else ("screen",):
        await cast.first.act(reference, action)
    await publish(study)


async def publish(study: Study) -> str:
    cast, reference = study.cast, study.reference
    await cast.first.act(reference, "decide", answer="accepted")
    await cast.sponsor.act(reference, "consent")
    await cast.first.act(reference, "publish")
    return str((await cast.second.act(reference, "publish"))["trial_id"])


async def to_answer(study: Study, centre: str) -> list[str]:
    """Return the dossiers that wait for answers on the worklist of a centre."""
    items = (await study.centres[centre].get("/worklist"))["items"]
    return [one["subject"] for one in items if one["kind"] == "feasibility_to_answer"]


async def test_changed_criteria_ask_every_centre_that_answered_again_and_mark_referrals(parties: Parties) -> None:
    """One centre has answered, one has signed its contract, one was asked only."""
    necker, trousseau, strasbourg = ENTITIES
    content = copy.deepcopy(CODED)
    content["trial"]["status"] = "recruiting"
    study = await Study.open(parties.app, content)
    await study.ask_all()
    for centre in (necker, strasbourg):
        await study.sign(centre)
        await study.answer(centre)
    await study.act(strasbourg, "shortlist", "select", "start_contract", "sign_contract")
    trial = await publish(study)
    site = f"/registry/v1/trials/{trial}/sites/{strasbourg}"
    assert (await parties.admin.put(site, json={"status": "recruiting"}, headers=NEW)).status_code == 201
    waiting, dosed = [(await parties.send(trial=trial, centre=strasbourg))["reference"] for _ in range(2)]
    await parties.walk(dosed, *CONSENTED, "included", "dosed")

    async def marks() -> list[str | None]:
        await parties.until_marked()
        return [(await parties.read(parties.admin, one))["check_again"] for one in (waiting, dosed)]

    async def states() -> list[tuple[str, bool]]:
        found = [await study.coordination.get(study.path(centre)) for centre in ENTITIES]
        return [(one["state"], one["deadline"] is not None) for one in found]

    content["trial"]["enrolment"] = {"count": 30}
    await amend(study, content, asks=False)
    assert (await states(), await marks()) == (
        [("answered", False), ("received", False), ("contract", False)],
        [None, None],
    )
    assert await to_answer(study, strasbourg) == []

    content["trial"]["eligibility"]["minimum_age"] = "P6Y"
    async with client_of(parties.app, token=study.centres[strasbourg].token) as reader:
        cursor = await now(reader)
        await amend(study, content, asks=True)
        events = [one["type"] for one in await events_since(reader, cursor) if one["type"].startswith("feasibility.")]
    assert (await states(), await marks()) == (
        [("questionnaire_sent", True), ("received", False), ("contract", True)],
        ["criteria_changed", None],
    )
    assert events == ["feasibility.requested"]
    assert [len(await to_answer(study, centre)) for centre in (necker, strasbourg, trousseau)] == [1, 1, 0]
    # The selected centre stays so: its contract goes on, and its answer changes nothing by itself.
    await study.act(strasbourg, "green_light")
    await study.centres[strasbourg].save(study.path(strasbourg), answers(recruitment_total=2), may_be_named=False)
    await study.centres[strasbourg].step(study.path(strasbourg), "submit")
    after = await study.sponsor.get(study.path(strasbourg))
    assert (after["state"], after["deadline"], after["named"]) == ("green_light", None, True)
    assert {one["name"]: one["outcome"] for one in after["clocks"]}["decision"] == "completed"
    assert await to_answer(study, strasbourg) == []
    await study.centres[strasbourg].step(study.path(strasbourg), "submit", expected=409)
