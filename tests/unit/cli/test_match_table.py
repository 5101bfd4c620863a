"""The match table is readable at 80 columns, and agrees with the answer."""

import copy
import io
from typing import Any, get_args

import pytest
from rich.console import Console

from services.cli.match_table import print_criteria, print_match
from services.cli.match_words import WORDS
from services.matching.answers.schemas import Reason, Verdict
from services.matching.snapshots.recruitment import Recruitment

TRIAL: dict[str, Any] = {
    "trial": "2023-512345-12-00",
    "title": {"fr": "Onasemnogène abéparvovec dans l'amyotrophie spinale", "en": "Onasemnogene in spinal atrophy"},
    "acronym": None,
    "verdict": "possible",
    "recruitment": "open",
    "recruitment_status": "recruiting",
    "from": "2026-01-02",
    "until": "2029-12-20",
    "refer_before": "2029-10-25",
    "retest": None,
    "cohort": "2",
    "grade": "signed",
    "criteria_version": 1,
    "illustrative": True,
    "criteria": [
        {
            "id": "I-HYDROXYUREA",
            "kind": "include",
            "role": None,
            "stage": "prescreen",
            "state": "unknown",
            "reason": "needs_human",
            "text": {
                "fr": "Échec de l'hydroxycarbamide, ou d'un immunosuppresseur.",
                "en": "Failure of hydroxycarbamide or of an immunosuppressant.",
            },
            "evidence": ["crisis-1"],
            "clears_on": None,
            "left_to_investigator": True,
        },
        {
            "id": "X-HIV",
            "kind": "exclude",
            "role": None,
            "stage": "prescreen",
            "state": "met",
            "reason": None,
            "text": {"fr": "Infection par le VIH.", "en": "HIV infection."},
            "evidence": [],
            "clears_on": None,
            "left_to_investigator": False,
        },
    ],
    "timeline": [{"from": "2026-01-02", "until": None, "verdict": "possible"}],
    "cohorts": [
        {
            "id": "2",
            "label": {"fr": "Adolescents de 12 à 17 ans", "en": "Adolescents aged 12 to 17"},
            "verdict": "possible",
            "recruitment": "open",
        }
    ],
    "sites": [
        {
            "centre": "fr-necker",
            "name": "AP-HP – Hôpital Necker-Enfants malades",
            "city": "Paris",
            "status": "recruiting",
            "slots": [{"cohort": "2", "open": 3}],
            "stale": False,
            "distance_km": 12,
        }
    ],
}
ANSWER: dict[str, Any] = {
    "as_of": "2025-11-22",
    "country": "FR",
    "pre_screening": {"fr": "Un clinicien décide.", "en": "A clinician decides."},
    "results": [TRIAL],
    "undetermined": 0,
    "not_indicated": 0,
    "ask_next": [
        {
            "code": "x",
            "text": {"fr": "Quel titre ?", "en": "Which titre?"},
            "who": "sponsor_lab",
            "cost": 2,
            "trials": 2,
        }
    ],
    "ignored_facts": [],
}


def shown(body: dict[str, Any], language: str = "fr", width: int = 80) -> str:
    console = Console(width=width, record=True, file=io.StringIO())
    print_match(body, language, 10, console)
    return console.export_text()


def with_trial(**fields: Any) -> dict[str, Any]:
    body = copy.deepcopy(ANSWER)
    body["results"][0] |= fields
    return body


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fr", ["2023-512345-12-00", "l'hydroxycarbamide,", "immunosuppresseur.", "Onasemnogène", "Necker-Enfants"]),
        ("en", ["2023-512345-12-00", "hydroxycarbamide", "immunosuppressant.", "Onasemnogene", "Necker-Enfants"]),
    ],
)
def test_no_identifier_and_no_word_is_cut(language: str, words: list[str], width: int) -> None:
    text = shown(ANSWER, language, width)
    assert [word for word in words if word not in text] == []
    assert max(len(line) for line in text.splitlines()) <= width
    assert "…" not in text


