"""One trial from many hands: whatever the order in which things became known, the trial is the same."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.merge.fields import field_rules
from services.registry.merge.merging import merge
from services.registry.merge.model import Statement
from services.registry.merge.reading import Reading, Record
from services.registry.merge.status import Claim, effective_status
from services.registry.model.trial import TrialInput

NOW = datetime(2026, 11, 29, tzinfo=UTC)
SOURCES = ("sponsor", "ctis", "ctgov", "isrctn", "partner:fr-pedstart", "legacy", "sample")
STATUSES = ("recruiting", "not_yet_recruiting", "suspended", "terminated", "completed", "unknown")
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "acronym": st.sampled_from(["ALPHA", "BETA", None]),
    "titles.en": st.sampled_from(["A trial", "Another trial", None]),
    "status": st.sampled_from(STATUSES),
    "countries": st.lists(st.sampled_from(["FR", "DE", "BE"]), unique=True),
    "product": st.sampled_from([{"name": "X", "vector": "aav"}, {"name": "Y"}, {}]),
    "sites": st.lists(
        st.fixed_dictionaries({"centre": st.sampled_from(["a", "b"]), "status": st.sampled_from(STATUSES)}),
        unique_by=lambda site: site["centre"],
    ),
}


@st.composite
def readings(draw: st.DrawFn) -> list[Reading]:
    dates = st.sampled_from([None, "2024", "2024-05", "2025-01-02"])
    return [
        Reading(draw(st.fixed_dictionaries({}, optional=VALUES)), dated=draw(dates), version=version)
        for version in range(1, draw(st.integers(1, 4)) + 1)
    ]


@st.composite
def statements(draw: st.DrawFn) -> list[Statement]:
    paths = draw(st.lists(st.sampled_from(["acronym", "status", "titles.en", "product.vector"]), max_size=4))
    values: dict[str, Any] = {"product.vector": st.sampled_from(["aav", "lentiviral"]), **VALUES}
    return [
        Statement(number, path, draw(values[path]), draw(values[path]), NOW + timedelta(days=draw(st.integers(0, 3))))
        for number, path in enumerate(paths)
    ]


@given(
    st.lists(st.tuples(st.sampled_from(SOURCES), readings()), min_size=1, max_size=4, unique_by=lambda one: one[0]),
    statements(),
    st.randoms(use_true_random=False),
)
def test_any_order_of_what_becomes_known_gives_the_same_trial(
    given_records: list[tuple[str, list[Reading]]], stated: list[Statement], random: Any
) -> None:
    def merged() -> Any:
        records = [Record.of(source, f"{source}-1", forms) for source, forms in given_records]
        return merge(records, stated)

    before = merged()
    random.shuffle(given_records)
    random.shuffle(stated)
    for _, forms in given_records:
        random.shuffle(forms)
    assert merged() == before


def test_every_field_of_a_trial_has_its_rule() -> None:
    ruled = {path.partition(".")[0] for path in field_rules()}
    assert ruled == TrialInput.model_fields.keys()


def test_an_older_form_that_comes_late_changes_nothing() -> None:
    new = Reading({"status": "completed", "acronym": "NEW"}, dated="2025-06-01", version=1)
    old = Reading({"status": "recruiting", "titles.en": "Old title"}, dated="2024-01-01", version=2)
    merged = merge([Record.of("ctgov", "NCT1", [new, old])])
    assert (merged.document["status"], merged.document["acronym"]) == ("completed", "NEW")
    assert merged.document["titles"]["en"] == "Old title", "the newer form does not state the title"
    assert merged.provenance["titles.en"][0].dated == "2024-01-01"


def test_what_is_not_stated_or_not_readable_keeps_the_earlier_value_and_empty_removes_it() -> None:
    full = Reading({"acronym": "ALPHA", "phase": "phase-1", "enrolment": {"count": 5, "type": None}}, version=1)
    later = Reading({"phase": None}, frozenset({"enrolment"}), version=2)
    document = merge([Record.of("ctgov", "NCT1", [full, later])]).document
    assert (document["acronym"], document["phase"], document["enrolment"]["count"]) == ("ALPHA", None, 5)


def test_a_group_comes_whole_from_one_source_and_a_person_may_state_a_member() -> None:
    ctis = Record.of("ctis", "2024-1", [Reading({"product": {"name": "GT1", "atmp_class": "gene_therapy"}})])
    ctgov = Record.of("ctgov", "NCT1", [Reading({"product": {"name": "GT-1", "vector": "aav"}})])
    vector = Statement(1, "product.vector", "lentiviral", None, NOW)
    merged = merge([ctgov, ctis], [vector])
    assert merged.document["product"] == {"name": "GT1", "atmp_class": "gene_therapy", "vector": "lentiviral"}
    assert merged.provenance["product"][0].source == "ctis"
    assert merged.provenance["product.vector"][0].statement == 1


def test_a_source_that_changes_after_a_statement_is_a_conflict_that_its_withdrawal_ends() -> None:
    record = Record.of("ctgov", "NCT1", [Reading({"acronym": "NEW"})])
    statement = Statement(7, "acronym", "MINE", "OLD", NOW)
    (conflict,) = merge([record], [statement]).conflicts
    assert (conflict.kind, conflict.used, conflict.other, conflict.source) == (
        "outdated_statement",
        "MINE",
        "NEW",
        "ctgov",
    )
    withdrawn = merge([record])
    assert (withdrawn.document["acronym"], withdrawn.conflicts) == ("NEW", ())


def test_statements_on_merged_trials_come_after_those_on_the_trial_itself_but_for_a_stop() -> None:
    record = Record.of("ctgov", "NCT1", [Reading({"acronym": "NEW", "status": "recruiting"})])
    mine = Statement(1, "acronym", "MINE", "NEW", NOW)
    theirs = [
        Statement(5, "acronym", "THEIRS", "NEW", NOW, "CL2"),
        Statement(9, "titles.fr", "Titre", None, NOW, "CL2"),
    ]
    others = [Statement(8, "acronym", "OTHERS", "NEW", NOW, "CL3")]
    merged = merge([record], [*theirs, mine, *others])
    assert (merged.document["acronym"], merged.document["titles"]["fr"]) == ("MINE", "Titre")
    assert (merged.provenance["titles.fr"][0].of, merged.provenance["acronym"][0].of) == ("CL2", None)
    assert [(one.used, one.other) for one in merged.conflicts] == [("THEIRS", "OTHERS"), ("MINE", "THEIRS")]
    knowing = Statement(2, "acronym", "MINE", "THEIRS", NOW)
    assert [one.used for one in merge([record], [*theirs, knowing]).conflicts] == []

    opened, stopped = (
        Statement(1, "status", "recruiting", "unknown", NOW),
        Statement(1, "status", "suspended", "x", NOW, "CL2"),
    )
    merged = merge([record], [opened, stopped])
    assert (merged.document["status"], merged.provenance["status"][0].of) == ("suspended", "CL2")
    assert [(one.kind, one.used, one.other) for one in merged.conflicts] == [
        ("merged_statement", "suspended", "recruiting"),
        ("outdated_statement", "suspended", "recruiting"),
    ]
    lifted = Statement(2, "status", "recruiting", "suspended", NOW)
    assert merge([record], [lifted, stopped]).document["status"] == "recruiting"


ROWS = json.loads((Path(__file__).parent / "status_rows.json").read_text("utf-8"))


@pytest.mark.parametrize("row", ROWS, ids=[row["when"] for row in ROWS])
def test_each_row_of_the_truth_table_of_the_status(row: dict[str, Any]) -> None:
    claims = [Claim(source, status) for source, status in row["claims"]]
    person = row.get("person")
    statement = None if person is None else Statement(1, "status", person["states"], person["knowing"], NOW)
    found = effective_status(claims, statement)
    assert (found.status, found.source) == (row["status"], row["by"])
    assert [conflict.kind for conflict in found.conflicts] == row["conflicts"]
