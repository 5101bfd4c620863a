"""The rules of places and safety holds, row by row."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from importlib import resources
from typing import Any, get_args

import pytest

from services.registry.enrolment.model import Decision, GivenBack, Place, Staggering, Waiting
from services.registry.enrolment.rules import dosed, effect_of, limit_of, released
from services.registry.enrolment.service import DECISIONS
from services.registry.safety_holds.model import Agreement, Hold, Kind
from services.registry.safety_holds.problems import ImposerCannotLiftError, OtherReferenceError
from services.registry.safety_holds.rules import KINDS, check_agreement, check_imposer, shared_class
from shared.access.principal import Principal
from shared.values.problems import ForbiddenError

AT = datetime(2026, 1, 15, tzinfo=UTC)
PLACE = Place("REF-1", "CL1", "fr-lille", "A", 1, "held", "requested", AT, AT.date(), "standard", AT.date())
PHASES = {
    "before_consent": PLACE,
    "before_conditioning": replace(PLACE, state="confirmed", stage="collected"),
    "conditioned": replace(PLACE, state="confirmed", stage="conditioned", conditioned=True),
    "dosed": replace(PLACE, state="used", stage="dosed", conditioned=True),
}
LEAVES = ("free", "free", "decision", "keep")
# What was agreed for each reason, before consent, before conditioning, after its start, after dosing.
AGREED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "declined", "patient_declined", "pre_screen_failure", "screen_failure", "treatment_withdrawn",
            "consent_withdrawn", "lost", "died", "treated_otherwise", "placed_elsewhere", "erased",
        ),
        LEAVES,
    ),
    "manufacturing_failure": ("keep", "decision", "decision", "keep"),
    "hold_expired": ("free", "keep", "keep", "keep"),
}  # fmt: skip
HOLD = Hold("HLD-1", "CL1", 1, "trial", None, "sponsor_halt_safety", "death", AT, "acme", "acme/ann")
SPONSOR = Agreement("sponsor", "acme", "acme/bob", AT, "substantial_modification", "SM-4", AT.date())


def rows(package: str, name: str) -> list[dict[str, Any]]:
    found = json.loads((resources.files(package) / name).read_text("utf-8"))
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("row", rows("services.registry.enrolment", "give_back.json"), ids=lambda row: row["reason"])
def test_what_frees_a_place(row: dict[str, Any]) -> None:
    assert tuple(effect_of(place, row["reason"]) for place in PHASES.values()) == AGREED[row["reason"]]
    assert set(AGREED) == set(get_args(GivenBack))


@pytest.mark.parametrize(
    ("action", "source", "target"),
    [
        ("assign", "waiting", "held"),
        ("recollect", "decision_due", "confirmed"),
        ("out_of_spec_release", "decision_due", "confirmed"),
        ("withdraw", "decision_due", "given_back"),
    ],
)
def test_what_people_decide_on_a_place(action: str, source: str, target: str) -> None:
    for kind in ("centre", "sponsor", "coordination"):
        assert DECISIONS.after(source, action, kind) == target
    with pytest.raises(ForbiddenError):
        DECISIONS.after(source, action, "hospital")
    assert {rule.action for rule in DECISIONS.rules} == set(get_args(Decision))


@pytest.mark.parametrize(
    ("waiting", "limit"),
    [
        (Waiting(date(2024, 8, 31)), date(2026, 2, 28)),
        (Waiting(date(2025, 8, 31), refer_before="2026-02"), date(2026, 2, 28)),
        (Waiting(date(2025, 8, 31), dosing_limit=date(2026, 1, 2)), date(2026, 1, 2)),
        (Waiting(date(2025, 8, 31), refer_before="2025-12", dosing_limit=date(2026, 1, 2)), date(2025, 12, 31)),
    ],
)
def test_the_last_day_on_which_a_place_is_of_use(waiting: Waiting, limit: date) -> None:
    assert limit_of(waiting, 18) == limit


def test_a_cohort_opens_with_the_later_one_of_interval_and_decision() -> None:
    staggering = dosed(Staggering(28, needs_decision=True, opens_on=date(2025, 1, 1)), date(2026, 1, 1))
    assert not staggering.is_open(date(2026, 1, 29))
    early = released(staggering, date(2026, 1, 21), "1")
    assert [early.is_open(date(2026, 1, day)) for day in (28, 29)] == [False, True]
    late = released(staggering, date(2026, 2, 10), "1")
    assert [late.is_open(date(2026, 2, day)) for day in (9, 10)] == [False, True]
    # A dosing that becomes known later is not the last one.
    assert dosed(early, date(2025, 12, 1)) == early
    assert dosed(Staggering(28, needs_decision=False), date(2026, 1, 1)).opens_on == date(2026, 1, 29)


@pytest.mark.parametrize("row", rows("services.registry.safety_holds", "kinds.json"), ids=lambda row: row["kind"])
def test_who_states_a_kind_of_hold(row: dict[str, Any]) -> None:
    agreed = {
        "sponsor_halt_safety": {"sponsor", "coordination"},
        "sponsor_halt_other": {"sponsor", "coordination"},
        "authority_suspension": {"sponsor", "centre", "coordination"},
        "authority_revocation": {"sponsor", "centre", "coordination"},
        "precaution": {"centre", "coordination"},
    }
    for kind in ("sponsor", "centre", "coordination"):
        principal = Principal(kind, organisation="acme", centre="fr-lille" if kind == "centre" else None)
        try:
            check_imposer(principal, "acme", "site", "fr-lille", row["kind"])
            allowed = True
        except ForbiddenError:
            allowed = False
        assert allowed == (kind in agreed[row["kind"]])
    assert set(KINDS) == set(get_args(Kind)) == set(agreed)


def test_a_hold_covers_its_own_scope() -> None:
    scopes: list[tuple[Any, str | None, bool]] = [
        ("trial", None, True),
        ("country", "FR", True),
        ("country", "DE", False),
        ("site", "fr-lille", True),
        ("site", "fr-necker", False),
        ("cohort", "A", True),
        ("cohort", "B", False),
        ("product", "av-1", True),
        ("product", "AV-2", False),
    ]
    for scope, target, covered in scopes:
        hold = replace(HOLD, scope=scope, target=target)
        assert hold.covers("FR", "fr-lille", "A", "AV-1") is covered, (scope, target)
    assert replace(HOLD, scope="cohort", target="B").covers("FR", "fr-lille", None, "AV-1")


def test_two_people_of_two_organisations_lift_a_hold() -> None:
    coordination = replace(SPONSOR, party="coordination", organisation="coordination", author="coordination/cid")
    assert not check_agreement(HOLD, SPONSOR)
    agreed = replace(HOLD, agreements=(SPONSOR,))
    assert check_agreement(agreed, coordination)
    assert not check_agreement(agreed, replace(SPONSOR, reference="SM-5"))
    for colleague in (replace(SPONSOR, author="acme/ann"), replace(SPONSOR, author="acme/dan")):
        with pytest.raises(ImposerCannotLiftError):
            check_agreement(agreed, colleague)
    with pytest.raises(OtherReferenceError):
        check_agreement(agreed, replace(coordination, reference="SM-5"))


@pytest.mark.parametrize(
    ("product", "other", "shared"),
    [
        ({"vector": "aav", "serotype": "AAV9"}, {"vector": "aav", "serotype": "aav9"}, ("vector", "serotype")),
        ({"vector": "aav", "serotype": "AAV9"}, {"vector": "aav", "serotype": "AAV8"}, ()),
        ({"vector": "aav", "serotype": None}, {"vector": "aav", "serotype": None}, ()),
        ({"vector": "lentiviral"}, {"vector": "lentiviral"}, ("vector",)),
        ({"vector": "other"}, {"vector": "other"}, ()),
        ({"name": "AV-1", "vector": "none"}, {"name": "av-1"}, ("product",)),
        ({"vector": "aav", "serotype": "AAV9", "promoter": "MHCK7"}, {"promoter": "mhck7"}, ("promoter",)),
        ({"dose_band": "1e14_vg_per_kg"}, {"vector": "aav", "dose_band": "1e14_vg_per_kg"}, ("dose_band",)),
        ({"promoter": None, "dose_band": "1e14_vg_per_kg"}, {"promoter": None, "dose_band": "1e13_vg_per_kg"}, ()),
    ],
)
def test_what_makes_trials_of_the_same_class(product: Any, other: Any, shared: tuple[str, ...]) -> None:
    assert shared_class(product, other) == shared
