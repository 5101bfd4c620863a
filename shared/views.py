"""What the policy lets a caller see, in the form in which a database behind the second wall is told of it."""

from shared.database.wall import NOBODY, View
from shared.identity import Principal
from shared.policy import TABLE, decide


def view_of(caller: Principal | None) -> View:
    """Every grant that the caller holds, whatever route it took; `NOBODY` as long as nobody has asked who calls."""
    if caller is None:
        return NOBODY
    held = {(resource, action): decide(caller, action, resource) for resource, action in TABLE}
    return View(
        frozenset(f"{resource}.{action}.{grant.rows}" for (resource, action), grant in held.items() if grant is not None),
        # As `subscriptions` names its owners: who speaks for no organisation owns what its kind owns.
        caller.organisation or caller.kind,
        getattr(caller, "centre", None),
        caller.audiences,
        public=caller.kind == "public",
    )
