"""Calls of the editor: what is in force and proposed, checks, and dry runs on example patients."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.portal.clients.api import Api, segment
from services.portal.clients.problems import FAILURES, ApiError, in_words
from services.portal.criteria_editor.comparing import Patient
from shared.values.language import Language

_REFUSED = 422
_UNREAD: Mapping[str, Any] = {
    "acronym": None, "illustrative": False, "titles": {}, "official_titles": {}, "eligibility": {"text": None}
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Edited:
    """A trial whose criteria are edited: those in force (None: none), and the proposals, newest first.

    ``failure``: it could not be read; None: it was.
    """

    trial: dict[str, Any]
    in_force: dict[str, Any] | None
    proposals: list[dict[str, Any]]
    failure: ApiError | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found. ``faults``: the document cannot be read; ``findings``: errors and warnings of a readable one.

    ``sentences``: what each criterion asks, by its id. ``failure``: it could not be checked; None: it was.
    """

    faults: Sequence[Mapping[str, Any]]
    findings: Sequence[Mapping[str, Any]]
    sentences: Mapping[str, Any]
    failure: ApiError | None = None

    @property
    def has_errors(self) -> bool:
        return bool(self.faults) or any(one["severity"] == "error" for one in self.findings)


NOTHING = Checked((), (), {})


async def read_edited(api: Api, identifier: str) -> Edited:
    """Return what the editor shows of a trial.

    :raises ApiError: 401 or 403, the visitor writes no criteria; 404, there is no such trial.
    """
    of_trial = f"/registry/v1/trials/{segment(identifier)}"
    trial, proposals = await asyncio.gather(api.get(of_trial), api.get(f"{of_trial}/criteria/proposals"))
    return Edited(trial, await api.find(f"{of_trial}/criteria"), proposals["items"])


async def read_or_not(api: Api, identifier: str, language: Language) -> Edited:
    """Return what the editor shows of a trial; where that cannot be read, its number and the failure.

    What a person typed must not depend on it.
    """
    try:
        return await read_edited(api, identifier)
    except FAILURES as error:
        return Edited({**_UNREAD, "id": identifier, "identifier": identifier}, None, [], in_words(error, language))


async def check(api: Api, document: Mapping[str, Any] | None, language: Language) -> Checked:
    """Check a document of criteria; nothing is found in none."""
    if document is None:
        return NOTHING
    try:
        body = (await api.call("POST", "/matching/v1/criteria/check", json=document)).body
    except FAILURES as error:
        if isinstance(error, ApiError) and error.status == _REFUSED:
            return Checked(error.faults, (), {})
        return Checked((), (), {}, in_words(error, language))
    return Checked((), body["findings"], {one["criterion"]: one["sentence"] for one in body["sentences"]})


async def verdicts(api: Api, document: Mapping[str, Any] | None, patients: Sequence[Patient]) -> list[str]:
    """Return the verdict of a document for each invented patient; an empty one without a document.

    One after the other: matching refuses many at once.
    """
    return [await _verdict(api, document, one) for one in patients]


async def _verdict(api: Api, document: Mapping[str, Any] | None, patient: Patient) -> str:
    if document is None:
        return ""
    body = {"criteria": document, "patient": patient.document}
    answer = await api.call("POST", "/matching/v1/criteria/dry-run", query={"synthetic": "true"}, json=body)
    verdict: str = answer.body["verdict"] if answer.body["listing"] == "listed" else answer.body["listing"]
    return verdict
