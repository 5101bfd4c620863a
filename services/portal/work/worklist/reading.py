"""Read over the API what waits for a visitor: the worklist, and what other lists say of their next step."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.portal.clients.api import Api, segment
from services.portal.clients.names import centres_of
from services.portal.clients.pages_of_lists import every
from services.portal.pages.formats import Formats
from services.portal.work.subscriptions.reading import subscriptions_of

_API = "/registry/v1"
_WITH_WORKLIST = frozenset({"hospital", "centre", "sponsor", "coordination"})
_WITH_DOSSIERS = frozenset({"sponsor", "coordination", "authority"})
_OPEN = ("submitted", "screening", "feasibility", "decided")
# So many accepted dossiers are read one by one, to know what they wait for.
_MOST_READ = 20
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a visitor. ``worklist``: None: this kind of organisation has none.

    ``counts``: what other lists say, by the codes of ``waiting.json``. ``capabilities``: rows of the coded list, and
    ``centres``: all centres, as far as the worklist names some.
    """

    worklist: Row | None
    counts: Mapping[str, int]
    capabilities: Mapping[str, Row] = field(default_factory=dict)
    centres: Mapping[str, Row] = field(default_factory=dict)


async def waiting_for(api: Api, kind: str, formats: Formats) -> Waiting:
    """Return what waits for an organisation of this kind."""
    worklist, dossiers, requests, records, failing = await asyncio.gather(
        api.get(f"{_API}/worklist") if kind in _WITH_WORKLIST else _nothing(),
        _dossiers(api, kind) if kind in _WITH_DOSSIERS else _nothing(),
        _requests(api) if kind == "coordination" else _nothing(),
        _records(api) if kind == "network" else _nothing(),
        _failing(api, formats),
    )
    counts = {**(dossiers or {}), **(requests or {}), **(records or {}), "receiver_failing": failing}
    capabilities, centres = await asyncio.gather(
        _capabilities(api) if _names(worklist, "capability_expiring") else _nothing(),
        centres_of(api) if kind != "centre" and _has_centres(worklist) else _nothing(),
    )
    return Waiting(worklist, counts, capabilities or {}, centres or {})


def _names(worklist: Row | None, kind: str) -> bool:
    return worklist is not None and any(item["kind"] == kind for item in worklist["items"])


def _has_centres(worklist: Row | None) -> bool:
    return worklist is not None and any(item["centre"] for item in worklist["items"])


async def _capabilities(api: Api) -> dict[str, Row]:
    codes = await api.get(f"{_API}/capabilities/codes")
    return {row["code"]: row for row in codes["items"]}


async def _nothing() -> None:
    return None


async def _dossiers(api: Api, kind: str) -> dict[str, int]:
    rows = await every(api, f"{_API}/submissions")
    states = Counter(row["state"] for row in rows)
    if kind == "authority":
        return {"dossier_open": sum(states[state] for state in _OPEN)}
    consented = [bool(one["consent_by"]) for one in await _accepted(api, rows)]
    if kind == "sponsor":
        return {"dossier_to_consent": consented.count(False), "dossier_draft": states["draft"]}
    return {
        "dossier_to_screen": states["submitted"],
        "dossier_in_screening": states["screening"],
        "dossier_to_publish": consented.count(True),
    }


async def _accepted(api: Api, rows: Sequence[Row]) -> list[Row]:
    accepted = [row for row in rows if row["state"] == "decided" and row["answer"] == "accepted"]
    paths = [f"{_API}/submissions/{segment(row['reference'])}" for row in accepted[:_MOST_READ]]
    return list(await asyncio.gather(*(api.get(path) for path in paths)))


async def _requests(api: Api) -> dict[str, int]:
    states = Counter(row["state"] for row in await every(api, f"{_API}/feasibility"))
    return {"request_to_triage": states["received"], "request_answered": states["answered"]}


async def _records(api: Api) -> dict[str, int]:
    """Return what became of the records of the network's last push."""
    jobs = await api.get(f"{_API}/jobs", limit=1)
    counts = jobs["items"][0]["counts"] if jobs["items"] else {}
    return {
        "records_to_decide": counts.get("possible_duplicate", 0) + counts.get("quarantined", 0),
        "records_sent": sum(counts.get(name, 0) for name in ("created", "updated", "unchanged")),
    }


async def _failing(api: Api, formats: Formats) -> int:
    """Return how many active subscriptions do not reach their receiver: their last finished attempt failed."""
    found = await subscriptions_of(api, formats)
    last = [
        next((sent for sent in one.deliveries if sent["attempts"]), None)
        for one in found
        if one.subscription["status"] == "active"
    ]
    return sum(1 for sent in last if sent is not None and sent["state"] != "delivered")
