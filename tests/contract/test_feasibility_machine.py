"""A feasibility request against a model of it: whatever the parties try, in whatever order, on both databases."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.contract.feasibility import ENTITIES, Study, agreement, answers, member, today
from tests.contract.registry import running_registry

CENTRE: Final = "fr-necker"
SELECTED: Final = ("selected", "contract", "green_light", "activated", "first_patient_in")
# A selected centre may be asked again: it stays selected.
ANSWERING: Final = ("questionnaire_sent", *SELECTED)
UNTIL_CONTRACT: Final = (
    "received", "triaged", "cda_sent", "cda_signed", "questionnaire_sent", "answered", "shortlisted", "selected",
    "contract",
)  # fmt: skip
# What is agreed: action → states in which it is possible, who takes it, and the state after it (None: the same).
AGREED: Final[dict[str, tuple[tuple[str, ...], str, str | None]]] = {
    "triage": (("received",), "coordination", "triaged"),
    "send_cda": (("triaged",), "coordination", "cda_sent"),
    "sign_cda": (("triaged", "cda_sent"), "coordination", "cda_signed"),
    "send_questionnaire": (("cda_signed",), "coordination", "questionnaire_sent"),
    "ask_question": (ANSWERING, "centre coordination", None),
    "answer_question": (ANSWERING, "sponsor coordination", None),
    "submit": (ANSWERING, "centre coordination", "answered"),
    "ask_again": (("answered", "shortlisted", *SELECTED), "coordination", "questionnaire_sent"),
    "shortlist": (("answered",), "coordination", "shortlisted"),
    "select": (("shortlisted",), "sponsor coordination", "selected"),
    "not_select": (("answered", "shortlisted"), "sponsor coordination", "not_selected"),
    "start_contract": (("selected",), "centre sponsor coordination", "contract"),
    "sign_contract": (("contract",), "centre sponsor coordination", None),
    "green_light": (("contract",), "sponsor coordination", "green_light"),
    "activate": (("green_light",), "centre sponsor coordination", "activated"),
    "first_patient": (("activated",), "centre coordination", "first_patient_in"),
    "decline": (UNTIL_CONTRACT, "centre coordination", "declined"),
    "withdraw": ((*UNTIL_CONTRACT, "green_light"), "coordination", "withdrawn"),
}
GATED: Final = {"sign_cda", "send_questionnaire", "ask_again", "ask_question", "submit"}
MORE: Final[dict[str, dict[str, str]]] = {
    "decline": {"reason": "no_staff"}, "not_select": {"reason": "enough_centres"},
    "ask_question": {"text": "Quelle dose ?"}, "answer_question": {"text": "1e14 vg/kg"},
}  # fmt: skip


@dataclass
class Model:
    """What is known of the request. ``consents``: to be named, in the draft; ``agreements``: versions of the gate."""

    state: str = "received"
    states: list[str] = field(default_factory=lambda: ["received"])
    is_open: bool = False
    asked: bool = False
    agreements: int = 0
    question: bool = False
    signed: bool = False
    saved: bool = False
    consents: bool = False
    named: bool = False

    def expected(self, actor: str, action: str) -> int:
        """Return the status of the answer."""
        states, by, _ = AGREED[action]
        if actor == "stranger" or (actor == "sponsor" and not self.named):
            return 404
        if self.state not in states:
            return 409
        if actor not in by.split():
            return 403
        refused = (
            (action in {"ask_question", "answer_question", "submit"} and not self.asked)
            or (action == "ask_again" and self.asked)
            or (action == "ask_question" and self.question)
            or (action == "answer_question" and not self.question)
            or (action == "sign_contract" and self.signed)
            or (action == "green_light" and not self.signed)
            or (action in GATED and not self.is_open)
        )
        return 409 if refused else 422 if action == "submit" and not self.saved else 200

    def take(self, action: str) -> None:
        """Follow an action that was possible."""
        if self.state not in SELECTED or action not in {"ask_again", "submit"}:
            self.state = AGREED[action][2] or self.state
        self.states.append(self.state)
        if action in {"send_questionnaire", "ask_again", "submit", "decline", "withdraw"}:
            self.asked = action in {"send_questionnaire", "ask_again"}
        self.question = action == "ask_question"
        self.signed = self.signed or action == "sign_contract"
        consented = self.consents if action == "submit" else self.named
        self.named = consented or self.state in SELECTED


def machine_for(app: FastAPI, portal: BlockingPortal) -> type[RuleBasedStateMachine]:
    """Return the machine of a running registry."""

    def run(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        return portal.call(work)

    class Life(RuleBasedStateMachine):
        @initialize()
        def begin(self) -> None:
            self.study: Study = run(lambda: Study.open(app))
            run(self.study.ask_all)
            self.path = self.study.path(CENTRE)
            self.model = Model()
            self.actors = {
                "coordination": self.study.coordination, "sponsor": self.study.sponsor,
                "centre": self.study.centres[CENTRE], "stranger": member(app, "centre", "org-lille", "fr-lille"),
            }  # fmt: skip

        @rule(
            actor=st.sampled_from(["coordination", "centre", "sponsor", "stranger"]),
            action=st.sampled_from(sorted(AGREED)),
        )
        def act(self, actor: str, action: str) -> None:
            expected = self.model.expected(actor, action)
            version = len(self.model.states)
            who, more = self.actors[actor], MORE.get(action, {})
            run(lambda: who.step(self.path, action, expected=expected, version=version, **more))
            if expected == 200:
                self.model.take(action)

        @rule()
        def go_on(self) -> None:
            """Take the step that leads to the first patient, so that runs reach it."""
            if not self.model.is_open:
                self.sign(valid=True)
            if self.model.asked:
                self.save(consents=self.model.consents)
            steps = {"contract": "green_light" if self.model.signed else "sign_contract", "answered": "shortlist"}
            steps |= {"selected": "start_contract", "green_light": "activate", "activated": "first_patient"}
            listed = (action for action, (states, _, _) in AGREED.items() if self.model.state in states)
            following = {"triaged": "send_cda", "questionnaire_sent": "submit", "shortlisted": "select"}
            action = {**steps, **following}.get(self.model.state) or next(listed, None)
            if action is not None:
                self.act("coordination", action)

        @rule(valid=st.booleans())
        def sign(self, valid: bool) -> None:
            """Record an agreement that is in force, or one that has expired."""
            until = today(30 if valid else -1)
            body = agreement(ENTITIES[CENTRE], signed_on=today(-2), valid_until=until)
            version: int | str = self.model.agreements or "new"
            gate = f"{self.path}/gate"
            answer = run(lambda: self.study.coordination.call("PUT", gate, body, version))
            assert answer.status_code == (200 if self.model.agreements else 201), answer.text
            self.model.agreements, self.model.is_open = self.model.agreements + 1, valid
            if valid and self.model.state == "cda_sent":
                self.model.take("sign_cda")

        @rule(consents=st.booleans())
        def save(self, consents: bool) -> None:
            asked = any(state == "questionnaire_sent" for state in self.model.states)
            possible = self.model.asked and self.model.is_open
            expected = 404 if not asked else 200 if possible else 409
            who = self.actors["centre"]
            run(lambda: who.save(self.path, answers(), expected=expected, may_be_named=consents))
            if expected == 200:
                self.model.saved, self.model.consents = True, consents

        @invariant()
        def all_parties_see_what_is_so(self) -> None:
            model = self.model
            shown = run(lambda: self.study.coordination.get(self.path))
            steps = run(lambda: self.study.coordination.get(f"{self.path}/steps"))["items"]
            assert (shown["state"], shown["version"]) == (model.state, len(model.states))
            assert [one["state"] for one in steps] == model.states
            assert (shown["named"], shown["question_open"]) == (model.named, model.question)
            assert (shown["deadline"] is not None) is model.asked
            own = run(lambda: self.actors["centre"].get(self.path))
            assert own["dossier"]["complete"] is model.is_open
            assert (own["dossier"]["trial"]["acronym"] is not None) is model.is_open
            run(lambda: self.study.sponsor.get(self.path, 200 if model.named else 404))
            is_over = model.state in {"declined", "not_selected", "withdrawn"}
            assert not (is_over and any(one["outcome"] == "open" for one in shown["clocks"]))

    return Life


def test_whatever_the_parties_try_the_request_follows_its_rules(stocked_url: str) -> None:
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running_registry(stocked_url)) as app:
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            machine_for(app, portal), settings=settings(max_examples=5, stateful_step_count=20, deadline=None)
        )
