"""What may be given to a client, and how a key or a token of one ends. No SQL and no HTTP."""

from collections.abc import Iterable, Sequence

from services.registry.clients.problems import OneSourceError, ScopeBeyondError
from services.registry.clients.schemas import ClientUpdate, Method
from services.registry.organisations.schemas import Organisation
from shared.feed.changes import NOWHERE, Change, Side
from shared.identity.directory import REVOKED
from shared.policy import Access, scopes_for
from shared.problems import Fault


def check_scopes(asked: Sequence[str], organisation: Organisation, access: Access) -> None:
    """Nobody gives what the organisation cannot hold; and who gives inside its own organisation, nothing that it does not hold itself.

    :raises ScopeBeyondError: 422, with the places of the scopes that go too far.
    """
    possible = scopes_for(organisation.kind)
    if access.rows == "own" and access.principal.scopes is not None:
        possible &= access.principal.scopes
    faults = [
        Fault(pointer=f"/scopes/{index}", code="scope_beyond", detail=ScopeBeyondError.title)
        for index, scope in enumerate(asked)
        if scope not in possible
    ]
    if faults:
        raise ScopeBeyondError(errors=faults)


def check_source(given: ClientUpdate, method: Method) -> None:
    """:raises OneSourceError: 422, when its keys come from nowhere, or from two places."""
    sources = [one for one in (given.jwks, given.jwks_url) if one is not None]
    if len(sources) != (1 if method == "private_key_jwt" else 0):
        raise OneSourceError(errors=[Fault(pointer="/jwks", code="one_source", detail=OneSourceError.title)])


def revocations(organisation: str, holders: Iterable[tuple[str, int]]) -> list[Change]:
    """Entries of the feed that end, everywhere, what these clients or members (id, version) hold."""
    after = Side(frozenset({"service", "coordination", f"organisation:{organisation}"}))
    return [Change(REVOKED, f"client/{holder}", version, NOWHERE, after, ("status",)) for holder, version in holders]
