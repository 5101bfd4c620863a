"""The access policy: one reviewed table and pure functions over it. What the table does not grant is denied."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, cast

from shared.access.principal import INSIDE, ORGANISATION_KINDS, PRINCIPAL_KINDS, Principal, PrincipalKind, Role
from shared.values.problems import ForbiddenError, InsufficientScopeError, NotFoundError, UnauthenticatedError

Action = Literal["read", "write", "execute"]
# `own`: those of the caller's organisation. `synthetic`: none of a real person.
Rows = Literal["all", "published", "own", "synthetic"]
Place = Literal["anywhere", "this_machine", "closed"]
Fields = Literal["all", "status"]

WRITERS: frozenset[Role] = frozenset({"admin", "editor", "system"})
ADMINS: frozenset[Role] = frozenset({"admin"})
AUDITORS: frozenset[Role] = frozenset({"admin", "auditor", "dpo"})
CARERS: frozenset[Role] = frozenset({"clinician", "system"})


@dataclass(frozen=True, slots=True)
class Grant:
    """What a kind of principal may do with a kind of resource.

    ``roles``: one of them is needed (none: any). ``place``: from anywhere, from this machine, or from it while the gateway listens on it alone.
    ``fields``: all that the resource tells, or its status without its numbers.
    """

    rows: Rows
    roles: frozenset[Role] = frozenset()
    place: Place = "anywhere"
    fields: Fields = "all"


def _each(kinds: Iterable[PrincipalKind], grant: Grant, **others: Grant) -> dict[str, Grant]:
    return {**dict.fromkeys(kinds, grant), **others}


_READ = Grant("published")
_ALL = Grant("all")

# (resource, action) → {principal kind: grant}. What is not here is denied.
TABLE: dict[tuple[str, Action], dict[str, Grant]] = {
    ("health", "read"): _each(PRINCIPAL_KINDS, _ALL),
    # A whole copy is for the installation's own programs, which could read the file anyway.
    ("backup", "read"): {"service": Grant("all", place="this_machine")},
    ("trial", "read"): _each(PRINCIPAL_KINDS, _READ, authority=_ALL, coordination=_ALL, service=_ALL),
    ("trial", "write"): {"coordination": Grant("all", WRITERS)},
    # A sponsor reads and declares the places of its own trials once trials have owners.
    ("site", "read"): _each(
        PRINCIPAL_KINDS,
        Grant("published", fields="status"),
        hospital=_READ,
        centre=_READ,
        authority=_ALL,
        coordination=_ALL,
        service=_ALL,
    ),
    ("site", "write"): {"centre": Grant("own", WRITERS), "coordination": Grant("all", WRITERS)},
    ("centre", "read"): _each(PRINCIPAL_KINDS, _ALL),
    ("centre", "write"): {"centre": Grant("own", WRITERS), "coordination": Grant("all", WRITERS)},
    ("source", "write"): {"coordination": Grant("all", WRITERS)},
    ("terminology", "read"): _each(PRINCIPAL_KINDS, _ALL),
    ("feed", "read"): _each(PRINCIPAL_KINDS, _READ, authority=_ALL, coordination=_ALL, service=_ALL),
    ("criteria", "execute"): _each(PRINCIPAL_KINDS, _ALL),
    # A stateless match is open only where nobody but this machine can call.
    ("match", "execute"): {
        "public": Grant("published", place="closed"),
        "hospital": Grant("published", CARERS),
        "centre": Grant("published", CARERS),
        "coordination": Grant("synthetic"),
    },
    ("subscription", "read"): _each(ORGANISATION_KINDS, Grant("own")),
    ("subscription", "write"): _each(ORGANISATION_KINDS, Grant("own", WRITERS)),
    # That they are there and how they do; neither where they lead nor what for.
    ("subscription_summary", "read"): {"coordination": _ALL},
    ("organisation", "read"): _each(ORGANISATION_KINDS, Grant("own"), authority=_ALL, coordination=_ALL),
    ("organisation", "write"): {"coordination": Grant("all", ADMINS)},
    ("client", "read"): _each(ORGANISATION_KINDS, Grant("own", AUDITORS), coordination=Grant("all", AUDITORS)),
    ("client", "write"): _each(ORGANISATION_KINDS, Grant("own", ADMINS), coordination=Grant("all", ADMINS)),
    ("member", "read"): _each(ORGANISATION_KINDS, Grant("own", AUDITORS), coordination=Grant("all", AUDITORS)),
    ("member", "write"): _each(ORGANISATION_KINDS, Grant("own", ADMINS), coordination=Grant("all", ADMINS)),
    ("audit", "read"): _each(ORGANISATION_KINDS, Grant("own", AUDITORS), coordination=Grant("all", AUDITORS)),
    ("signing_key", "write"): {"coordination": Grant("all", ADMINS)},
    # The token endpoint authenticates its callers by itself.
    ("token", "write"): _each(PRINCIPAL_KINDS, _ALL),
    ("discovery", "read"): _each(PRINCIPAL_KINDS, _ALL),
    ("self", "read"): _each(ORGANISATION_KINDS, Grant("own")),
    ("identity", "read"): {"service": _ALL},
    # The first administrator is made by who can read this machine's secrets.
    ("administrator", "write"): {"service": Grant("all", place="this_machine")},
}

# Which services a scope is good for; a resource that is not here asks for no scope.
SCOPED: dict[str, tuple[str, ...]] = {
    "trial": ("registry",),
    "site": ("registry",),
    "centre": ("registry",),
    "source": ("registry",),
    "terminology": ("registry",),
    "feed": ("registry",),
    "organisation": ("registry",),
    "client": ("registry",),
    "member": ("registry",),
    "signing_key": ("registry",),
    "criteria": ("matching",),
    "match": ("matching",),
    "subscription": ("notifications",),
    "subscription_summary": ("notifications",),
    "audit": ("registry", "matching", "notifications"),
}


def scope_of(resource: str, action: Action) -> str:
    """How a right is written in a token: ``trial.read``."""
    return f"{resource}.{action}"


def services_of(scopes: Iterable[str]) -> set[str]:
    """The services at which any of these scopes means something."""
    return {service for scope in scopes for service in SCOPED.get(scope.partition(".")[0], ())}


def scopes_for(kind: PrincipalKind) -> frozenset[str]:
    """Every scope that an organisation of this kind can make use of."""
    return frozenset(
        scope_of(resource, action)
        for (resource, action), grants in TABLE.items()
        if kind in grants and resource in SCOPED
    )


def scopes_of_roles(kind: PrincipalKind, roles: Iterable[Role]) -> frozenset[str]:
    """Every scope that these roles make use of: what a person who has them may do."""
    held = frozenset(roles)
    return frozenset(
        one for one in scopes_for(kind) if (grant := _grant_of(kind, one)) and (not grant.roles or grant.roles & held)
    )


def _grant_of(kind: PrincipalKind, scope: str) -> Grant | None:
    resource, _, action = scope.partition(".")
    return TABLE[resource, cast("Action", action)].get(kind)


@dataclass(frozen=True, slots=True)
class Access:
    """An allowed call: who, and the rows and fields it may touch."""

    principal: Principal
    rows: Rows
    fields: Fields = "all"

    @property
    def audiences(self) -> frozenset[str]:
        """The audiences of feed entries that this call may read."""
        return self.principal.audiences - INSIDE if self.rows == "published" else self.principal.audiences


def decide(principal: Principal, action: Action, resource: str) -> Grant | None:
    """The grant, or None: denied. Who lacks the right by itself still reads what the public reads."""
    grants = TABLE.get((resource, action), {})
    own = grants.get(principal.kind)
    if own is not None and _holds(principal, own, action, resource):
        return own
    open_to_all = grants.get("public")
    if action == "read" and open_to_all is not None and _is_near(principal, open_to_all):
        return open_to_all
    return None


def _holds(principal: Principal, grant: Grant, action: Action, resource: str) -> bool:
    return (
        _is_near(principal, grant)
        and (not grant.roles or bool(grant.roles & principal.roles))
        and (resource not in SCOPED or principal.scopes is None or scope_of(resource, action) in principal.scopes)
    )


def _is_near(principal: Principal, grant: Grant) -> bool:
    return {"anywhere": True, "this_machine": principal.on_loopback, "closed": principal.closed}[grant.place]


def authorize(principal: Principal, action: Action, resource: str) -> Access:
    """Decide one call.

    :raises UnauthenticatedError: 401, an anonymous caller.
    :raises InsufficientScopeError: 403, the token lacks a scope that it could have.
    :raises ForbiddenError: 403, the caller may read the resource but not do this.
    :raises NotFoundError: 404, the caller may not even know that the resource exists.
    """
    grant = decide(principal, action, resource)
    if grant is not None:
        return Access(principal, grant.rows, grant.fields)
    if principal.kind == "public":
        raise UnauthenticatedError
    own = TABLE[resource, action].get(principal.kind)
    if own is not None and principal.scopes is not None and scope_of(resource, action) not in principal.scopes:
        raise InsufficientScopeError(scope_of(resource, action))
    if own is not None or decide(principal, "read", resource) is not None:
        raise ForbiddenError
    raise NotFoundError
