"""The actions of the workbench: each takes the form, changes the state in it, and evaluates it over the public API."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from services.portal.clients.api import Api
from services.portal.clients.problems import FAILURES, ApiError
from services.portal.pages.days import today
from services.portal.pages.forms import Form
from services.portal.workbench.answering import (
    NOTHING_GIVEN,
    WHOLE_DAY,
    NotUnderstoodError,
    age_of,
    day_of,
    facts_added,
    facts_of_answer,
)
from services.portal.workbench.comparing import differences
from services.portal.workbench.facts import codes_of
from services.portal.workbench.model import Outcome
from services.portal.workbench.public_texts import PublicTexts
from services.portal.workbench.questions import codes_of_questions
from services.portal.workbench.state import Record, State, is_whole_day, parameters_of, patient_of
from services.portal.workbench.view import DETAILED, is_listed
from shared.values.problems import MalformedJsonError
from shared.values.strict_json import Limits, loads
from shared.values.wire import Label

_EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "examples"
EXAMPLES = {
    "duchenne-boy": Label(fr="Garçon, myopathie de Duchenne (JSON)", en="Boy, Duchenne dystrophy (JSON)"),
    "sickle-cell-girl": Label(fr="Fille, drépanocytose (JSON)", en="Girl, sickle cell disease (JSON)"),
    "phenopacket": Label(fr="Phenopacket", en="Phenopacket"),
    "duchenne-bundle": Label(fr="Bundle FHIR", en="FHIR Bundle"),
}
_NOT_JSON = Label(
    fr="Ce texte n'est pas du JSON. Collez un dossier natif, un Phenopacket ou un Bundle FHIR, en entier.",
    en="This text is not JSON. Paste a native record, a Phenopacket or a FHIR Bundle, whole.",
)
_NO_CODE = Label(
    fr="Choisissez un des codes proposés, ou écrivez-en un, par exemple ORPHA:98896.",
    en="Choose one of the codes, or write one, for example ORPHA:98896.",
)
_NOTHING = Label(
    fr="Donnez au moins le diagnostic : en mots, ou par son code.",
    en="Give at least the diagnosis: in words, or by its code.",
)
MOST_CODES = 12
_NOT_ALLOWED = frozenset({401, 403, 404})
_RECORD_AT_FAULT = frozenset({400, 413, 422})


class Workbench:
    """The workbench of one visitor for one request."""

    def __init__(self, api: Api, texts: PublicTexts) -> None:
        self._api = api
        self._texts = texts

    async def act(self, form: Form) -> Outcome:
        """Do what the button of the form says, and evaluate. Where no service answers, all that was typed is kept.

        :raises ApiError: 401, 403 or 404, the visitor may not match; the record is not at fault.
        """
        state = replace(State.read(form.text("state")), invented=bool(form.one("invented")))
        try:
            return await self._act(state, form)
        except FAILURES as error:
            if error.status in _NOT_ALLOWED:
                raise
            return Outcome(state, problem=error, retry=form.one("do") or "update", kept=_fields(form))

    async def _act(self, state: State, form: Form) -> Outcome:
        action, _, name = (form.one("do") or "update").partition(":")
        try:
            if action == "example" or form.one("pasted"):
                return await self._start(state, form, name if action == "example" else "")
            return await self._change(state, form, action, name)
        except NotUnderstoodError as error:
            outcome = await self._evaluated(state)
            return replace(outcome, faults={error.name: error.wanted}, kept=_fields(form))

    async def check(self) -> None:
        """Ask whether this visitor may match, and have the names of codes read before they are needed.

        :raises ApiError: 401 or 403, the visitor may not.
        """
        await asyncio.gather(self._match({}, State(invented=True)), self._texts.names(self._api, ()))

    async def evaluate(self, state: State) -> Outcome:
        """Evaluate a state as it is.

        :raises ApiError: the visitor may not match, or the service could not answer.
        """
        return await self._evaluated(state)

    async def codes(self, words: str) -> list[Mapping[str, Any]]:
        """Return the concepts that words find."""
        if len(words.strip()) < 2:
            return []
        found = await self._api.get("/registry/v1/terminology", q=words[:200], limit=MOST_CODES)
        return list(found["concepts"])

    async def _start(self, state: State, form: Form, example: str) -> Outcome:
        """Read a record of any format as the native one."""
        text = (_EXAMPLES / f"{example}.json").read_text("utf-8") if example in EXAMPLES else form.text("pasted")
        try:
            document = loads(text.encode(), _RECORD_LIMITS)
        except MalformedJsonError:
            raise NotUnderstoodError("pasted", _NOT_JSON) from None
        invented = state.invented or example in EXAMPLES
        try:
            found = (
                await self._api.call(
                    "POST", "/matching/v1/patients/read", json=document, query={"synthetic": _flag(invented)}
                )
            ).body
        except ApiError as error:
            if error.status not in _RECORD_AT_FAULT:
                raise
            return replace(await self._evaluated(state), problem=error, kept=_fields(form))
        return await self._evaluated(State(found["patient"], {}, found["warnings"], {}, invented))

    async def _change(self, state: State, form: Form, action: str, name: str) -> Outcome:
        """Change the state, and compare the answers before and after."""
        if action == "clear":
            return Outcome(State())
        if action == "trials":
            return await self._evaluated(state, int(name) if name.isdecimal() else 0)
        before = None if state.is_empty else await self._match(state.record, state)
        changed = state.with_person(_person(form)) if form.one("person") else state
        as_of = str(changed.record.get("as_of") or today().isoformat())
        if action in {"answer", "suppose"}:
            changed = _answered(changed, form, name, before, as_of)
        elif action in {"add", "suppose-add"} or (
            action == "update" and (form.one("new-code") or form.one("new-gene"))
        ):
            code, choices = await self._chosen(form)
            if choices is not None:
                outcome = await self._evaluated(changed)
                return replace(outcome, codes=choices, faults={"new-code": _NO_CODE}, kept=_fields(form))
            added = {"facts": facts_added(form.one, code, as_of)}
            changed = changed.adding(added, supposed=action == "suppose-add")
        elif action == "suppose-day":
            day = day_of("suppose-day", form.one("suppose-day"))
            if not is_whole_day(day):
                raise NotUnderstoodError("suppose-day", WHOLE_DAY)
            changed = replace(changed, supposed={**changed.supposed, "as_of": day})
        elif action == "remove":
            changed = changed.removing(*name.split(":", 1)) if ":" in name else changed
        elif action == "keep":
            changed = changed.keeping()
        elif action == "forget":
            changed = replace(changed, supposed={})
        if changed.is_empty and action == "update":
            raise NotUnderstoodError("new-code", _NOTHING)
        outcome = await self._evaluated(changed)
        if outcome.problem is not None:
            return replace(await self._evaluated(state), problem=outcome.problem, kept=_fields(form))
        if before is None or outcome.answer is None or changed.record == state.record:
            return outcome
        return replace(outcome, effect=differences(before, outcome.answer))

    async def _evaluated(self, state: State, first: int = 0) -> Outcome:
        if state.is_empty:
            return Outcome(state)
        try:
            answer, hypothesis = await asyncio.gather(self._match(state.record, state), self._hypothesis(state))
        except ApiError as error:
            if error.status not in _RECORD_AT_FAULT:
                raise
            return Outcome(state, problem=error)
        names, sources = await asyncio.gather(
            self._texts.names(self._api, [*codes_of([state.record, state.supposed]), *codes_of_questions(answer)]),
            self._texts.sources(self._api, _detailed(answer, first)),
        )
        supposed = differences(answer, hypothesis) if hypothesis is not None else ()
        return Outcome(
            state, answer, hypothesis=hypothesis, supposed=supposed, names=names, sources=sources, first=first
        )

    async def _hypothesis(self, state: State) -> Mapping[str, Any] | None:
        return await self._match(state.hypothetical, state) if state.supposed else None

    async def _match(self, record: Record, state: State) -> Mapping[str, Any]:
        query = {"limit": 200, "synthetic": _flag(state.invented), **parameters_of(record)}
        call = self._api.call("POST", "/matching/v1/match", json=patient_of(record), query=query)
        found: Mapping[str, Any] = (await call).body
        return found

    async def _chosen(self, form: Form) -> tuple[str, list[Mapping[str, Any]] | None]:
        """Return the code that was chosen or written, or what its words find."""
        chosen, written = form.one("new-choice"), form.one("new-code")
        if chosen or ":" in written or (not written and form.one("new-gene")):
            return chosen or written, None
        return "", await self.codes(written)


_RECORD_LIMITS = Limits(string=4 * 1024 * 1024, array=200_000, nodes=200_000, described=False)


def _detailed(answer: Mapping[str, Any], first: int) -> list[Mapping[str, Any]]:
    """Return the trials that are shown with all criteria."""
    return [one for one in answer["results"] if is_listed(one)][first : first + DETAILED]


def _flag(invented: bool) -> str | None:
    return "true" if invented else None


def _person(form: Form) -> dict[str, str]:
    return {
        "birth_date": day_of("birth_date", form.one("birth_date")),
        "age": age_of("age", form.one("age")),
        "sex": form.one("sex"),
        "place": form.one("place"),
        "as_of": day_of("as_of", form.one("as_of")),
    }


def _answered(state: State, form: Form, code: str, before: Mapping[str, Any] | None, as_of: str) -> State:
    """Put the answer to a question into the record, or into the suppositions."""
    questions = before["ask_next"] if before is not None else []
    found = next(((place, one) for place, one in enumerate(questions) if one["code"] == code), None)
    if found is None:
        return state
    place, question = found
    supposed = form.one("do").startswith("suppose")
    given = [
        facts_of_answer(wanted, f"q{place}f{number}-", form.one, as_of)
        for number, wanted in enumerate(question["facts"])
    ]
    if not any(given):
        raise NotUnderstoodError(f"q{place}", NOTHING_GIVEN)
    for one in given:
        person = one.pop("person", None)
        if person:
            state = state.supposing(person) if supposed else state.with_person(person)
        if one:
            state = state.adding(one, supposed=supposed)
    return state.knowing(question["code"], question["text"])


def _fields(form: Form) -> dict[str, str]:
    return {name: form.text(name) for name in form.names() if name not in {"state", "do", "csrf"}}
