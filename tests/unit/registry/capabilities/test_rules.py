"""Rules of needs, fit, alarms and follow-up as cases."""

import json
from datetime import date
from importlib import resources
from typing import Any

import pytest

from services.registry.capabilities.codes import CODES, MET_BY
from services.registry.capabilities.fit.judging import CentreFacts, judge
from services.registry.capabilities.fit.needs import RULES, Need, Needs, Statement, needs_of
from services.registry.capabilities.follow_up.calendar import kind_of, months_after, within
from services.registry.capabilities.model import Capability, alarm_reached, next_alarm
from services.registry.capabilities.product_facts import facts_of, is_gmo
from services.registry.centres.schemas import CapabilityCode
from services.registry.model.product import Product

TODAY = date(2026, 6, 1)
GENE: dict[str, Any] = {"atmp_class": "gene_therapy"}
CELLS: dict[str, Any] = {**GENE, "delivery": "ex_vivo", "cell_origin": "autologous", "vector": "lentiviral"}
AAV: dict[str, Any] = {**GENE, "delivery": "in_vivo", "vector": "aav"}


def test_the_list_has_every_code_of_a_centre_and_of_the_rules() -> None:
    assert {*CapabilityCode.__args__} <= {*CODES}  # type: ignore[attr-defined]
    assert {code for rule in RULES for code, _ in rule.needs} <= {*CODES}
    assert MET_BY["gmo_c2"] == ["gmo_c2", "gmo_c3", "gmo_c4"]
    text = (resources.files("services.registry.capabilities") / "codes.json").read_text("utf-8")
    assert len(json.loads(text)) == len(CODES)


# One case for each rule: the product that it concerns, and something that it then needs.
RULE_CASES = {
    "atmp": ({}, "pui_atmp"),
    "autologous_collection": ({**CELLS, "cell_type": "CD34+ cells"}, "apheresis"),
    "cells": ({"atmp_class": "somatic_cell"}, "cell_therapy_unit"),
    "allogeneic": ({"atmp_class": "somatic_cell", "cell_origin": "allogeneic", "cell_type": "HSC"}, "jacie"),
    "stem_cells": ({**CELLS, "cell_type": "haematopoietic stem cells"}, "conditioning"),
    "t_cells": ({**CELLS, "cell_type": "CAR-T cells"}, "crs_icans_readiness"),
    "t_cells_icu": ({**CELLS, "cell_type": "regulatory T cells"}, "icu"),
    "aav": (AAV, "gmo_c1"),
    "viral_c2": (CELLS, "gmo_c2"),
    "edited_cells": ({**CELLS, "vector": None, "editing_tool": "CRISPR-Cas9"}, "gmo_c1"),
    "systemic_aav": ({**AAV, "route": "Intravenous infusion"}, "tma_readiness"),
    "subretinal": ({**AAV, "route": "subretinal"}, "subretinal_delivery"),
    "intravitreal": ({**AAV, "route": "intravitreal"}, "intravitreal_delivery"),
    "intrathecal": ({**AAV, "route": "intracisternal"}, "intrathecal_delivery"),
    "intracerebral": ({**AAV, "route": "intraputaminal"}, "stereotactic_delivery"),
}


@pytest.mark.parametrize("rule", [rule.name for rule in RULES])
def test_each_rule_asks_for_what_its_product_needs(rule: str) -> None:
    product, code = RULE_CASES[rule]
    found = needs_of(facts_of(Product(**product)), Statement()).items
    assert code in {need.code for need in found if need.by == rule}


@pytest.mark.parametrize(
    ("product", "not_known"),
    [
        ({**AAV, "route": "intravenous"}, set()),
        (AAV, {"route"}),
        (CELLS, {"lineage", "route"}),
        (GENE, {"cells", "origin", "lineage", "modified", "vector", "route"}),
    ],
)
def test_what_is_not_known_of_a_product_is_named(product: dict[str, Any], not_known: set[str]) -> None:
    facts = facts_of(Product(**product))
    assert set(needs_of(facts, Statement()).not_known) == not_known
    assert needs_of(facts, Statement(complete=True)).not_known == ()


def a_row(code: str = "icu", **given: Any) -> Capability:
    return Capability("fr-lille", code, 1, **{"held": True, "scope": "both", **given})


