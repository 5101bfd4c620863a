"""Print a match answer for people: the trials as a table, or every criterion of one trial.

The columns are never narrower than the longest words that occur (identifiers, drug names), so rich wraps between words.
A narrow terminal gets fewer columns.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.cli.gateway import CallError
from services.cli.match_words import words_for

WIDTH = 100  # of a file or a pipe
WIDE = 110  # from this width on, verdict, dates, reasons and sites have a column each

_VERDICT_STYLES = {
    "compatible": "bold green",
    "possible": "yellow",
    "not_yet": "cyan",
    "not_now": "magenta",
    "excluded": "red",
}
_STATE_STYLES = {"met": "green", "not_met": "red", "unknown": "yellow"}
_SITE_STYLES = {"recruiting": "green", "enrolling_by_invitation": "green", "available": "green"}

Document = Mapping[str, Any]
Words = Mapping[str, str]


def print_match(body: Document, language: str, limit: int, console: Console | None = None) -> None:
    """Print the first ``limit`` trials, the next questions, and how many trials are left out."""
    words, console = words_for(language, body["country"]), console or _console()
    results = body["results"][:limit]
    if results:
        table = _wide_table if console.width >= WIDE else _narrow_table
        console.print(table(results, words, language))
        if len(body["results"]) > limit:
            _print(console, f"{len(body['results']) - limit} {words['more']}")
    elif body["undetermined"]:
        _print(console, words["none_documented"].format(trials=_count(body["undetermined"], words["trial"])))
    else:
        _print(console, words["none"])
    if body["ask_next"]:
        console.print(f"\n{words['ask_next']}{words['colon']}", style="bold")
        for question in body["ask_next"][:5]:
            who = words.get(f"who_{question['who']}", question["who"])
            _print(console, f"  {question['text'][language]}  ({who}, {_count(question['trials'], words['trial'])})")
    if body["ignored_facts"]:
        ignored = ", ".join(
            f"{fact['id']} ({words.get('ignored_' + fact['reason'], fact['reason'])})"
            for fact in body["ignored_facts"][:10]
        )
        _print(console, f"\n{words['ignored']}{words['colon']} {ignored}", style="yellow")
    left_out = [
        f"{_count(body[name], words['trial'])} {words[name]}"
        for name in ("undetermined", "not_indicated")
        if body[name]
    ]
    last = " · ".join([f"{words['as_of']} {body['as_of']}", *left_out])
    _print(console, f"\n{last}\n{body['pre_screening'][language]}", style="dim")


def print_criteria(body: Document, trial: str, language: str, console: Console | None = None) -> None:
    """Print every criterion of one trial, with its reason and evidence.

    :raises CallError: when the trial is not in the answer.
    """
    words, console = words_for(language, body["country"]), console or _console()
    found = [result for result in body["results"] if result["trial"] == trial]
    if not found:
        names = ", ".join(result["trial"] for result in body["results"][:20])
        raise CallError(f"{trial} {words['unknown_trial']} {names or '-'}")
    for result in found:
        console.print(_heading(result, words, language))
        console.print(Text(" · ").join([_verdict(result, words), *map(Text, _dates(result, words))]))
        console.print(_criteria_table(result, words, language, console.width))
        if result["timeline"]:
            console.print(f"{words['timeline']}{words['colon']}", style="bold")
            for span in result["timeline"]:
                console.print(Text(f"  {span['from'] or '…'} → {span['until'] or '…'}  ") + _verdict(span, words))
        for site in _sites(result, words):
            console.print(site)
    _print(console, body["pre_screening"][language], style="dim")


def _console() -> Console:
    # As wide as the terminal; a file or a pipe gets a fixed width.
    return Console() if sys.stdout.isatty() else Console(width=WIDTH)


def _print(console: Console, text: str, style: str = "") -> None:
    console.print(text, markup=False, highlight=False, style=style)


def _wide_table(results: Sequence[Document], words: Words, language: str) -> Table:
    table = Table(show_lines=True, pad_edge=False, expand=True)
    table.add_column(words["trial"], ratio=26, min_width=20)
    table.add_column(words["verdict"], width=12)
    table.add_column(words["when"], width=17)
    table.add_column(words["why"], ratio=30, min_width=22)
    table.add_column(words["sites"], ratio=24, min_width=20)
    for result in results:
        table.add_row(
            _heading(result, words, language),
            _verdict(result, words),
            _lines(map(Text, _dates(result, words))),
            _lines(_why(result, words, language)),
            _lines(_sites(result, words)),
            style=_row_style(result),
        )
    return table


def _narrow_table(results: Sequence[Document], words: Words, language: str) -> Table:
    table = Table(show_lines=True, pad_edge=False, expand=True)
    table.add_column(words["trial"], ratio=28, min_width=20)
    table.add_column(words["verdict"], width=17)
    table.add_column(f"{words['why']} · {words['sites']}", ratio=32, min_width=22)
    for result in results:
        table.add_row(
            _heading(result, words, language),
            _lines([_verdict(result, words), *map(Text, _dates(result, words))]),
            _lines([*_why(result, words, language), *_sites(result, words)]),
            style=_row_style(result),
        )
    return table


def _criteria_table(result: Document, words: Words, language: str, width: int) -> Table:
    table = Table(show_lines=True, pad_edge=False, expand=True)
    table.add_column(words["criterion"], ratio=48, min_width=24)
    table.add_column(words["state"], width=15)
    table.add_column(words["reason"], ratio=20, min_width=14)
    wide = width >= WIDE
    if wide:
        table.add_column(words["evidence"], ratio=16, overflow="fold")
    for criterion in result["criteria"]:
        kind = words.get(criterion["kind"], criterion["kind"])
        reason = [words.get(criterion["reason"], criterion["reason"])] if criterion["reason"] else []
        if criterion["clears_on"]:
            reason.append(f"{words['clears_on']} {criterion['clears_on']}")
        evidence = ", ".join(_evidence(one, words) for one in criterion["evidence"])
        if evidence and not wide:
            reason.append(f"{words['evidence']}{words['colon']} {evidence}")
        cells = [
            Text(f"{criterion['text'][language]} ({kind}, {criterion['id']})"),
            Text(_state(criterion, words), _STATE_STYLES.get(criterion["state"], "")),
            _lines(map(Text, reason)),
        ]
        table.add_row(*cells, *([Text(evidence)] if wide else []))
    return table


def _lines(lines: Sequence[Text] | Iterator[Text]) -> Text:
    return Text("\n").join(lines)


def _row_style(result: Document) -> str:
    return "" if result["recruitment"] == "open" else "dim"


def _heading(result: Document, words: Words, language: str) -> Text:
    lines = [Text(result["trial"], "bold"), Text(result["title"][language])]
    if cohort := _cohort(result, language):
        lines.append(Text(f"{words['cohort']}{words['colon']} {cohort}"))
    if result["illustrative"]:
        lines.append(Text(f"[{words['illustrative']}]"))
    recruitment = result["recruitment"]
    label = words.get(f"recruitment_{recruitment}", recruitment)
    lines.append(Text(f"[{label}]", "green" if recruitment == "open" else "dim"))
    if result["grade"] == "registry":
        lines.append(Text(f"[{words['registry']}]"))
    return _lines(lines)


def _cohort(result: Document, language: str) -> str:
    """Return the label of the cohort that the verdict is for; its id where there is no label."""
    labels = {cohort["id"]: cohort["label"][language] for cohort in result["cohorts"]}
    return labels.get(result["cohort"]) or result["cohort"] or ""


def _verdict(document: Document, words: Words) -> Text:
    verdict = document["verdict"]
    return Text(words.get(verdict, verdict), _VERDICT_STYLES.get(verdict, ""))


def _dates(result: Document, words: Words) -> list[str]:
    names = ["from", "until", "retest"]
    if result["recruitment"] == "open":
        names.insert(2, "refer_before")  # there is nowhere to refer to while no site recruits
    return [f"{words[name]} {result[name]}" for name in names if result[name]]


def _why(result: Document, words: Words, language: str) -> Iterator[Text]:
    # Failed criteria decide; unknown ones are shown only when none fails.
    shown = [one for one in result["criteria"] if one["state"] == "not_met"] or [
        one for one in result["criteria"] if one["state"] == "unknown"
    ]
    for criterion in shown[:3]:
        reason = (
            f" ({words.get(criterion['reason'], criterion['reason'])})"
            if criterion["reason"] and criterion["state"] == "unknown"
            else ""
        )
        yield Text(f"{'✗' if criterion['state'] == 'not_met' else '?'} {criterion['text'][language]}{reason}")
    if len(shown) > 3:
        yield Text(f"… +{len(shown) - 3}")


def _evidence(one: str, words: Words) -> str:
    """Return what a state rests on: the id of a fact, or a field of the patient (`#birth`)."""
    name, _, domain = one.partition(":")
    return " ".join([words[name], domain]).strip() if one.startswith("#") and name in words else one


def _state(criterion: Document, words: Words) -> str:
    # The state "met" of an exclusion means that it does not apply: say so, because "met" would be misread.
    own = f"{criterion['kind']}_{criterion['state']}"
    return words.get(own) or words.get(criterion["state"], criterion["state"])


def _sites(result: Document, words: Words) -> Iterator[Text]:
    for site in result["sites"][:3]:
        notes = [words.get(f"status_{site['status']}", site["status"])]
        if site["stale"]:
            notes.append(words["unconfirmed"])
        if slots := sum(slot["open"] for slot in site["slots"]):
            notes.append(_count(slots, words["slot"]))
        if site["distance_km"] is not None:
            notes.append(f"{site['distance_km']} km")
        yield Text(f"• {site['name']} ({', '.join(notes)})", _SITE_STYLES.get(site["status"], "dim"))


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'s' if number > 1 else ''}"
