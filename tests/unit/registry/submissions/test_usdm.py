"""Digital protocols (USDM 4), real and faulty, as contents of dossiers."""

import json
import lzma
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.registry.sources.reading import Reader, Section
from services.registry.submissions.problems import FieldRefusedError
from services.registry.submissions.screening import faults_of_storage
from services.registry.submissions.usdm import in_chain, read_usdm
from services.registry.submissions.usdm_texts import UsdmTexts


def protocol(folder: Path, name: str) -> Any:
    return json.loads(lzma.decompress((folder / "usdm" / f"{name}.json.xz").read_bytes()))


@pytest.mark.parametrize(
    ("name", "code", "numbers", "phase", "ages", "criteria", "findings"),
    [
        ("Alexion_NCT04573309_Wilsons", "ALXN1840-WD-204", ["NCT04573309", "2020-001104-41"], "phase-2",
         ("P18Y", "P100Y"), 31, {"number_not_known": 1}),
        ("CDISC_Pilot_Study", "H2Q-MC-LZZT", ["NCT12345678"], "phase-2", ("P50Y", "P100Y"), 31, {}),
        ("EliLilly_NCT03421379_Diabetes", "I8R-JE-IGBJ", ["NCT03421379"], "phase-3", (None, None), 36, {}),
        ("observational", "AP1234", ["NCT12345678"], "phase-3", (None, None), 5,
         {"number_not_known": 3, "placeholder_unresolved": 4}),
    ],
)  # fmt: skip
def test_a_real_protocol_fills_the_dossier_and_what_is_left_out_is_told(
    real_data: Path, name: str, code: str, numbers: list[str], phase: str, ages: tuple[str | None, str | None],
    criteria: int, findings: dict[str, int],
) -> None:  # fmt: skip
    content, found = read_usdm(protocol(real_data, name))
    trial = content.trial
    assert content.protocol_code == code
    assert [one.value for one in trial.identifiers] == numbers
    assert (trial.phase, trial.eligibility.minimum_age, trial.eligibility.maximum_age) == (phase, *ages)
    assert trial.eligibility.text is not None
    assert trial.eligibility.text.count("\n* ") == criteria
    assert "usdm:" not in trial.eligibility.text
    assert "</" not in trial.eligibility.text
    counts: dict[str, int] = {}
    for one in found:
        counts[one.code] = counts.get(one.code, 0) + 1
    assert counts == findings
    assert faults_of_storage(content) == []


@pytest.mark.parametrize(
    ("name", "visits", "duration", "remote"),
    [
        ("CDISC_Pilot_Study", 12, "P28W", True),
        ("EliLilly_NCT03421379_Diabetes", 7, "P62D", None),
        # What follows a decision is not exact.
        ("Alexion_NCT04573309_Wilsons", None, None, None),
        ("observational", None, None, None),
    ],
)
def test_visits_and_duration_are_read_where_the_timeline_is_exact(
    real_data: Path, name: str, visits: int | None, duration: str | None, remote: bool | None
) -> None:
    found = read_usdm(protocol(real_data, name))[0].trial.participation
    assert (found.visits_first_year, found.duration, found.remote_visits) == (visits, duration, remote)


def test_placeholders_are_resolved_through_the_dictionary_and_a_circle_ends() -> None:
    texts = UsdmTexts(
        [
            {"id": "Q", "value": 18.0, "unit": {"standardCode": {"decode": "Year"}}},
            {"id": "A", "label": "Mini-Mental State"},
            {"id": "R", "ages": {"minValue": {"value": 4}, "maxValue": {"value": 8}}},
            {
                "id": "D",
                "parameterMaps": [
                    {"tag": "age", "reference": '<usdm:ref klass="Quantity" id="Q" attribute="value"></usdm:ref>'},
                    {"tag": "scale", "reference": '<usdm:ref id="A" attribute="label"/>'},
                    {"tag": "ages", "reference": '<usdm:ref id="R" attribute="ages"/>'},
                    {"tag": "circle", "reference": '<usdm:tag name="circle"/>'},
                    {"tag": "lost", "reference": '<usdm:ref id="?" attribute="value"/>'},
                ],
            },
        ]
    )
    given = (
        '<p>At least <usdm:tag name="age"/> years &amp; <usdm:tag name="scale"/>\n10</p><ul><li><p>one</p></li></ul>'
    )
    assert texts.plain(given, "D") == "At least 18 years & Mini-Mental State 10\n- one"
    assert texts.plain('<usdm:tag name="ages"/>', "D") == "4 - 8"
    assert texts.unresolved == []
    assert texts.plain('<usdm:tag name="circle"/> <usdm:tag name="lost"/> <usdm:tag name="none"/>', "D") == (
        "[circle] [lost] [none]"
    )
    assert texts.unresolved == ["circle", "lost", "none"]
    assert texts.plain('<usdm:tag name="age"/><script>x</script>') == "[age]"


@pytest.mark.parametrize(
    ("links", "order"),
    [
        ({"a": "c", "c": "b"}, "acb"),
        ({"c": "a", "a": "b"}, "cab"),
        ({"a": "b", "b": "a"}, "cab"),
        ({"a": "a"}, "bca"),
        ({"a": "?", "b": None}, "abc"),
    ],
)
def test_criteria_are_in_the_order_of_their_chain_and_a_circle_is_followed_once(
    links: dict[str, str | None], order: str
) -> None:
    given = [Section(Reader(), f"/{name}", {"id": name, "nextId": links.get(name)}) for name in "abc"]
    assert "".join(one.given["id"] for one in in_chain(given)) == order
    if order == "acb":
        given = [
            Section(Reader(), f"/{name}", {"id": name, "previousId": {"c": "a", "b": "c"}.get(name)}) for name in "abc"
        ]
        assert "".join(one.given["id"] for one in in_chain(given)) == order


def test_criteria_without_ids_or_with_the_same_id_stay() -> None:
    given = [Section(Reader(), f"/{place}", {"id": name}) for place, name in enumerate([None, None, "a", "a", ["a"]])]
    assert in_chain(given) == given


def test_a_document_without_a_version_is_refused() -> None:
    with pytest.raises(FieldRefusedError):
        read_usdm({"study": {"versions": []}})


LEAVES = (
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=8) | st.sampled_from(["C25532", "P1Y", "Year"])
)
NAMES = st.sampled_from(
    ["id", "text", "titles", "type", "code", "decode", "studyDesigns", "population", "plannedAge", "minValue", "unit",
     "eligibilityCriteria", "nextId", "criterionItemId", "eligibilityCriterionItems", "studyIdentifiers", "scopeId",
     "organizations", "arms", "label", "standardCode", "indications", "codes", "value", "endpoints", "objectives"]
)  # fmt: skip
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6))


@settings(max_examples=60)
@given(TREES)
def test_no_document_makes_the_reader_fail(tree: Any) -> None:
    content, _ = read_usdm({"study": {"versions": [tree if isinstance(tree, dict) else {"titles": tree}]}})
    assert content.dump()
