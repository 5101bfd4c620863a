"""What a text may mean while it is typed: also diseases without a trial, whose page says who knows them, and places."""

from collections.abc import Mapping
from typing import Any

from services.portal.clients.api import Api
from services.portal.clients.names import diseases_named
from services.portal.find.departements import Departement, departement_of

_MOST, _SHORTEST = 3, 3


async def suggestions_for(api: Api, text: str) -> tuple[list[Mapping[str, Any]], Departement | None]:
    """Return diseases, trials and centres as the API suggests them, and the département that the text names."""
    if not text:
        return [], None
    answer = await api.get("/registry/v1/trials/suggest", q=text)
    items: list[Mapping[str, Any]] = answer["items"]
    place = departement_of(text)
    if place is None and len(text) >= _SHORTEST and not any(one["kind"] == "condition" for one in items):
        items = [*await _without_trials(api, text), *items]
    return items, place


async def _without_trials(api: Api, text: str) -> list[Mapping[str, Any]]:
    found = await diseases_named(api, text, _MOST)
    return [{"kind": "condition", "value": one["code"], "label": one["label"], "count": 0} for one in found]
