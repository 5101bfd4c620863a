"""The life of a dossier against a model of it: whatever the parties try, in whatever order, on both databases."""

import copy
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.conftest import client_of
from tests.contract.registry import running_registry
from tests.contract.submissions import CONTENT, Cast, Party

BEFORE: Final = ("draft", "submitted", "screening", "feasibility", "decided")
# What is agreed: action → states in which it is possible, and who takes it.
AGREED: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "submit": (("draft",), "sponsor"),
    "screen": (("submitted",), "coordination"),
    "return": (("screening",), "coordination"),
    "open_feasibility": (("screening",), "coordination"),
    "accept": (BEFORE[2:], "coordination"),
    "decline": (BEFORE[2:], "coordination"),
    "consent": (BEFORE[1:], "sponsor"),
    "publish": (("decided",), "coordination"),
    "withdraw": (BEFORE, "sponsor"),
    "amend": (("published",), "sponsor"),
    "drop_amendment": (BEFORE, "sponsor"),
}
STATE_AFTER: Final = {
    "submit": "submitted", "screen": "screening", "return": "draft", "open_feasibility": "feasibility",
    "accept": "decided", "decline": "decided", "withdraw": "withdrawn", "amend": "draft", "drop_amendment": "published",
}  # fmt: skip
OF_ACTOR: Final = {"sponsor": "sponsor", "first": "coordination", "second": "coordination", "other": "none"}


@dataclass
class Model:
    """What is known of the dossier. ``age``: the highest age of the draft; ``published``: of what is public."""

    state: str = "draft"
    version: int = 1
    age: str = "P8Y"
    number: int = 0
    accepted: bool = False
    feasibility: bool = False
    consented: int = 0
    asked: str = ""
    published: str | None = None

    def expected(self, actor: str, action: str) -> int:
        """Return the status of the answer."""
        states, kind = AGREED[action]
        if actor == "other":
            return 404
        if self.state not in states:
            return 409
        if OF_ACTOR[actor] != kind:
            return 403
        amends = self.published is not None
        refused = (
            (action == "withdraw" and amends)
            or (action == "drop_amendment" and not amends)
            or (action == "accept" and not self.feasibility and (not amends or self.age != self.published))
            or (action == "publish" and (not self.accepted or self.consented != self.number or self.asked == actor))
        )
        return 409 if refused else 200

    def take(self, actor: str, action: str) -> None:
        """Follow an action that was possible."""
        self.version += 1
        if action == "publish":
            self.state, self.published, self.asked = (
                ("published", self.age, "") if self.asked else (self.state, self.published, actor)
            )
            return
        self.state = STATE_AFTER.get(action, self.state)
        if action in {"submit", "accept", "decline"}:
            self.asked = ""
        if action == "submit":
            self.number, self.accepted, self.feasibility = self.number + 1, False, False
        elif action == "open_feasibility":
            self.feasibility = True
        elif action in {"accept", "decline"}:
            self.accepted = action == "accept"
        elif action == "consent":
            self.consented = self.number
        elif action == "drop_amendment":
            assert self.published is not None
            self.age = self.published


def machine_for(app: FastAPI, portal: BlockingPortal) -> type[RuleBasedStateMachine]:
    """Return the machine of a running registry."""
    cast = Cast.of(app)
    actors = {"sponsor": cast.sponsor, "other": cast.other, "first": cast.first, "second": cast.second}

    def run(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        return portal.call(work)

    class Life(RuleBasedStateMachine):
        @initialize()
        def begin(self) -> None:
            self.model = Model()
            self.reference = run(cast.sponsor.create)["reference"]

        @rule(actor=st.sampled_from(sorted(actors)), action=st.sampled_from(sorted(AGREED)))
        def act(self, actor: str, action: str) -> None:
            self._act(actor, action)

        @rule()
        def go_on(self) -> None:
            """Take the step that leads towards publication, so that runs reach it."""
            first = "first" if self.model.asked != "first" else "second"
            steps = {"draft": "submit", "submitted": "screen", "screening": "open_feasibility", "feasibility": "accept"}
            action = steps.get(self.model.state, "amend" if self.model.state == "published" else "publish")
            if self.model.state == "decided" and self.model.consented != self.model.number:
                action = "consent"
            self._act("sponsor" if AGREED[action][1] == "sponsor" else first, action)

        @rule(age=st.sampled_from(["P8Y", "P9Y"]))
        def edit(self, age: str) -> None:
            content = copy.deepcopy(CONTENT)
            content["trial"]["eligibility"]["maximum_age"] = age
            done = self.model.state == "draft"
            run(lambda: cast.sponsor.edit(self.reference, content, expected=200 if done else 409))
            if done:
                self.model.age, self.model.version = age, self.model.version + 1

        def _act(self, actor: str, action: str) -> None:
            expected = self.model.expected(actor, action)
            party: Party = actors[actor]
            more = {"accept": {"answer": "accepted"}, "decline": {"answer": "declined"}}.get(action, {})
            name = "decide" if more else action
            run(lambda: party.act(self.reference, name, expected=expected, version=self.model.version, **more))
            if expected == 200:
                self.model.take(actor, action)

        @invariant()
        def all_parties_see_what_is_so(self) -> None:
            shown = run(lambda: cast.first.read(self.reference))
            model = self.model
            assert (shown["state"], shown["version"], shown["submitted"]) == (model.state, model.version, model.number)
            assert shown["content"]["trial"]["eligibility"]["maximum_age"] == model.age
            assert (shown["publication_asked_by"] or "/").rpartition("/")[2] == model.asked
            assert (shown["trial_id"] is not None) == (model.published is not None)
            if shown["trial_id"] is not None:
                trial = run(lambda: self._public(shown["trial_id"]))
                assert trial["eligibility"]["maximum_age"] == model.published

        async def _public(self, trial: str) -> Any:
            async with client_of(app) as client:
                return (await client.get(f"/registry/v1/trials/{trial}")).json()

    return Life


def test_whatever_the_parties_try_the_dossier_follows_its_rules(stocked_url: str) -> None:
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running_registry(stocked_url)) as app:
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            machine_for(app, portal), settings=settings(max_examples=6, stateful_step_count=22, deadline=None)
        )
