"""What may be given to a client, and how a key or a token of one ends. No SQL and no HTTP."""

from collections.abc import Iterable, Sequence

from services.registry.identity.clients.problems import OneSourceError, ScopeBeyondError
from services.registry.identity.clients.schemas import ClientUpdate, Method
from services.registry.identity.organisations.schemas import Organisation
from shared.access.directory import REVOKED
from shared.access.policy import Access, scopes_for, scopes_of_roles
from shared.access.principal import Role
from shared.feed.changes import NOT_VISIBLE, Change, Routing
from shared.values.problems import Fault, ForbiddenError


def check_scopes(asked: Sequence[str], organisation: Organisation, access: Access) -> None:
    """Nobody gives what the organisation cannot hold; and to its own kind nobody gives what it does not hold itself: it could use it at once.

    The coordination gives the others their first clients, whose rights are not its own.

    :raises ScopeBeyondError: 422, with the places of the scopes that go too far.
    """
    possible = scopes_for(organisation.kind) & _giveable(organisation, access)
    faults = [
        Fault(pointer=f"/scopes/{index}", code="scope_beyond", detail=ScopeBeyondError.title)
        for index, scope in enumerate(asked)
        if scope not in possible
    ]
    if faults:
        raise ScopeBeyondError(errors=faults)


def check_roles(asked: Sequence[Role], organisation: Organisation, access: Access) -> None:
    """The same for people, who have no scopes: a role is worth whatever it may do.

    :raises ScopeBeyondError: 422, with the places of the roles that go too far.
    """
    possible = _giveable(organisation, access)
    faults = [
        Fault(pointer=f"/roles/{index}", code="scope_beyond", detail=ScopeBeyondError.title)
        for index, role in enumerate(asked)
        if not scopes_of_roles(organisation.kind, [role]) <= possible
    ]
    if faults:
        raise ScopeBeyondError(errors=faults)


def _giveable(organisation: Organisation, access: Access) -> frozenset[str]:
    caller = access.principal
    if caller.scopes is None or caller.kind != organisation.kind:
        return scopes_for(organisation.kind)
    return caller.scopes


def check_own(organisation: Organisation, access: Access) -> None:
    """The coordination makes and ends what others call with; it takes over nothing that they use.

    :raises ForbiddenError: 403, it is another organisation's.
    """
    if access.principal.organisation != organisation.id:
        raise ForbiddenError


def check_source(given: ClientUpdate, method: Method) -> None:
    """:raises OneSourceError: 422, when its keys come from nowhere, or from two places."""
    sources = [one for one in (given.jwks, given.jwks_url) if one is not None]
    if len(sources) != (1 if method == "private_key_jwt" else 0):
        raise OneSourceError(errors=[Fault(pointer="/jwks", code="one_source", detail=OneSourceError.title)])


def revocations(organisation: str, holders: Iterable[tuple[str, int]]) -> list[Change]:
    """Entries of the feed that end, everywhere, what these clients or members (id, version) hold."""
    after = Routing(frozenset({"service", "coordination", f"organisation:{organisation}"}))
    return [
        Change(REVOKED, f"client/{holder}", version, NOT_VISIBLE, after, ("status",)) for holder, version in holders
    ]
