"""The row-level security context of a caller: what the policy lets it see and change, in the form PostgreSQL checks."""

from functools import lru_cache

from shared.access import Principal
from shared.access.policy import TABLE, Access, decide
from shared.persistence.rls_sessions import NO_ACCESS, RlsContext

CACHED = 4_096


@lru_cache(CACHED)
def view_of(caller: Principal | None) -> RlsContext:
    """Return every grant of the caller, whatever route it calls; `NO_ACCESS` while the caller is not identified."""
    if caller is None:
        return NO_ACCESS
    grants = {
        (resource, action): grant
        for resource, action in TABLE
        if (grant := decide(caller, action, resource)) is not None
    }
    feed = grants.get(("feed", "read"))
    return RlsContext(
        frozenset(f"{resource}.{action}.{grant.rows}" for (resource, action), grant in grants.items()),
        # As subscriptions name their owners: callers without an organisation share what belongs to their kind.
        caller.organisation or caller.kind,
        caller.centre,
        Access(caller, feed.rows).audiences if feed else frozenset(),
        public=caller.kind == "public",
    )
