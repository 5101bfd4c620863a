"""Read and create dossiers over the API."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.portal.clients.api import Api, segment
from services.portal.clients.names import centres_of
from services.portal.clients.pages_of_lists import every
from services.portal.pages.ages import age_range
from services.portal.pages.days import today
from services.portal.pages.forms import Form
from services.portal.pages.visitors import Visitor
from services.portal.work.dossiers.clocks import Waiting, groups_of, waiting_of
from services.portal.work.dossiers.view import ASKABLE, by_field, possible, pretty
from services.portal.work.pages import act
from shared.values.language import Language

DOSSIERS = "/registry/v1/submissions"
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asking:
    """The feasibility of a dossier. ``overview``: None: the visitor may not read it.

    ``visible``: the fields that centres see before the confidentiality agreement; ``centres``: all, by id;
    ``capabilities``: names of the codes.
    """

    overview: Row | None
    visible: Row | None
    centres: Mapping[str, Row]
    capabilities: Mapping[str, Row]
    is_open: bool

    @property
    def unasked(self) -> Sequence[Row]:
        """The members of the network that were not asked yet, by name."""
        asked = {one["centre"] for one in self.overview["requests"]} if self.overview else set()
        members = [one for one in self.centres.values() if one["member"] and one["label"] != "suspended"]
        return sorted((one for one in members if one["id"] not in asked), key=lambda one: str(one["name"]))


@dataclass(frozen=True, slots=True)
class Dossier:
    """A dossier with all that its page shows. ``diff``: None: nothing is compared; ``comments``: None: not readable."""

    document: Row
    screening: Row
    versions: Sequence[Row]
    comments: Sequence[Row] | None
    delegates: Sequence[Row]
    diff: Row | None
    asking: Asking
    clock: Waiting

    @property
    def actions(self) -> Sequence[str]:
        """The steps that the visitor can take."""
        return possible(self.document)

    @property
    def findings(self) -> Sequence[tuple[str, Sequence[Row]]]:
        """What the screening found, by field."""
        return by_field(self.screening)

    @property
    def content(self) -> str:
        """The content as JSON."""
        return pretty(self.document["content"])

    @property
    def parties(self) -> Iterable[str | None]:
        """The organisations and authors that the page names."""
        document = self.document
        return [
            document["owner"], document["transfer_to"], document["consent_by"], document["publication_asked_by"],
            *(one["author"] for one in (*document["steps"], *self.versions, *(self.comments or ()), *self.delegates)),
            *(one["organisation"] for one in self.delegates),
            *(one["detail"].get(name) for one in document["steps"] for name in ("organisation", "to")),
        ]  # fmt: skip

    def ages(self, language: Language) -> str:
        """Write the age range of the study."""
        eligibility = (self.document["content"].get("trial") or {}).get("eligibility") or {}
        return age_range(eligibility.get("minimum_age"), eligibility.get("maximum_age"), language)


async def listed(api: Api) -> Sequence[tuple[str, Sequence[Waiting]]]:
    """Return the dossiers that the visitor may read, by state, with their clocks."""
    dossiers, requests = await asyncio.gather(every(api, DOSSIERS), _requests(api))
    return groups_of(dossiers, requests, today())


async def _requests(api: Api) -> Sequence[Row]:
    """Return the feasibility requests that the visitor may read; authorities read none."""
    return await every(api, "/registry/v1/feasibility") if await api.find("/registry/v1/feasibility", limit=1) else []


async def read(api: Api, submission: str, earlier: str) -> Dossier:
    """Return a dossier. ``earlier``: the number of the version with which to compare; empty: none."""
    path = f"{DOSSIERS}/{segment(submission)}"
    document, screening, versions, comments, delegates, diff = await asyncio.gather(
        api.get(path),
        api.get(f"{path}/screening"),
        api.get(f"{path}/versions"),
        _comments(api, f"{path}/comments"),
        api.get(f"{path}/delegates"),
        _diff(api, path, earlier),
    )
    asking = await _asking(api, path, document["state"])
    requests = asking.overview["requests"] if asking.overview else ()
    clock = waiting_of(document, requests, today())
    return Dossier(document, screening, versions["items"], comments, delegates["items"], diff, asking, clock)


async def _comments(api: Api, path: str) -> Sequence[Row] | None:
    """Return the comments; None: the visitor may not read them, as an authority."""
    return await every(api, path) if await api.find(path, limit=1) is not None else None


async def _asking(api: Api, path: str, state: str) -> Asking:
    overview, visible, centres, codes = await asyncio.gather(
        api.find(f"{path}/feasibility"),
        api.find(f"{path}/feasibility/visible-fields"),
        centres_of(api),
        api.get("/registry/v1/capabilities/codes"),
    )
    labels = {one["code"]: one["label"] for one in codes["items"]}
    return Asking(overview, visible, centres, labels, state in ASKABLE)


async def _diff(api: Api, path: str, earlier: str) -> Row | None:
    if not earlier.isdecimal():
        return None
    found: Row | None = await api.find(f"{path}/versions/diff", **{"from": earlier})
    return found


async def create(visitor: Visitor, form: Form) -> str:
    """Create a draft from a protocol (``usdm``) or from a number (``from``). Return its reference.

    :raises ApiError: the API refused it. :raises json.JSONDecodeError: the protocol is not JSON.
    """
    if form.one("usdm"):
        made = await act(visitor, f"{DOSSIERS}/usdm", form, json.loads(form.text("usdm")))
        return str(made["submission"]["reference"])
    body = {"from": form.one("from")} if form.one("from") else {}
    return str((await act(visitor, DOSSIERS, form, body))["reference"])