@pytest.mark.parametrize(
    ("code", "row", "answer", "weeks", "estimated"),
    [
        ("jacie", a_row("jacie"), "able", 0, False),
        ("jacie", a_row("jacie", valid_until=TODAY), "able", 0, False),
        ("jacie", a_row("jacie", valid_until=date(2026, 5, 31)), "able_after", None, False),
        ("jacie", a_row("jacie", scope="adult"), "unable", None, False),
        ("jacie", a_row("jacie", valid_from=date(2026, 6, 9)), "able_after", 2, False),
        ("jacie", a_row("jacie", held=False), "unable", None, False),
        ("jacie", a_row("jacie", held=False, planned_from=date(2026, 6, 8)), "able_after", 1, False),
        ("jacie", a_row("jacie", held=False, planned_from=date(2026, 5, 8)), "able_after", None, False),
        ("jacie", None, "able_after", None, False),
        ("biopsy", a_row("biopsy", held=False), "able_after", 4, True),
        ("biopsy", None, "able_after", 4, True),
        ("gmo_c1", a_row("gmo_c3", scope="adult"), "able", 0, False),
        ("gmo_c3", a_row("gmo_c2"), "able_after", None, False),
    ],
)
def test_what_a_centre_stated_decides_whether_it_is_able(
    code: str, row: Capability | None, answer: str, weeks: int | None, estimated: bool
) -> None:
    held = {row.code: row} if row else {}
    centre = CentreFacts("fr-lille", ["paediatric"], suspended=False, capabilities=held)
    found = judge(centre, Needs((Need(code, None, "sponsor"),), ()), ["paediatric"], TODAY)
    assert (found.answer, found.weeks, found.estimated) == (answer, weeks, estimated)


def test_a_centre_gives_nothing_to_patients_that_it_does_not_take_or_while_suspended() -> None:
    needs = Needs((), ())
    adults = CentreFacts("fr-lille", ["adult"], suspended=False, capabilities={})
    assert judge(adults, needs, ["paediatric"], TODAY).reasons == ("population",)
    assert judge(adults, needs, ["adult", "paediatric"], TODAY).answer == "able"
    suspended = CentreFacts("fr-lille", ["adult"], suspended=True, capabilities={})
    assert judge(suspended, needs, ["adult"], TODAY).reasons == ("centre_suspended",)
    assert judge(adults, Needs((), ("route",)), ["adult"], TODAY).answer == "able_after"


@pytest.mark.parametrize(
    ("until", "after", "due"),
    [
        (date(2026, 12, 1), None, date(2026, 9, 2)),
        (date(2026, 8, 30), None, date(2026, 6, 1)),
        (date(2026, 8, 29), None, date(2026, 7, 30)),
        (date(2026, 8, 29), 30, date(2026, 8, 29)),
        (TODAY, None, TODAY),
        (TODAY, 0, None),
        (date.min, None, None),
        (None, None, None),
    ],
)
def test_the_next_alarm_is_90_30_or_0_days_before_the_end(
    until: date | None, after: int | None, due: date | None
) -> None:
    assert next_alarm(until, TODAY, after) == due
    if until and due and after is None:
        assert alarm_reached(until, due) == (until - due).days


@pytest.mark.parametrize(
    ("product", "kind", "gmo"),
    [
        (CELLS, "integrating", True),
        ({**GENE, "editing_tool": "base editor", "delivery": "in_vivo", "vector": "mrna_lnp"}, "integrating", False),
        (AAV, "non_integrating", True),
        ({**GENE, "delivery": "in_vivo", "vector": "nonviral_plasmid"}, "non_integrating", False),
        ({"atmp_class": "tissue_engineered"}, None, False),
        (GENE, None, None),
    ],
)
def test_follow_up_and_gmo_regime_follow_from_the_product(
    product: dict[str, Any], kind: str | None, gmo: bool | None
) -> None:
    facts = facts_of(Product(**product))
    assert (kind_of(facts), is_gmo(facts)) == (kind, gmo)


def test_months_end_with_their_last_day_and_each_year_has_a_visit() -> None:
    assert months_after(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert months_after(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert months_after(date(2023, 11, 30), 3) == date(2024, 2, 29)
    assert within(7, "non_integrating").months == (3, 6, 12, 18, 24, 36, 48, 60, 72, 84)
