"""The cards of an answer: at most three, without anything of the patient in their summaries. Pure."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final
from uuid import uuid4

from services.matching.answers.wording import PRE_SCREENING, question_text, recruitment_text, title_of
from services.matching.engine import ask_next
from services.matching.evaluations.service import ListedTrial
from services.matching.patients.index import IndexedPatient
from services.matching.snapshots.model import Snapshot
from shared.values.language import Language
from shared.vocabulary.identifiers import register_page

MOST_TRIALS: Final = 5
SOON: Final = timedelta(days=90)
_VERDICTS: Final = {
    "fr": {"compatible": "compatible", "possible": "possible"},
    "en": {"compatible": "compatible", "possible": "possible"},
}
_TEXTS: Final = {
    "fr": {
        "found": "Essais de thérapie innovante à envisager : {count}",
        "soon": "Essais dont la date limite d'adressage approche : {count}",
        "ask": "Une question départagerait {count} essai(s)",
        "before": "adresser avant le {day}",
        "more": "et {count} autres",
    },
    "en": {
        "found": "Advanced therapy trials to consider: {count}",
        "soon": "Trials with a referral deadline soon: {count}",
        "ask": "One question would settle {count} trial(s)",
        "before": "refer before {day}",
        "more": "and {count} more",
    },
}


def cards(
    listed: Sequence[ListedTrial], snapshot: Snapshot, patient: IndexedPatient, language: Language, public_url: str
) -> list[dict[str, Any]]:
    """Return the cards: open trials that suit now, those to refer to soon, and the question that decides most."""
    words = _TEXTS[language]
    source = {"label": "CLEIO", "url": public_url}
    now = [one for one in listed if one.best.verdict in _VERDICTS[language] and one.best.id in one.trial.recruiting]
    soon = [one for one in now if _is_soon(one.best.refer_before, patient.as_of)]
    found = []
    for name, trials in (("found", now), ("soon", soon)):
        if trials:
            lines = [_line(one, snapshot, language) for one in trials[:MOST_TRIALS]]
            rest = len(trials) - MOST_TRIALS
            lines += [f"- {words['more'].format(count=rest)}"] if rest > 0 else []
            detail = "\n".join([*lines, "", PRE_SCREENING[language]])
            found.append(_card(words[name].format(count=len(trials)), detail, source, _links(trials[:MOST_TRIALS])))
    questions = ask_next([(one.compiled, one.result) for one in listed], patient.index, most=1)
    if questions:
        text = question_text(questions[0], snapshot.vocabulary)[language]
        found.append(_card(words["ask"].format(count=len(questions[0].trials)), text, source, []))
    return found


def _card(summary: str, detail: str, source: dict[str, str], links: list[dict[str, str]]) -> dict[str, Any]:
    card = {"uuid": str(uuid4()), "summary": summary, "detail": detail, "indicator": "info", "source": source}
    return card | ({"links": links} if links else {})


def _line(one: ListedTrial, snapshot: Snapshot, language: Language) -> str:
    trial, best = one.trial.record.trial, one.best
    parts = [
        _VERDICTS[language][best.verdict],
        recruitment_text(one.trial.recruitment[best.id], snapshot.country)[language],
    ]
    if best.refer_before is not None:
        parts.append(_TEXTS[language]["before"].format(day=best.refer_before.isoformat()))
    return f"- **{_plain(trial.acronym or trial.identifier)}** {_plain(title_of(trial)[language])} ({', '.join(parts)})"


def _links(trials: Sequence[ListedTrial]) -> list[dict[str, str]]:
    found = []
    for one in trials:
        trial = one.trial.record.trial
        pages = [page for kind, number in trial.identifiers if (page := register_page(kind, number))]
        found += [{"label": trial.identifier, "url": page, "type": "absolute"} for page in pages[:1]]
    return found


def _plain(text: str) -> str:
    """Return a text without the signs that Markdown would read."""
    return "".join(sign for sign in text if sign not in "*_`#[]<>|\\")


def _is_soon(day: date | None, today: date) -> bool:
    return day is not None and day <= today + SOON
