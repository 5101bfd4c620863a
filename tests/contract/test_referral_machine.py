"""The life of a referral against a model of it: whatever the parties try, in whatever order, on both databases."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.conftest import ADMIN, client_of, token_of
from tests.contract.registry import running_registry
from tests.contract.test_referrals import CENTRE, DETAILS, NUMBER, Parties
from tests.contract.test_registry import a_trial, create

EARLY: Final = ("sent", "more_asked", "not_now", "accepted", "contacted", "pre_screened")
LATE: Final = (
    "consented", "screening", "included", "collection", "manufacturing", "released", "conditioning", "dosed",
    "follow_up", "treatment_withdrawn",
)  # fmt: skip
CLOSED: Final = (
    "declined", "pre_screen_failure", "screen_failure", "transferred", "completed", "patient_declined",
    "consent_withdrawn", "lost", "died", "treated_otherwise",
)  # fmt: skip
ANY: Final = (*EARLY, *LATE, *CLOSED)
CENTRE_ONLY: Final[dict[str, tuple[str, ...]]] = {
    "accepted": ("sent",),
    "declined": ("sent", "more_asked", "not_now", "accepted", "contacted"),
    "more_asked": ("sent",),
    "not_now": ("sent",),
    "contacted": ("accepted",),
    "pre_screened": ("contacted",),
    "pre_screen_failure": ("contacted", "pre_screened"),
    "consented": ("pre_screened",),
    "screening": ("consented",),
    "screen_failure": ("consented", "screening"),
    "included": ("screening",),
    "collection": ("included", "collection", "manufacturing", "released", "conditioning"),
    "manufacturing": ("included", "collection"),
    "manufacturing_failed": ("collection", "manufacturing", "released", "conditioning"),
    "released": ("manufacturing",),
    "conditioning": ("included", "released"),
    "dosed": ("included", "released", "conditioning", "dosed", "follow_up"),
    "follow_up": ("dosed",),
    "transferred": ("dosed", "follow_up", "treatment_withdrawn"),
    "completed": ("follow_up", "treatment_withdrawn"),
    "treatment_withdrawn": LATE[:-1],
    "consent_withdrawn": LATE,
    "own_consent": LATE,
    "disclosure_agreed": (*LATE, *CLOSED),
    "disclosure_withdrawn": (*LATE, *CLOSED),
}
BOTH: Final[dict[str, tuple[str, ...]]] = {
    "patient_declined": EARLY,
    "lost": EARLY,
    "died": EARLY,
    "treated_otherwise": EARLY,
    "checked": (*EARLY, *LATE),
    "patient_informed": ANY,
}
# What is agreed: action → actor → the states in which it is possible.
AGREED: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    **{action: {"centre": states} for action, states in CENTRE_ONLY.items()},
    **{action: {"centre": states, "hospital": states} for action, states in BOTH.items()},
    **{name: {"centre": (*EARLY, *LATE), "hospital": EARLY} for name in ("lost", "died", "treated_otherwise")},
    "more_sent": {"hospital": ("more_asked",)},
    "asked_again": {"hospital": ("not_now",)},
}
STATE_AFTER: Final = {"more_sent": "sent", "asked_again": "sent"}
ONWARD: Final = (
    "sent", "accepted", "contacted", "pre_screened", "consented", "screening", "included", "collection",
    "manufacturing", "released", "conditioning", "dosed", "follow_up", "completed",
)  # fmt: skip


@dataclass
class Seen:
    """What a party sees."""

    state: str = "sent"
    actions: list[str] = field(default_factory=lambda: ["sent"])


@dataclass
class Model:
    """What is known of the referral. ``shown``: the hospital sees what happens."""

    centre: Seen = field(default_factory=Seen)
    hospital: Seen = field(default_factory=Seen)
    shown: bool = True

    def expected(self, actor: str, action: str) -> int:
        """Return the status of the answer: by what the actor sees."""
        if actor == "stranger":
            return 404
        state = getattr(self, actor).state
        if not any(state in states for states in AGREED[action].values()):
            return 409
        return 200 if state in AGREED[action].get(actor, ()) else 403

    def take(self, actor: str, action: str, *, disclose: bool) -> None:
        """Follow an action that was possible."""
        leads = action in ANY or action in STATE_AFTER
        if leads:
            self.centre.state = STATE_AFTER.get(action, action)
        self.centre.actions.append(action)
        if action == "disclosure_agreed":
            self.shown, self.hospital.actions = True, list(self.centre.actions)
        elif self.shown or actor == "hospital":
            self.hospital.actions.append(action)
        if self.shown:
            self.hospital.state = self.centre.state
        if action == "consented":
            self.shown = disclose
        elif action == "disclosure_withdrawn":
            self.shown = False


def machine_for(app: FastAPI, portal: BlockingPortal) -> type[RuleBasedStateMachine]:
    """Return the machine of a running registry."""
    tokens = {
        "hospital": token_of("hospital", "clinician", organisation="chu-exemple"),
        "centre": token_of("centre", "clinician", centre=CENTRE),
        "stranger": token_of("hospital", "clinician", organisation="chu-autre"),
    }
    clients = {name: client_of(app, token=token) for name, token in tokens.items()}
    parties = Parties(app, clients["hospital"], clients["centre"], client_of(app, token=ADMIN))

    def run(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        return portal.call(work)

    async def open_site() -> None:
        assert (await create(parties.admin, a_trial(NUMBER))).is_success
        path, new = f"/registry/v1/trials/{NUMBER}/sites/{CENTRE}", {"If-None-Match": "*"}
        assert (await parties.admin.put(path, json={"status": "recruiting"}, headers=new)).is_success

    run(open_site)

    class Life(RuleBasedStateMachine):
        @initialize()
        def begin(self) -> None:
            self.model = Model()
            self.reference = run(parties.send)["reference"]

        @rule(
            actor=st.sampled_from(["hospital", "centre", "centre", "stranger"]),
            action=st.sampled_from(sorted(AGREED)),
            disclose=st.booleans(),
        )
        def act(self, actor: str, action: str, disclose: bool) -> None:
            self._act(actor, action, disclose=disclose)

        @rule(disclose=st.booleans())
        def go_on(self, disclose: bool) -> None:
            """Take the step that leads towards the dosing, so that runs reach it."""
            state = self.model.centre.state
            if state in ONWARD[:-1]:
                self._act("centre", ONWARD[ONWARD.index(state) + 1], disclose=disclose)

        def _act(self, actor: str, action: str, *, disclose: bool) -> None:
            expected = self.model.expected(actor, action)
            version = len(getattr(self.model, actor, self.model.centre).actions)
            more = {**DETAILS.get(action, {}), **({"disclose": disclose} if action == "consented" else {})}
            step = {"version": f'"v{version}"', **more}
            answer = run(lambda: parties.step(clients[actor], self.reference, action, **step))
            assert answer.status_code == expected, (actor, action, self.model, answer.text)
            if expected == 200:
                self.model.take(actor, action, disclose=disclose)

        @invariant()
        def each_party_sees_what_is_agreed(self) -> None:
            for name in ("hospital", "centre"):
                shown = run(lambda name=name: parties.read(clients[name], self.reference))
                seen: Seen = getattr(self.model, name)
                assert (shown["state"], shown["version"]) == (seen.state, len(seen.actions)), name
                assert [one["action"] for one in shown["steps"]] == seen.actions
                assert {one["state"] for one in shown["steps"]} <= {*seen.actions, "sent"}

    return Life


def test_whatever_the_parties_try_each_sees_what_is_agreed(stocked_url: str) -> None:
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running_registry(stocked_url)) as app:
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            machine_for(app, portal), settings=settings(max_examples=6, stateful_step_count=24, deadline=None)
        )
