"""The forms of a trial and a centre in JSON."""

import pytest
from pydantic import ValidationError

from services.registry.centres.schemas import CentreInput
from services.registry.model.site import SiteInput
from services.registry.model.trial import (
    MAX_ELIGIBILITY_TEXT,
    Identifier,
    TrialInput,
    preferred_identifier,
)
from shared.values.validation import faults
from shared.vocabulary.identifiers import recognise_identifier

NCT = {"type": "nct", "value": "NCT03745287"}


def refusals(model, body) -> set[str]:
    with pytest.raises(ValidationError) as refused:
        model.model_validate(body)
    return {error["type"] for error in refused.value.errors()}


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("NCT03745287", ("nct", "NCT03745287")),
        (" nct03745287 ", ("nct", "NCT03745287")),
        ("2023-505234-12-00", ("euct", "2023-505234-12-00")),
        ("2013-001234-12", ("eudract", "2013-001234-12")),
        ("2023-505234-12", ("eudract", "2023-505234-12")),
        ("ISRCTN12345678", ("isrctn", "ISRCTN12345678")),
        ("U1111-1234-5678", ("utn", "U1111-1234-5678")),
        ("2019-A01234-53", ("id_rcb", "2019-A01234-53")),
        ("CLEIO-DEMO-0001", ("cleio", "CLEIO-DEMO-0001")),
        ("nct 0374 5287", ("nct", "NCT03745287")),
        ("ClinicalTrials.gov identifier: NCT03745287", ("nct", "NCT03745287")),
        ("EudraCT no. 2013-001234-12", ("eudract", "2013-001234-12")),
        ("EUCTR2013-001234-12-FR", ("eudract", "2013-001234-12")),
        ("EU CT 2023 505234 12 00", ("euct", "2023-505234-12-00")),
        ("2013‑001234‑12", ("eudract", "2013-001234-12")),
        ("N° ID-RCB : 2019-a01234-53", ("id_rcb", "2019-A01234-53")),
        ("P130917", None),
        ("NCT0374528", None),
        ("٢٠١٣-001234-12", None),
    ],
)
def test_a_public_number_is_recognised_by_its_form(text, known):
    assert recognise_identifier(text) == known


@pytest.mark.parametrize(
    "identifier",
    [
        {"type": "nct", "value": "03745287"},
        {"type": "eudract", "value": "2023-505234-12-00"},
        {"type": "sponsor", "value": "NCT03745287"},
        {"type": "sponsor", "value": "two\nlines"},
        {"type": "sponsor", "value": "   "},
    ],
)
def test_an_identifier_has_the_form_of_its_type(identifier):
    assert refusals(Identifier, identifier)


def test_the_preferred_identifier_follows_the_order_of_the_registries():
    given = [
        Identifier(type="sponsor", value="P130917"),
        Identifier(type="eudract", value="2013-001234-12"),
        Identifier(type="nct", value="NCT03745287"),
        Identifier(type="euct", value="2023-505234-12-00"),
    ]
    assert preferred_identifier(given) == "2023-505234-12-00"
    assert preferred_identifier(given[:3]) == "NCT03745287"
    assert preferred_identifier(given[:2]) == "2013-001234-12"
    assert preferred_identifier(given[:1]) == "P130917"


def test_a_trial_needs_an_identifier_and_nothing_else():
    trial = TrialInput.model_validate({"identifiers": [NCT]})
    assert trial.status == "unknown"
    assert trial.product.atmp_class is None
    assert TrialInput.model_validate_json(trial.model_dump_json()) == trial
    assert refusals(TrialInput, {"identifiers": []}) == {"too_short"}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("version", 1, "extra_forbidden"),
        ("published", True, "extra_forbidden"),
        ("identifiers", [NCT, NCT], "duplicate"),
        ("countries", ["FR", "FR"], "duplicate"),
        ("countries", ["France"], "string_pattern_mismatch"),
        ("status", "Recruiting", "literal_error"),
        ("eligibility", {"text": "x" * (MAX_ELIGIBILITY_TEXT + 1)}, "string_too_long"),
        ("eligibility", {"minimum_age": "18 Years"}, "string_pattern_mismatch"),
        ("eligibility", {"minimum_age": "P"}, "string_pattern_mismatch"),
        ("dates", {"start": {"date": "2019-13"}}, "string_pattern_mismatch"),
        ("conditions", [{"text": "x"}] * 1001, "too_long"),
        ("enrolment", {"count": -1}, "greater_than_equal"),
        ("titles", {"en": "a\x00b"}, "string_pattern_mismatch"),
        ("sample", "demo", "demo_not_illustrative"),
    ],
)
def test_a_trial_with_invalid_content_is_refused(field, value, code):
    assert refusals(TrialInput, {"identifiers": [NCT], field: value}) == {code}


def test_a_site_counts_each_cohort_once():
    assert refusals(
        SiteInput, {"status": "recruiting", "slots": [{"cohort": "1", "open": 1}, {"cohort": "1", "open": 2}]}
    ) == {"duplicate"}


CENTRE = {
    "name": "CIC Biothérapies Necker",
    "city": "Paris",
    "departement": "75",
    "region": "Île-de-France",
    "lat": 48.85,
    "lon": 2.31,
    "label": "labelled",
    "populations": ["adult", "child"],
}


@pytest.mark.parametrize("departement", ["01", "2A", "95", "974", "988"])
def test_a_centre_is_in_a_departement(departement):
    assert CentreInput.model_validate({**CENTRE, "departement": departement}).departement == departement


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("departement", "20"),
        ("departement", "96"),
        ("departement", "75015"),
        ("finess_et", "12345"),
        ("lat", 91.0),
        ("populations", []),
    ],
)
def test_a_centre_with_invalid_content_is_refused(field, value):
    assert refusals(CentreInput, {**CENTRE, field: value})


def test_the_mailbox_of_a_person_is_refused_at_its_field():
    with pytest.raises(ValidationError) as refused:
        CentreInput.model_validate({**CENTRE, "referral_mailbox": "jeanne.martin@chu.example"})
    (fault,) = faults(refused.value.errors())
    assert (fault.pointer, fault.code) == ("/referral_mailbox", "contact_mailbox")
    assert "boîte d'une fonction" in fault.detail.fr


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({}, None),
        ({"email": "essais.cliniques@chu.example", "url": "https://chu.example/essais"}, None),
        ({"email": "cic-p@chu.example", "organisation": "CHU de Lille"}, None),
        ({"email": "jeanne.martin@chu.example"}, "contact_mailbox"),
        ({"function": {"fr": "Dr Martin", "en": "clinical trials unit"}}, "contact_person"),
        ({"organisation": "Pr. Martin, CHU"}, "contact_person"),
        ({"function": {"fr": "unité d'essais", "en": "unit, +33 3 20 44 59 62 0000"}}, "contact_person"),
        ({"phone": "+33 3 20 44 59 62"}, "extra_forbidden"),
    ],
)
def test_the_contact_of_a_trial_is_a_function(given, refusal) -> None:
    body = {"identifiers": [NCT], "contact": {"function": {"fr": "unité d'essais", "en": "trials unit"}, **given}}
    if refusal is None:
        assert TrialInput.model_validate(body).contact is not None
    else:
        assert refusals(TrialInput, body) == {refusal}
