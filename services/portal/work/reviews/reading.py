"""Read an item of the review queue with the origin of its values, and act on it over the API."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.portal.clients.api import Api, segment
from services.portal.pages.forms import Form
from services.portal.pages.visitors import Visitor
from services.portal.work.pages import act

REVIEWS = "/registry/v1/reviews"
Row = Mapping[str, Any]


async def origins_of(api: Api, item: Row) -> Sequence[Row]:
    """Return where the used value of a conflict comes from; empty for other kinds."""
    if item["conflict"] is None:
        return []
    found = await api.get(f"/registry/v1/trials/{segment(item['conflict']['trial_id'])}/provenance")
    return [one for one in found["items"] if one["path"] == item["conflict"]["path"]]


def parties_of(item: Row) -> Sequence[str | None]:
    """Return the people that an item names: who works on it, and who decided."""
    decided = [author for one in item["decisions"] for author in (one["author"], one["withdrawn_by"])]
    return [item["claimed_by"], *decided]


async def act_on(visitor: Visitor, review: str, form: Form) -> None:
    """Claim, release or decide on an item, or undo the last decision on it.

    :raises ApiError: 409, another person has claimed it; 422, the answer or reason is refused.
    """
    path, action = f"{REVIEWS}/{segment(review)}", form.one("action")
    if action == "release":
        await visitor.api.call("DELETE", f"{path}/claim")
    elif action == "decide":
        await act(visitor, f"{path}/decide", form, {"answer": form.one("answer"), "reason": form.one("reason")})
    else:
        await act(visitor, f"{path}/{'undo' if action == 'undo' else 'claim'}", form, None)
