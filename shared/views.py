"""What the policy lets a caller see, in the form in which a database behind the second wall is told of it."""

from functools import lru_cache

from shared.database.wall import NOBODY, View
from shared.identity import Principal
from shared.policy import TABLE, Access, decide

MOST_HELD = 4_096


@lru_cache(MOST_HELD)
def view_of(caller: Principal | None) -> View:
    """Every grant that the caller holds, whatever route it took; `NOBODY` as long as nobody has asked who calls."""
    if caller is None:
        return NOBODY
    held = {(resource, action): grant for resource, action in TABLE if (grant := decide(caller, action, resource)) is not None}
    feed = held.get(("feed", "read"))
    return View(
        frozenset(f"{resource}.{action}.{grant.rows}" for (resource, action), grant in held.items()),
        # As `subscriptions` names its owners: who speaks for no organisation owns what its kind owns.
        caller.organisation or caller.kind,
        caller.centre,
        Access(caller, feed.rows).audiences if feed else frozenset(),
        public=caller.kind == "public",
    )
