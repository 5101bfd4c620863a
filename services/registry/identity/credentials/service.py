"""Which rights a caller may give to a client or member, and how their tokens end."""

from collections.abc import Iterable, Sequence

from services.registry.identity.credentials.problems import ScopeBeyondError
from shared.access.directory import REVOKED
from shared.access.policy import Access, scopes_for, scopes_of_roles
from shared.access.principal import OrganisationKind, Role
from shared.feed.changes import NOT_VISIBLE, Change, Routing
from shared.values.problems import Fault, ForbiddenError
from shared.values.wire import Label


def check_scopes(scopes: Sequence[str], kind: OrganisationKind, access: Access) -> None:
    """Check that the caller may give ``scopes`` to a client of an organisation of this ``kind``.

    Within its own kind, a caller gives only scopes that it has: otherwise it could give itself more rights. The
    coordination creates the first clients of the other kinds, which have scopes that it does not have.

    :raises ScopeBeyondError: 422, with the position of each scope that is refused.
    """
    possible = scopes_for(kind) & _scopes_to_give(kind, access)
    _refuse("scopes", [index for index, scope in enumerate(scopes) if scope not in possible])


def check_roles(roles: Sequence[Role], kind: OrganisationKind, access: Access) -> None:
    """Check that the caller may give ``roles`` to a member: it needs every scope that the role uses.

    :raises ScopeBeyondError: 422, with the position of each role that is refused.
    """
    possible = _scopes_to_give(kind, access)
    _refuse("roles", [index for index, role in enumerate(roles) if not scopes_of_roles(kind, [role]) <= possible])


def _refuse(field: str, positions: Sequence[int]) -> None:
    if positions:
        raise ScopeBeyondError(
            errors=[
                Fault(pointer=f"/{field}/{index}", code=ScopeBeyondError.code, detail=ScopeBeyondError.title)
                for index in positions
            ]
        )


def _scopes_to_give(kind: OrganisationKind, access: Access) -> frozenset[str]:
    caller = access.principal
    if caller.scopes is None or caller.kind != kind:
        return scopes_for(kind)
    return caller.scopes


def check_own(organisation: str, access: Access) -> None:
    """Check that the caller acts for this organisation. The coordination creates and revokes credentials of others;
    it does not change those in use, which would let it act in their name.

    :raises ForbiddenError: 403, it belongs to another organisation.
    """
    if access.principal.organisation != organisation:
        raise ForbiddenError(
            Label(
                fr="Seul un administrateur de cette organisation peut modifier ses clients et ses membres."
                " Vous pouvez les révoquer et en créer d'autres.",
                en="Only an administrator of this organisation can change its clients and members."
                " You can revoke them and create others.",
            )
        )


def revocations(organisation: str, ended: Iterable[tuple[str, int]]) -> list[Change]:
    """Feed entries that end the tokens of these clients or members, given as (id, new version), in every service."""
    after = Routing(frozenset({"coordination", f"organisation:{organisation}"}))
    return [
        Change(REVOKED, f"client/{credential}", version, NOT_VISIBLE, after, ("status",))
        for credential, version in ended
    ]
