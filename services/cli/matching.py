"""`cleio match`: sends a patient to the running system and prints the answer for a reader."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.cli.gateway import CallError, Gateway

WIDTH = 100
_STYLES = {"compatible": "bold green", "possible": "yellow", "not_yet": "cyan", "not_now": "magenta", "excluded": "red"}
_STATE_STYLES = {"met": "green", "not_met": "red", "unknown": "yellow"}
_WORDS: dict[str, Mapping[str, str]] = {
    "fr": {
        "compatible": "compatible",
        "possible": "possible",
        "not_yet": "pas encore",
        "not_now": "pas actuellement",
        "excluded": "exclu",
        "met": "rempli",
        "not_met": "non rempli",
        "exclude_met": "ne s'applique pas",
        "exclude_not_met": "s'applique",
        "unknown": "inconnu",
        "missing": "donnée absente",
        "stale": "donnée trop ancienne",
        "unit": "unité non comparable",
        "no_reference_range": "sans intervalle de référence",
        "partial_detail": "détail insuffisant",
        "conflict": "données contradictoires",
        "needs_human": "à juger par une personne",
        "include": "inclusion",
        "exclude": "exclusion",
        "trial": "essai",
        "verdict": "verdict",
        "when": "quand",
        "why": "pourquoi",
        "sites": "centres",
        "criterion": "critère",
        "state": "état",
        "reason": "raison",
        "evidence": "faits",
        "from": "dès le",
        "until": "jusqu'au",
        "refer_before": "adresser avant le",
        "retest": "retester le",
        "closed": "recrutement fermé",
        "illustrative": "essai fictif",
        "clears_on": "levé le",
        "cohort": "cohorte",
        "registry": "critères tirés d'un registre, non signés",
        "none": "Aucun essai publié ne vise la maladie de ce patient.",
        "ask_next": "À demander d'abord",
        "undetermined": "dont on ne sait pas si la maladie est la sienne",
        "not_indicated": "d'une maladie que ce patient n'a pas",
        "as_of": "au",
        "timeline": "si rien d'autre ne change",
        "slot": "place",
        "unconfirmed": "non confirmé",
        "site_recruiting": "ouvert",
        "site_not_yet_recruiting": "à venir",
        "site_suspended": "suspendu",
        "site_completed": "terminé",
        "site_unknown": "statut inconnu",
        "more": "autres : --limit en montre plus, --json les donne tous",
        "unknown_trial": "n'est pas dans la réponse pour ce patient ; elle contient",
    },
    "en": {
        "compatible": "compatible",
        "possible": "possible",
        "not_yet": "not yet",
        "not_now": "not now",
        "excluded": "excluded",
        "met": "met",
        "not_met": "not met",
        "exclude_met": "does not apply",
        "exclude_not_met": "applies",
        "unknown": "unknown",
        "missing": "no data",
        "stale": "data too old",
        "unit": "unit not comparable",
        "no_reference_range": "no reference range",
        "partial_detail": "not enough detail",
        "conflict": "conflicting data",
        "needs_human": "for a person to judge",
        "include": "inclusion",
        "exclude": "exclusion",
        "trial": "trial",
        "verdict": "verdict",
        "when": "when",
        "why": "why",
        "sites": "sites",
        "criterion": "criterion",
        "state": "state",
        "reason": "reason",
        "evidence": "facts",
        "from": "from",
        "until": "until",
        "refer_before": "refer before",
        "retest": "retest on",
        "closed": "recruitment closed",
        "illustrative": "fictitious trial",
        "clears_on": "clears on",
        "cohort": "cohort",
        "registry": "criteria taken from a registry, not signed",
        "none": "No published trial targets this patient's disease.",
        "ask_next": "Ask first",
        "undetermined": "of a disease nothing is known of for this patient",
        "not_indicated": "of a disease this patient does not have",
        "as_of": "as of",
        "timeline": "if nothing else changes",
        "slot": "slot",
        "unconfirmed": "unconfirmed",
        "site_recruiting": "open",
        "site_not_yet_recruiting": "to come",
        "site_unknown": "status unknown",
        "more": "more: --limit shows more, --json gives all",
        "unknown_trial": "is not in the answer for this patient; it holds",
    },
}


class Answer(NamedTuple):
    """A match answer as it came (``text``) and as it reads."""

    text: str
    body: Mapping[str, Any]


def ask(gateway: Gateway, patient: Path, language: str) -> Answer:
    """:raises CallError: when the file cannot be read, or the match does not succeed."""
    try:
        content = sys.stdin.buffer.read() if str(patient) == "-" else patient.read_bytes()
    except OSError as error:
        raise CallError(f"{patient}: {error.strerror}") from None
    answer = gateway.send("POST", "/matching/v1/match?limit=200", content=content, language=language)
    return Answer(answer.text, answer.json())


def show_answer(answer: Answer, language: str, limit: int) -> None:
    """One row for each of the first ``limit`` trials; then what to ask first, and what was left out."""
    words, body, console = _WORDS[language], answer.body, _console()
    if body["results"]:
        table = Table(show_lines=True, pad_edge=False, expand=True)
        table.add_column(words["trial"], ratio=24, overflow="fold")
        table.add_column(words["verdict"], width=12, overflow="fold")
        table.add_column(words["when"], width=17)
        table.add_column(words["why"], ratio=30)
        table.add_column(words["sites"], ratio=24)
        for result in body["results"][:limit]:
            table.add_row(
                _lines(_heading(result, words, language)),
                Text(words.get(result["verdict"], result["verdict"]), _STYLES.get(result["verdict"], "")),
                _lines(_dates(result, words)),
                _lines(_why(result, words, language)),
                _lines(_sites(result, words)),
            )
        console.print(table)
        if len(body["results"]) > limit:
            console.print(f"{len(body['results']) - limit} {words['more']}", markup=False, highlight=False)
    else:
        console.print(words["none"])
    if body["ask_next"]:
        console.print(f"\n{words['ask_next']} :" if language == "fr" else f"\n{words['ask_next']}:", style="bold")
        for question in body["ask_next"][:5]:
            console.print(
                f"  {question['text'][language]}  ({question['who']}, {_count(question['trials'], words['trial'])})",
                markup=False,
                highlight=False,
            )
    left_out = [
        f"{_count(body[name], words['trial'])} {words[name]}"
        for name in ("undetermined", "not_indicated")
        if body[name]
    ]
    last = " · ".join([f"{words['as_of']} {body['as_of']}", *left_out])
    console.print(f"\n{last}\n{body['pre_screening'][language]}", highlight=False, style="dim")


def show_trial(answer: Answer, trial: str, language: str) -> None:
    """Every criterion of one trial, with its reason and evidence.

    :raises CallError: when the answer does not hold the trial.
    """
    words, console = _WORDS[language], _console()
    found = [result for result in answer.body["results"] if result["trial"] == trial]
    if not found:
        names = ", ".join(result["trial"] for result in answer.body["results"][:20])
        raise CallError(f"{trial} {words['unknown_trial']}: {names or '-'}")
    for result in found:
        console.print(_lines(_heading(result, words, language)))
        verdict = Text(words.get(result["verdict"], result["verdict"]), _STYLES.get(result["verdict"], ""))
        console.print(Text(" · ").join([verdict, *(Text(date) for date in _dates(result, words))]))
        table = Table(show_lines=True, pad_edge=False, expand=True)
        table.add_column(words["criterion"], ratio=48)
        table.add_column(words["state"], width=18)
        table.add_column(words["reason"], ratio=24)
        table.add_column(words["evidence"], ratio=16, overflow="fold")
        for criterion in result["criteria"]:
            kind = words.get(criterion["kind"], criterion["kind"])
            reason = [words.get(criterion["reason"], criterion["reason"])] if criterion["reason"] else []
            if criterion["clears_on"]:
                reason.append(f"{words['clears_on']} {criterion['clears_on']}")
            table.add_row(
                Text(f"{criterion['text'][language]} ({kind}, {criterion['id']})"),
                Text(_state(criterion, words), _STATE_STYLES.get(criterion["state"], "")),
                _lines(reason),
                Text(", ".join(criterion["evidence"])),
            )
        console.print(table)
        if result["timeline"]:
            console.print(f"{words['timeline']}:", style="bold")
            for span in result["timeline"]:
                verdict = Text(words.get(span["verdict"], span["verdict"]), _STYLES.get(span["verdict"], ""))
                console.print(Text(f"  {span['from'] or '…'} → {span['until'] or '…'}  ") + verdict)
        for site in _sites(result, words):
            console.print(site, markup=False, highlight=False)
    console.print(answer.body["pre_screening"][language], style="dim")


def _console() -> Console:
    # As wide as the terminal, and wide enough for a file or a pipe.
    return Console() if sys.stdout.isatty() else Console(width=WIDTH)


def _lines(lines: Sequence[str] | Iterator[str]) -> Text:
    return Text("\n".join(lines))


def _heading(result: Mapping[str, Any], words: Mapping[str, str], language: str) -> Iterator[str]:
    yield result["trial"]
    yield result["title"][language]
    if result["illustrative"]:
        yield f"[{words['illustrative']}]"
    if result["recruitment"] == "closed":
        yield f"[{words['closed']}]"
    if result["cohort"]:
        yield f"{words['cohort']} {result['cohort']}"
    if result["grade"] == "registry":
        yield f"[{words['registry']}]"


def _dates(result: Mapping[str, Any], words: Mapping[str, str]) -> list[str]:
    return [f"{words[name]} {result[name]}" for name in ("from", "until", "refer_before", "retest") if result[name]]


def _why(result: Mapping[str, Any], words: Mapping[str, str], language: str) -> Iterator[str]:
    # What fails decides; what is unknown is told where nothing fails.
    telling = [one for one in result["criteria"] if one["state"] == "not_met"] or [
        one for one in result["criteria"] if one["state"] == "unknown"
    ]
    for criterion in telling[:3]:
        reason = (
            f" ({words.get(criterion['reason'], criterion['reason'])})"
            if criterion["reason"] and criterion["state"] == "unknown"
            else ""
        )
        yield f"{'✗' if criterion['state'] == 'not_met' else '?'} {criterion['text'][language]}{reason}"
    if len(telling) > 3:
        yield f"… +{len(telling) - 3}"


def _state(criterion: Mapping[str, Any], words: Mapping[str, str]) -> str:
    # An exclusion that is met is one that does not apply: said so, nobody reads it the wrong way round.
    own = f"{criterion['kind']}_{criterion['state']}"
    return words.get(own) or words.get(criterion["state"], criterion["state"])


def _sites(result: Mapping[str, Any], words: Mapping[str, str]) -> Iterator[str]:
    for site in result["sites"][:3]:
        told = [words.get(f"site_{site['status']}", site["status"])]
        if site["stale"]:
            told.append(words["unconfirmed"])
        if slots := sum(slot["open"] for slot in site["slots"]):
            told.append(_count(slots, words["slot"]))
        if site["distance_km"] is not None:
            told.append(f"{site['distance_km']} km")
        yield f"• {site['name']} ({', '.join(told)})"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'s' if number > 1 else ''}"
