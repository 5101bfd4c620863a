"""The vocabulary that the services share, as each of their models accepts it."""

from datetime import date

import pytest
from pydantic import TypeAdapter, ValidationError

from services.matching.patients.schemas import Patient
from services.notifications.subscriptions.schemas import SubscriptionFilter
from services.registry.centres.schemas import CentreInput
from services.registry.trials.model import StoredSite
from services.registry.trials.routing import change_of_site
from shared.criteria.durations import parse
from shared.feed.changes import Routing
from shared.vocabulary.durations import in_months
from shared.vocabulary.identifiers import CentreId
from shared.vocabulary.recruitment import CLOSED_STATUSES, OPEN_STATUSES, STOPPED_STATUSES, is_open
from shared.vocabulary.text import fold

CENTRE = {
    "name": "CIC",
    "city": "Ville",
    "region": "Région",
    "lat": 1.0,
    "lon": 1.0,
    "label": "candidate",
    "populations": ["adult"],
}
OVERSEAS = ("971", "972", "973", "974", "975", "976", "977", "978", "984", "986", "987", "988")


def accepted_by_all(departement: str) -> set[bool]:
    """Return the answer of each service's model for a département: one value when they agree."""
    answers = set()
    for model, body in (
        (CentreInput, {**CENTRE, "departement": departement}),
        (Patient, {"place": departement}),
        (SubscriptionFilter, {"departement": [departement]}),
    ):
        try:
            model.model_validate(body)
        except ValidationError:
            answers.add(False)
        else:
            answers.add(True)
    return answers


@pytest.mark.parametrize("departement", ["01", "19", "2A", "2B", "21", "75", "95", *OVERSEAS])
def test_every_departement_and_territory_is_accepted_by_every_service(departement: str):
    assert accepted_by_all(departement) == {True}


@pytest.mark.parametrize("departement", ["00", "20", "96", "970", "979", "985", "989", "1", "2a", "59000", ""])
def test_other_codes_are_refused_by_every_service(departement: str):
    assert accepted_by_all(departement) == {False}


@pytest.mark.parametrize(("text", "valid"), [("fr-lyon", True), ("fr--", False), ("fr-", False), ("FR-lyon", False)])
def test_a_centre_id_has_one_form(text: str, valid: bool):
    adapter = TypeAdapter(CentreId)
    if valid:
        adapter.validate_python(text)
    else:
        with pytest.raises(ValidationError):
            adapter.validate_python(text)


def test_a_status_is_not_both_open_and_closed():
    assert not OPEN_STATUSES & CLOSED_STATUSES
    assert STOPPED_STATUSES < CLOSED_STATUSES
    assert is_open("available")
    assert not is_open(None)


def test_a_site_that_becomes_available_is_announced_as_open():
    side = Routing(frozenset({"public"}), {})
    trial = ("CL00000001", "NCT00000001")
    for version, was, status, kind in (
        (2, "suspended", "available", "opened"),
        (3, "available", "suspended", "closed"),
    ):
        site = StoredSite("fr-lyon", version, source_status=status)
        assert change_of_site(*trial, site, was, side).type == f"site.{kind}"


def test_a_month_is_the_mean_of_the_julian_year():
    span = parse("P1461D")
    assert in_months(span.months, span.days) == 48
    assert (date(2001, 1, 1) - date(1997, 1, 1)).days == 1461


def test_folding_ignores_accents_case_and_signs():
    assert fold("L'Hémophilie B – œil (CD34+)") == "l hemophilie b oeil cd34"
