"""The bundled sample: documents are valid, complete in both languages, linked, and labelled as real or fictitious."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

import services.registry.sample
from services.registry.centres.schemas import CentreInput
from services.registry.model.site import SiteInput
from services.registry.model.trial import TrialInput, preferred_identifier
from services.registry.scope.gate import judge
from services.registry.terminology.terminology import builtin
from shared.criteria.expressions import Age, Has, Human, Ordinal, Sex, Value, Variant
from shared.criteria.lint import RegistryRecord, lint
from shared.criteria.model import CriteriaDocument, leaves
from shared.criteria.scales import SCALES
from tests.unit.registry.terminology.closure import carriers

FOLDER = Path(services.registry.sample.__file__).parent
REAL_MEMBERS = {"fr-strasbourg", "fr-necker", "fr-toulouse"}
CONDITIONS_COVERED = {
    "sickle cell disease": "ORPHA:275752",
    "Duchenne": "ORPHA:98896",
    "systemic sclerosis": "ORPHA:90291",
    "dermatomyositis": "ORPHA:221",
    "myasthenia": "ORPHA:589",
    "spinal muscular atrophy": "ORPHA:70",
    "haemophilia": "ORPHA:448",
    "inherited immunodeficiency": "ORPHA:101997",
}


def listed(name):
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def documents(folder):
    return {
        file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted((FOLDER / folder).glob("*.json"))
    }


TRIALS = {name: TrialInput.model_validate(given) for name, given in documents("trials").items()}
CRITERIA = {name: CriteriaDocument.model_validate(given) for name, given in documents("criteria").items()}
CENTRES = {
    given["id"]: CentreInput.model_validate({key: value for key, value in given.items() if key != "id"})
    for given in listed("centres.json")
}
SITES = listed("sites.json")
DEMO = {name for name in TRIALS if name.startswith("CLEIO-DEMO-")}
EVERY_LEAF = [
    (name, criterion, leaf)
    for name, document in CRITERIA.items()
    for criterion in document.criteria
    for _, leaf in leaves(criterion.expr)
]


def codes_of(leaf):
    yield from getattr(leaf, "codes", ())
    for event in getattr(leaf, "not_after", ()):
        yield from event.codes


@pytest.mark.parametrize("name", TRIALS)
def test_a_trial_is_stored_under_its_public_identifier(name):
    assert preferred_identifier(TRIALS[name].identifiers) == name


def test_the_real_trials_cover_the_diseases_of_the_network():
    real = [TRIALS[name] for name in TRIALS if name not in DEMO]
    targets = {code for trial in real for condition in trial.conditions if (code := condition.code)}
    for disease, code in CONDITIONS_COVERED.items():
        assert targets & carriers(builtin(), code), disease
    assert any(trial.product.atmp_class == "tissue_engineered" for trial in real)


@pytest.mark.parametrize("name", TRIALS)
def test_a_trial_has_french_and_english_texts_and_a_known_disease(name):
    trial = TRIALS[name]
    for text in (trial.titles, trial.summary):
        assert text.fr
        assert text.en
        assert text.fr != text.en
    assert any(condition.role == "target" for condition in trial.conditions)
    for condition in trial.conditions:
        assert condition.code in builtin()


@pytest.mark.parametrize("name", sorted(DEMO))
def test_a_fictitious_trial_is_labelled_in_every_text(name):
    trial, document = TRIALS[name], CRITERIA[name]
    assert trial.sample == "demo"
    assert trial.illustrative
    assert [identifier.type for identifier in trial.identifiers] == ["cleio"]
    assert trial.titles.fr.startswith("[Fictif] ")
    assert trial.titles.en.startswith("[Fictitious] ")
    assert trial.summary.fr.startswith("Étude fictive")
    assert trial.summary.en.startswith("Fictitious study")
    assert "fictif" in trial.sponsor.name
    assert "fictitious" in document.source_version
    assert {criterion.source.ref for criterion in document.criteria} == {"demonstration"}
    assert not trial.locations


@pytest.mark.parametrize("name", sorted(TRIALS.keys() - DEMO))
def test_a_real_trial_declares_no_open_place(name):
    trial = TRIALS[name]
    assert trial.sample == "real"
    assert not trial.illustrative
    assert not any(site["trial"] == name for site in SITES)
    assert all(site.status not in ("recruiting", "not_yet_recruiting") for site in trial.sites)
    assert trial.eligibility.text is None
    french = {location.city for location in trial.locations if location.country == "FR"}
    assert all(CENTRES[site.centre].city in french for site in trial.sites)


def test_there_are_eleven_centres_of_which_three_are_real_members():
    assert len(CENTRES) == 11
    assert {name for name, centre in CENTRES.items() if not centre.illustrative} == REAL_MEMBERS
    for name, centre in CENTRES.items():
        assert centre.member
        assert centre.finess_et.startswith(centre.departement), name
        assert 41 < centre.lat < 51.5
        assert -5.5 < centre.lon < 10
        assert not (centre.illustrative and centre.capabilities), "a stand-in centre claims no capability"


def test_sites_with_places_belong_to_fictitious_trials_and_agree_with_them():
    for site in SITES:
        trial = TRIALS[site["trial"]]
        assert site["trial"] in DEMO
        assert {"centre": site["centre"], "status": site["status"]} in [
            declared.model_dump() for declared in trial.sites
        ]
        assert site["confirmed_days_ago"] >= 0
        declared = SiteInput.model_validate({"status": site["status"], "slots": site["slots"]})
        assert {slots.cohort for slots in declared.slots} <= {cohort.id for cohort in trial.cohorts}
    for name in DEMO:
        open_at = {
            site["centre"] for site in SITES if site["trial"] == name and any(slots["open"] for slots in site["slots"])
        }
        assert len(open_at) >= 3
        assert {site.centre for site in TRIALS[name].sites} <= CENTRES.keys()
    assert {site["centre"] for site in SITES} >= REAL_MEMBERS
    assert any(site["confirmed_days_ago"] > 30 for site in SITES), "one site shows what stale looks like"


def test_every_fictitious_trial_and_eight_real_ones_have_signed_criteria():
    assert CRITERIA.keys() >= DEMO
    assert len(CRITERIA.keys() - DEMO) >= 8
    for name, document in CRITERIA.items():
        assert document.trial == name
        assert document.grade == "signed"
        assert document.illustrative
        assert "illustrative" in document.authored_by
        assert "illustrative" in document.signed_by
        assert [(cohort.id, cohort.label) for cohort in document.cohorts] == [
            (cohort.id, cohort.label) for cohort in TRIALS[name].cohorts
        ]


@pytest.mark.parametrize("name", CRITERIA)
def test_the_indication_is_the_target_disease_of_the_trial(name):
    indications = [criterion for criterion in CRITERIA[name].criteria if criterion.role == "indication"]
    assert len(indications) == 1
    targets = [condition.code for condition in TRIALS[name].conditions if condition.role == "target"]
    assert indications[0].expr.codes == targets


def test_every_code_of_a_criterion_is_known():
    unknown = {(name, code) for name, _, leaf in EVERY_LEAF for code in codes_of(leaf) if code not in builtin()}
    assert unknown == set()
    assert all(
        leaf.scale in SCALES and leaf.scale in builtin() for _, _, leaf in EVERY_LEAF if isinstance(leaf, Ordinal)
    )


def test_infections_and_pregnancy_become_out_of_date_like_any_finding():
    ageing = ("positive", "infection", "pregnancy", "breastfeeding")
    found = [
        leaf
        for _, _, leaf in EVERY_LEAF
        if isinstance(leaf, Has) and any(word in code for code in leaf.codes for word in ageing)
    ]
    assert len(found) > 20
    assert all(leaf.within or leaf.evidence_within for leaf in found)


def test_a_measurement_has_an_age_limit_and_a_failed_one_a_retest():
    lifelong = {"LOINC:3209-4", "CLEIO:fviii-exposure-days"}
    for name, criterion, leaf in EVERY_LEAF:
        if isinstance(leaf, Value) and not lifelong & set(leaf.codes):
            assert leaf.within, (name, criterion.id)
    for name, document in CRITERIA.items():
        for criterion in document.criteria:
            if isinstance(criterion.expr, Value) and criterion.expr.within:
                assert criterion.retest, (name, criterion.id)


def test_a_variant_that_must_be_in_a_region_is_decided_by_the_report():
    bounded = [leaf for _, _, leaf in EVERY_LEAF if isinstance(leaf, Variant) and leaf.exons]
    assert bounded
    assert all(leaf.closed for leaf in bounded)


def test_every_question_has_one_wording_and_every_open_criterion_one_question():
    wordings = {}
    for name, document in CRITERIA.items():
        for criterion in document.criteria:
            if not isinstance(criterion.expr, Age | Sex):
                assert criterion.ask, (name, criterion.id)
            if criterion.ask:
                assert wordings.setdefault(criterion.ask.code, criterion.ask) == criterion.ask
            if isinstance(criterion.expr, Human):
                assert criterion.ask.code == criterion.expr.question
            assert criterion.text.fr
            assert criterion.text.en
            assert criterion.text.fr.endswith(".")
            assert criterion.text.en.endswith(".")


def test_cohorts_that_divide_by_age_do_not_overlap_by_accident():
    for name in DEMO:
        bounds = sorted(
            (criterion.expr.min, criterion.expr.max)
            for criterion in CRITERIA[name].criteria
            if isinstance(criterion.expr, Age) and criterion.cohorts
        )
        years = sorted((int(low[1:-1]), int(high[1:-1])) for low, high in bounds)
        assert all(first[1] <= second[0] for first, second in pairwise(years)), name


@pytest.mark.parametrize("name", TRIALS)
def test_the_scope_gate_accepts_the_sample(name):
    answer = judge(TRIALS[name], builtin())
    assert answer.answer == "in_scope", [reason.code for reason in answer.reasons]


@pytest.mark.parametrize("name", CRITERIA)
def test_the_sample_s_criteria_pass_the_author_s_check(name):
    structured = TRIALS[name].eligibility
    record = RegistryRecord(minimum_age=structured.minimum_age, maximum_age=structured.maximum_age, sex=structured.sex)
    found = lint(CRITERIA[name], builtin().graph, record)
    # How old a negative result may be is not said by the sources of the sample.
    remarks = [(one.severity, one.code) for one in found if one.code != "evidence_window_advised"]
    # 180 days in the protocol are "6 months" in the registry.
    assert remarks == ([("warning", "age_mismatch")] if name == "NCT03461289" else [])
