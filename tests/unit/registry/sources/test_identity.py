"""Which trial a record belongs to: the rules as a table."""

import pytest

from services.registry.sources.identity import Assignment, Numbers, Owner, assign

OWN, OLD, SHARED = "NCT00000002", "NCT00000001", "2021-009999-11"


def owner(key: str = "CL1", records: str = "", numbers: str = "") -> Owner:
    return Owner(key, frozenset(records.split()), frozenset(numbers.split()))


# The record has OWN as its number, was OLD before (or not), and also has SHARED.
CASES = [
    ("nobody has its numbers", "", {}, Assignment(None)),
    ("a person's trial has its number", "", {OWN: owner(numbers=OWN)}, Assignment("CL1")),
    ("a trial without a number of the source has the other", "", {SHARED: owner()}, Assignment("CL1")),
    (
        "another record's trial has the other number",
        "",
        {SHARED: owner(records=OLD, numbers=OLD)},
        Assignment(None, "undecided", frozenset({SHARED})),
    ),
    (
        "a person's trial with another number of the source has the other number",
        "",
        {SHARED: owner(numbers=OLD)},
        Assignment(None, "undecided", frozenset({SHARED})),
    ),
    (
        "it says that it was that record",
        OLD,
        {OLD: owner(records=OLD, numbers=OLD), SHARED: owner(records=OLD, numbers=OLD)},
        Assignment("CL1", replaces=frozenset({OLD})),
    ),
    (
        "its number is a former one of the record of that trial",
        "",
        {OWN: owner(records="NCT00000003", numbers=f"NCT00000003 {OWN}")},
        Assignment("CL1", "obsolete"),
    ),
    (
        "the trial had its number once, and has it no more",
        "",
        {OWN: owner(numbers="NCT00000003")},
        Assignment(None, "undecided", frozenset({OWN})),
    ),
    (
        "the trial had its number once, and has none now",
        "",
        {OWN: owner()},
        Assignment(None, "undecided", frozenset({OWN})),
    ),
    (
        "two trials have its numbers",
        OLD,
        {OLD: owner("CL1", OLD, OLD), SHARED: owner("CL2")},
        Assignment(None, "undecided", frozenset({OLD, SHARED})),
    ),
    (
        "its trial is known by its number, and another one has the other number",
        "",
        {OWN: owner("CL1", "", OWN), SHARED: owner("CL2", OLD, OLD)},
        Assignment("CL1", shared=frozenset({SHARED})),
    ),
]


@pytest.mark.parametrize(
    ("former", "owners", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_numbers_propose_a_trial(former: str, owners: dict[str, Owner], expected: Assignment) -> None:
    numbers = Numbers(OWN, frozenset(former.split()), frozenset({SHARED}))
    assert assign(numbers, None, owners) == expected


def test_an_assignment_stays_whoever_has_the_numbers() -> None:
    numbers = Numbers(OWN, frozenset(), frozenset({SHARED}))
    owners = {OWN: owner("CL1", OWN, OWN), SHARED: owner("CL2", OLD, OLD)}
    assert assign(numbers, "CL1", owners) == Assignment("CL1", "current", frozenset({SHARED}))
    assert assign(numbers, "CL1", owners, obsolete=True).standing == "obsolete"


def test_a_record_of_a_source_without_renaming_is_no_former_form_of_another():
    numbers = Numbers(OWN, frozenset(), frozenset({SHARED}), renames=False)
    owners = {OWN: owner(records=OLD, numbers=OWN)}
    assert assign(numbers, None, owners) == Assignment(None, "undecided", frozenset({OWN}))


def test_a_source_that_may_not_join_leaves_shared_numbers_to_a_person():
    numbers = Numbers(OWN, frozenset(), frozenset({SHARED}))
    assert assign(numbers, None, {SHARED: owner()}, may_join=False).standing == "undecided"
