"""Print a match answer as a table for people."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.cli.gateway import CallError
from services.cli.match_words import WORDS

WIDTH = 100
_STYLES = {"compatible": "bold green", "possible": "yellow", "not_yet": "cyan", "not_now": "magenta", "excluded": "red"}
_STATE_STYLES = {"met": "green", "not_met": "red", "unknown": "yellow"}


def print_match(body: Mapping[str, Any], language: str, limit: int) -> None:
    """Print the first ``limit`` trials, the next questions, and how many trials are left out."""
    words, console = WORDS[language], _console()
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
        console.print(f"\n{words['ask_next']}{words['colon']}", style="bold")
        for question in body["ask_next"][:5]:
            who = words.get(f"who_{question['who']}", question["who"])
            console.print(
                f"  {question['text'][language]}  ({who}, {_count(question['trials'], words['trial'])})",
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


def print_criteria(body: Mapping[str, Any], trial: str, language: str) -> None:
    """Print every criterion of one trial, with its reason and evidence.

    :raises CallError: when the trial is not in the answer.
    """
    words, console = WORDS[language], _console()
    found = [result for result in body["results"] if result["trial"] == trial]
    if not found:
        names = ", ".join(result["trial"] for result in body["results"][:20])
        raise CallError(f"{trial} {words['unknown_trial']} {names or '-'}")
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
            console.print(f"{words['timeline']}{words['colon']}", style="bold")
            for span in result["timeline"]:
                verdict = Text(words.get(span["verdict"], span["verdict"]), _STYLES.get(span["verdict"], ""))
                console.print(Text(f"  {span['from'] or '…'} → {span['until'] or '…'}  ") + verdict)
        for site in _sites(result, words):
            console.print(site, markup=False, highlight=False)
    console.print(body["pre_screening"][language], style="dim")


def _console() -> Console:
    # As wide as the terminal; a file or a pipe gets a fixed width.
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
        yield f"{'✗' if criterion['state'] == 'not_met' else '?'} {criterion['text'][language]}{reason}"
    if len(shown) > 3:
        yield f"… +{len(shown) - 3}"


def _state(criterion: Mapping[str, Any], words: Mapping[str, str]) -> str:
    # The state "met" of an exclusion means that it does not apply: say so, because "met" would be misread.
    own = f"{criterion['kind']}_{criterion['state']}"
    return words.get(own) or words.get(criterion["state"], criterion["state"])


def _sites(result: Mapping[str, Any], words: Mapping[str, str]) -> Iterator[str]:
    for site in result["sites"][:3]:
        notes = [words.get(f"site_{site['status']}", site["status"])]
        if site["stale"]:
            notes.append(words["unconfirmed"])
        if slots := sum(slot["open"] for slot in site["slots"]):
            notes.append(_count(slots, words["slot"]))
        if site["distance_km"] is not None:
            notes.append(f"{site['distance_km']} km")
        yield f"• {site['name']} ({', '.join(notes)})"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'s' if number > 1 else ''}"
