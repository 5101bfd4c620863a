"""What must be true before a step: consents and their age, dates, codes."""

from datetime import date
from typing import Any, get_args

import pytest

from services.registry.enrolment.model import GivenBack
from services.registry.enrolment.model import Stage as PlaceStage
from services.registry.referrals.codes import CODES, REASONS
from services.registry.referrals.gates import NEEDED, check_request, check_step
from services.registry.referrals.model import AFTER_CONSENT, BEFORE_CONSENT, Agreement, Request
from services.registry.referrals.places import GIVEN_BACK, STAGES
from services.registry.referrals.problems import BothHoldersRequiredError, OwnConsentDueError
from services.registry.referrals.schemas import Action, ReferralInput, ReferralStepInput, State, last_day
from services.registry.referrals.service import TABLE
from shared.values.problems import InvalidBodyError

TODAY = date(2026, 6, 15)
ADULT = Request(Agreement(TODAY, "patient"), minor=False, urgency="standard")
CHILD = Request(Agreement(TODAY, "one_holder"), minor=True, urgency="standard")
TEENAGER = Request(Agreement(TODAY, "one_holder"), minor=True, urgency="standard", adult_on="2026-06")
GROWN = Request(Agreement(TODAY, "one_holder"), minor=True, urgency="standard", adult_on="2026-05")


def step(action: str, **more: Any) -> ReferralStepInput:
    return ReferralStepInput.model_validate({"action": action, "on": TODAY, **more})


@pytest.mark.parametrize(
    ("request_", "by", "is_possible"),
    [
        (ADULT, "patient", True),
        (ADULT, "representative", True),
        (ADULT, "both_holders", False),
        (CHILD, "both_holders", True),
        (CHILD, "patient", False),
        # In the month of the 18th birthday the day is not known.
        (TEENAGER, "patient", True),
        (TEENAGER, "both_holders", True),
        (GROWN, "both_holders", False),
        (GROWN, "patient", True),
    ],
)
def test_the_age_says_whose_consent_is_needed(request_: Request, by: str, is_possible: bool) -> None:
    given = step("consented", consent={"by": by, "assent": "given"}, disclose=False)
    if is_possible:
        check_step(given, request_, TODAY, None, TODAY)
    else:
        with pytest.raises((BothHoldersRequiredError, InvalidBodyError)):
            check_step(given, request_, TODAY, None, TODAY)


def test_no_act_of_the_trial_after_the_month_of_18_without_own_consent() -> None:
    check_step(step("included"), TEENAGER, TODAY, "2026-06", TODAY)
    with pytest.raises(OwnConsentDueError):
        check_step(step("included"), GROWN, TODAY, "2026-05", TODAY)
    # What happens to the patient is recorded all the same.
    check_step(step("died"), GROWN, TODAY, "2026-05", TODAY)


@pytest.mark.parametrize("adult_on", ["2026-05", "2046-01"])
def test_the_month_of_18_is_possible(adult_on: str) -> None:
    agreement = {"given": True, "on": TODAY, "by": "one_holder"}
    given = {
        "trial": "NCT00000001", "centre": "fr-lille", "patient_agreement": agreement, "minor": True,
        "urgency": "standard", "disclose_after_consent": False, "place": False,
    }  # fmt: skip
    check_request(ReferralInput.model_validate({**given, "adult_on": "2026-06"}), TODAY)
    with pytest.raises(InvalidBodyError):
        check_request(ReferralInput.model_validate({**given, "adult_on": adult_on}), TODAY)


def test_states_actions_and_codes_are_those_of_the_tables() -> None:
    assert set(get_args(State)) == TABLE.states
    assert set(get_args(Action)) == set(NEEDED)
    assert TABLE.states >= BEFORE_CONSENT | AFTER_CONSENT
    for action in (*STAGES, *GIVEN_BACK, *REASONS):
        assert action in NEEDED, action
    assert set(STAGES.values()) == set(get_args(PlaceStage)) - {"requested"}
    assert set(GIVEN_BACK.values()) | {"placed_elsewhere", "erased", "hold_expired"} == set(get_args(GivenBack))


@pytest.mark.parametrize("action", sorted(REASONS))
def test_every_reason_of_an_action_is_accepted_and_no_other(action: str) -> None:
    more = {"not_now": {"ask_again_on": date(2026, 8, 1)}}.get(action, {})
    for name, codes in CODES.items():
        for code in codes:
            if name == REASONS[action]:
                check_step(step(action, reason=code, **more), ADULT, TODAY, None, TODAY)
    other = "wrong_address" if action != "declined" else "yield"
    with pytest.raises(InvalidBodyError):
        check_step(step(action, reason=other, **more), ADULT, TODAY, None, TODAY)


def test_every_other_code_is_accepted() -> None:
    for code in CODES["asked_items"]:
        check_step(step("more_asked", items=[code]), ADULT, TODAY, None, TODAY)
    for code in CODES["informed_of"]:
        check_step(step("patient_informed", of=code), ADULT, TODAY, None, TODAY)
    for code in CODES["sole_authority"]:
        consent = {"by": "sole_authority", "sole_authority": code, "assent": "not_able"}
        check_step(step("consented", consent=consent, disclose=True), CHILD, TODAY, None, TODAY)


def test_the_last_day_of_a_month() -> None:
    assert [last_day(one) for one in ("2026-02", "2028-02", "2026-12")] == [
        date(2026, 2, 28), date(2028, 2, 29), date(2026, 12, 31),
    ]  # fmt: skip
