"""Joins the present state of the sites of a trial to its stored document. Pure.

In a stored document `sites` has what the sources and statements say. It is replaced in the text: nothing is parsed,
unless the document was written with spaces, as some migrations did.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from services.registry.trials.model import StoredSite, is_stale
from shared.values.wire import write_instant

# Centre, effective status, and when it was confirmed (RFC 3339).
SiteRow = tuple[str, str, str | None]
# In a JSON text this is the member itself: inside of texts quotes are escaped.
_MEMBER: Final = '"sites":['


def with_sites(document: str, sites: Iterable[SiteRow], now: datetime) -> str:
    """Return the document of a trial as readers get it at ``now``. ``sites``: those of the trial, by centre."""
    before, member, rest = document.partition(_MEMBER)
    if not member:
        compact = json.dumps(json.loads(document), ensure_ascii=False, separators=(",", ":"))
        before, member, rest = compact.partition(_MEMBER)
    _, _, after = rest.partition("]")
    return f"{before}{member}{','.join(_site(*site, now) for site in sites)}]{after}"


def rows_of(sites: Iterable[StoredSite]) -> list[SiteRow]:
    """Return stored sites as `with_sites` takes them, without those of which nothing is known any more."""
    return [
        (site.centre, site.status, site.confirmed_at.isoformat() if site.confirmed_at else None)
        for site in sites
        if site.is_known
    ]


def _site(centre: str, status: str, confirmed: str | None, now: datetime) -> str:
    at = None if confirmed is None else datetime.fromisoformat(confirmed)
    shown = "null" if at is None else f'"{write_instant(at)}"'
    stale = "true" if is_stale(at, now) else "false"
    return f'{{"centre":"{centre}","status":"{status}","confirmed_at":{shown},"stale":{stale}}}'
