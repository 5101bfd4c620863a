"""Feed entries of dossiers: ids, states and dates for the coordination and the parties. Pure."""

from collections.abc import Iterable
from typing import Final

from services.registry.submissions.model import Submission
from shared.feed.changes import NOT_VISIBLE, TRIAL_FACET, Change, Routing

# The event of an action; every other one is `submission.updated`.
_OF_ACTION: Final = {
    "submit": "submission.received",
    "decide": "submission.decided",
    "withdraw": "submission.withdrawn",
    "publish": "submission.published",
}


def routing(one: Submission, delegates: Iterable[str]) -> Routing:
    """Return who hears of a dossier: the coordination, its owner, those who act for it, and who may take it over."""
    parties = {one.owner, *delegates} | ({one.transfer_to} if one.transfer_to else set())
    facets = {TRIAL_FACET: frozenset({one.trial_key})} if one.trial_key else {}
    return Routing(frozenset({"coordination", *(f"organisation:{party}" for party in parties)}), facets)


def change_of(
    before: Routing | None, one: Submission, after: Routing, action: str, *, criteria_changed: bool = False
) -> Change:
    """Return the feed entry of an action. ``before``: who heard of the dossier until now; None: it is new."""
    kind = _OF_ACTION.get(action, "submission.updated")
    if action == "publish" and one.state != "published":
        kind = "submission.updated"
    extra = {"state": one.state, "action": action, "owner": one.owner}
    if one.answer is not None and kind == "submission.decided":
        extra["answer"] = one.answer
    if kind == "submission.published":
        extra["trial_id"] = one.trial_key or ""
        extra["criteria"] = "changed" if criteria_changed else "unchanged"
    changed = ("state",) if kind != "submission.updated" else (action,)
    return Change(kind, f"submission/{one.reference}", one.version, before or NOT_VISIBLE, after, changed, extra)