def test_a_cohort_is_shown_by_its_label() -> None:
    text = " ".join(shown(ANSWER, width=120).replace("│", " ").split())
    assert "cohorte : Adolescents" in text
    assert "cohorte : 2" not in text


@pytest.mark.parametrize(
    ("recruitment", "language", "words"),
    [
        ("open", "fr", "[recrute]"),
        ("closed", "fr", "[recrutement terminé]"),
        ("closed", "en", "[recruitment closed]"),
        ("not_yet_open", "fr", "[pas encore ouvert au recrutement]"),
        ("not_yet_open", "en", "[not yet recruiting]"),
        ("not_in_country", "fr", "[ne recrute pas en France]"),
        ("not_in_country", "en", "[not recruiting in France]"),
        ("a_later_value", "en", "[a_later_value]"),
    ],
)
def test_recruitment_is_named(recruitment: str, language: str, words: str) -> None:
    text = " ".join(shown(with_trial(recruitment=recruitment), language, 200).split())
    assert words in text


@pytest.mark.parametrize(
    ("language", "words"),
    [("fr", "[ne recrute pas dans ce pays (BE)]"), ("en", "[not recruiting in this country (BE)]")],
)
def test_the_country_is_that_of_the_answer(language: str, words: str) -> None:
    text = " ".join(shown({**with_trial(recruitment="not_in_country"), "country": "BE"}, language, 200).split())
    assert words in text


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_verdict_reason_and_recruitment_has_its_words(language: str) -> None:
    named = [*get_args(Verdict), *get_args(Reason), *(f"recruitment_{one}" for one in get_args(Recruitment))]
    assert [one for one in named if one not in WORDS[language]] == []


@pytest.mark.parametrize(
    ("language", "words"),
    [("fr", "faits : âge, sexe, domaine complet medications, crisis-1"), ("en", "facts: age, sex,")],
)
def test_evidence_that_is_no_fact_is_named(language: str, words: str) -> None:
    body = copy.deepcopy(ANSWER)
    body["results"][0]["criteria"][0]["evidence"] = ["#birth", "#sex", "#complete:medications", "crisis-1"]
    console = Console(width=108, record=True, file=io.StringIO())
    print_criteria(body, "2023-512345-12-00", language, console)
    cells = [line.split("│")[3].strip() for line in console.export_text().splitlines() if line.count("│") == 4]
    assert words in " ".join(cells)


def test_no_patient_is_referred_if_no_site_recruits() -> None:
    assert "refer before" in shown(ANSWER, "en", 120)
    assert "refer before" not in shown(with_trial(recruitment="closed"), "en", 120)


@pytest.mark.parametrize(
    ("language", "known", "unknown"),
    [
        ("fr", "Aucun essai publié ne vise la maladie de ce patient.", "Pour 18 essais, on ne sait pas si"),
        ("en", "No published trial targets this patient's disease.", "For 18 trials it is not known whether"),
    ],
)
def test_without_results_the_text_depends_on_whether_the_disease_is_known(
    language: str, known: str, unknown: str
) -> None:
    empty = {**ANSWER, "results": []}
    assert known in shown(empty, language, 200)
    text = shown({**empty, "undetermined": 18}, language, 200)
    assert unknown in text
    assert known not in text


def test_data_that_was_not_used_is_named() -> None:
    text = shown({**ANSWER, "ignored_facts": [{"id": "lvef", "reason": "after_as_of"}]}, "en")
    assert "Data that was not used: lvef (after the date of the match)" in text


def test_french_texts_have_french_words_and_spaces() -> None:
    text = shown(ANSWER)
    assert "Questions à poser en premier :" in text
    assert "(laboratoire du promoteur, 2 essais)" in text


@pytest.mark.parametrize("width", [80, 120])
def test_a_trial_is_explained_by_its_criteria(width: int) -> None:
    console = Console(width=width, record=True, file=io.StringIO())
    print_criteria(ANSWER, "2023-512345-12-00", "fr", console)
    text = console.export_text()
    for words in ("I-HYDROXYUREA", "X-HIV", "ne s'applique", "Si rien d'autre ne change :", "crisis-1"):
        assert words in text, words
