"""What the policy lets a caller see, in the form in which a database behind the second wall is told of it."""

from functools import lru_cache

from shared.access import Principal
from shared.access.policy import TABLE, Access, decide
from shared.persistence.rls_sessions import NO_ACCESS, RlsContext

MOST_HELD = 4_096


@lru_cache(MOST_HELD)
def view_of(caller: Principal | None) -> RlsContext:
    """Every grant that the caller holds, whatever route it took; `NO_ACCESS` as long as nobody has asked who calls."""
    if caller is None:
        return NO_ACCESS
    held = {
        (resource, action): grant
        for resource, action in TABLE
        if (grant := decide(caller, action, resource)) is not None
    }
    feed = held.get(("feed", "read"))
    return RlsContext(
        frozenset(f"{resource}.{action}.{grant.rows}" for (resource, action), grant in held.items()),
        # As `subscriptions` names its owners: who speaks for no organisation owns what its kind owns.
        caller.organisation or caller.kind,
        caller.centre,
        Access(caller, feed.rows).audiences if feed else frozenset(),
        public=caller.kind == "public",
    )
