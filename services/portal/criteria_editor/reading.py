"""Calls of the editor: what is in force and proposed, checks, and dry runs on example patients."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.portal.clients.api import Api, segment
from services.portal.clients.problems import ApiError
from services.portal.criteria_editor.comparing import Patient

_REFUSED = 422


@dataclass(frozen=True, slots=True)
class Edited:
    """A trial whose criteria are edited: those in force (None: none), and the proposals, newest first."""

    trial: dict[str, Any]
    in_force: dict[str, Any] | None
    proposals: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found. ``faults``: the document cannot be read; ``findings``: errors and warnings of a readable one.

    ``sentences``: what each criterion asks, by its id.
    """

    faults: Sequence[Mapping[str, Any]]
    findings: Sequence[Mapping[str, Any]]
    sentences: Mapping[str, Any]

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


async def check(api: Api, document: Mapping[str, Any] | None) -> Checked:
    """Check a document of criteria; nothing is found in none."""
    if document is None:
        return NOTHING
    try:
        body = (await api.call("POST", "/matching/v1/criteria/check", json=document)).body
    except ApiError as error:
        if error.status != _REFUSED:
            raise
        return Checked(error.faults, (), {})
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
