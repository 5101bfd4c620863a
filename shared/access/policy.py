"""The access policy: one reviewed table and pure functions over it. What the table does not grant is denied."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, cast

from shared.access.principal import INSIDE, ORGANISATION_KINDS, PRINCIPAL_KINDS, Principal, PrincipalKind, Role
from shared.values.problems import ForbiddenError, InsufficientScopeError, NotFoundError, UnauthenticatedError
from shared.values.wire import Label

Action = Literal["read", "write", "execute"]
# `own`: rows of the caller's organisation. `synthetic`: no data of a real person.
Rows = Literal["all", "published", "own", "synthetic"]
Place = Literal["anywhere", "this_machine", "closed"]
Fields = Literal["all", "status"]

WRITERS: frozenset[Role] = frozenset({"admin", "editor", "system"})
# Who stops or restarts a trial for safety.
STOPPERS: frozenset[Role] = frozenset({"admin", "editor", "validator"})
DECIDERS: frozenset[Role] = frozenset({"admin", "validator"})
ADMINS: frozenset[Role] = frozenset({"admin"})
AUDITORS: frozenset[Role] = frozenset({"admin", "auditor", "dpo"})
CARERS: frozenset[Role] = frozenset({"clinician", "system"})
REFERRERS: frozenset[Role] = frozenset({"clinician", "editor", "system"})


@dataclass(frozen=True, slots=True)
class Grant:
    """What a kind of principal may do with a kind of resource.

    ``roles``: one of them is required; empty: any.
    ``place``: from anywhere, from this machine, or from this machine while the gateway listens on it only (`closed`).
    ``fields``: all of them, or the status without numbers.
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
    # A copy of the database is for programs of this machine, which could read the file anyway.
    ("backup", "read"): {"service": Grant("all", place="this_machine")},
    ("trial", "read"): _each(PRINCIPAL_KINDS, _READ, authority=_ALL, coordination=_ALL, service=_ALL),
    ("trial", "write"): {"coordination": Grant("all", WRITERS)},
    # What people state of trials, with its authors, and what is in conflict.
    ("statement", "read"): {"coordination": _ALL},
    # Once trials have owners, a sponsor will read and declare the places of its own trials.
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
    # Everyone sees that a published trial is on hold; its parties and those who supervise it also see why.
    ("safety_hold", "read"): _each(
        PRINCIPAL_KINDS,
        Grant("published", fields="status"),
        centre=_READ,
        sponsor=_READ,
        authority=_ALL,
        coordination=_ALL,
        service=_ALL,
    ),
    ("safety_hold", "write"): {
        "centre": Grant("own", STOPPERS),
        "sponsor": Grant("own", STOPPERS),
        "coordination": Grant("all", STOPPERS),
    },
    # Places of an enrolment and who has one. A hospital and an authority read the numbers.
    ("enrolment", "read"): {
        "centre": Grant("own"),
        "sponsor": Grant("own"),
        "hospital": _READ,
        "coordination": _ALL,
        "authority": _READ,
    },
    ("enrolment", "write"): {
        "centre": Grant("own", WRITERS),
        "sponsor": Grant("own", WRITERS),
        "coordination": Grant("all", WRITERS),
    },
    ("centre", "read"): _each(PRINCIPAL_KINDS, _ALL),
    ("centre", "write"): {"centre": Grant("own", WRITERS), "coordination": Grant("all", WRITERS)},
    # What centres can do; the evidence is for those who may read `activation` of the centre.
    ("capability", "read"): _each(PRINCIPAL_KINDS, _ALL),
    ("capability", "write"): {"centre": Grant("own", WRITERS), "coordination": Grant("all", WRITERS)},
    # How the sites of a trial are prepared and opened. `own`: of the centre, or of the sponsor that owns the trial.
    ("activation", "read"): {"centre": Grant("own"), "sponsor": Grant("own"), "authority": _ALL, "coordination": _ALL},
    ("activation", "write"): {
        "centre": Grant("own", WRITERS),
        "sponsor": Grant("own", WRITERS),
        "coordination": Grant("all", WRITERS),
    },
    # The table of facility texts and the places that they are.
    ("place", "read"): {"coordination": _ALL},
    ("place", "write"): {"coordination": Grant("all", WRITERS)},
    # The dossiers of sponsors: `own` are also those on which an organisation acts for another one.
    ("submission", "read"): {"sponsor": Grant("own"), "authority": _ALL, "coordination": _ALL},
    ("submission", "write"): {"sponsor": Grant("own", WRITERS), "coordination": Grant("all", WRITERS)},
    # Sponsors consent to a publication; the coordination decides, and publishes.
    ("submission_decision", "write"): {"sponsor": Grant("own", DECIDERS), "coordination": Grant("all", DECIDERS)},
    # What centres answer about dossiers. A sponsor reads the result of the network, and centres that may be named.
    ("feasibility", "read"): {"centre": Grant("own"), "sponsor": Grant("own"), "coordination": _ALL},
    ("feasibility", "write"): {
        "centre": Grant("own", WRITERS),
        "sponsor": Grant("own", WRITERS),
        "coordination": Grant("all", WRITERS),
    },
    ("source", "write"): {"coordination": Grant("all", WRITERS)},
    # The trials that a network sends as its own source, and the jobs that import them.
    ("push", "read"): {"network": Grant("own"), "coordination": _ALL},
    ("push", "write"): {"network": Grant("own", WRITERS), "coordination": Grant("all", WRITERS)},
    ("terminology", "read"): _each(PRINCIPAL_KINDS, _ALL),
    # A program with the secrets of this machine loads releases; the registry owns its SQLite file.
    ("terminology_release", "write"): {"service": Grant("all", place="this_machine")},
    ("geography", "write"): {"service": Grant("all", place="this_machine")},
    ("feed", "read"): _each(PRINCIPAL_KINDS, _READ, authority=_ALL, coordination=_ALL, service=_ALL),
    # Authorities see no count below 11. How many referrals a sponsor's trial has is a range.
    ("report", "read"): {"centre": Grant("own"), "authority": Grant("published"), "coordination": _ALL},
    ("referral_count", "read"): {"sponsor": Grant("own"), "coordination": _ALL},
    ("criteria", "execute"): _each(PRINCIPAL_KINDS, _ALL),
    # A match without a token is open only while no other machine can call.
    ("match", "execute"): {
        "public": Grant("published", place="closed"),
        "hospital": Grant("published", CARERS),
        "centre": Grant("published", CARERS),
        "coordination": Grant("synthetic"),
    },
    # Sponsors, networks and all others see no referral; the coordination sees states and dates.
    ("referral", "read"): {
        "hospital": Grant("own"),
        "centre": Grant("own"),
        "coordination": Grant("all", fields="status"),
    },
    ("referral", "write"): {"hospital": Grant("own", REFERRERS), "centre": Grant("own", REFERRERS)},
    # What waits for the caller: a sponsor gets nothing of a referral.
    ("worklist", "read"): {
        "hospital": Grant("own"),
        "centre": Grant("own"),
        "sponsor": Grant("own"),
        "coordination": Grant("all"),
    },
    ("subscription", "read"): _each(ORGANISATION_KINDS, Grant("own")),
    ("subscription", "write"): _each(ORGANISATION_KINDS, Grant("own", WRITERS)),
    # The pages of the portal: what they show comes from the API, with the visitor's own rights.
    ("page", "read"): _each(PRINCIPAL_KINDS, _ALL),
    ("page", "execute"): _each(PRINCIPAL_KINDS, _ALL),
    # The links in e-mails: their token is the authority.
    ("mail_link", "read"): _each(PRINCIPAL_KINDS, _ALL),
    ("mail_link", "write"): _each(PRINCIPAL_KINDS, _ALL),
    # Anyone may ask that an address be informed about a disease; the address decides.
    ("public_mail", "read"): _each(PRINCIPAL_KINDS, _ALL),
    ("public_mail", "write"): _each(PRINCIPAL_KINDS, _ALL),
    # The status of subscriptions, without their target URL or filter.
    ("subscription_summary", "read"): {"coordination": _ALL},
    ("organisation", "read"): _each(ORGANISATION_KINDS, Grant("own"), authority=_ALL, coordination=_ALL),
    # A partner that knows the id of an organisation reads its name. No one lists those of others.
    ("organisation_name", "read"): _each(ORGANISATION_KINDS, _ALL),
    ("organisation", "write"): {"coordination": Grant("all", ADMINS)},
    ("client", "read"): _each(ORGANISATION_KINDS, Grant("own", AUDITORS), coordination=Grant("all", AUDITORS)),
    ("client", "write"): _each(ORGANISATION_KINDS, Grant("own", ADMINS), coordination=Grant("all", ADMINS)),
    ("member", "read"): _each(ORGANISATION_KINDS, Grant("own", AUDITORS), coordination=Grant("all", AUDITORS)),
    ("member", "write"): _each(ORGANISATION_KINDS, Grant("own", ADMINS), coordination=Grant("all", ADMINS)),
    ("audit", "read"): _each(ORGANISATION_KINDS, Grant("own", AUDITORS), coordination=Grant("all", AUDITORS)),
    ("signing_key", "write"): {"coordination": Grant("all", ADMINS)},
    # The token endpoint authenticates its callers itself.
    ("token", "write"): _each(PRINCIPAL_KINDS, _ALL),
    ("discovery", "read"): _each(PRINCIPAL_KINDS, _ALL),
    ("self", "read"): _each(ORGANISATION_KINDS, Grant("own")),
    ("identity", "read"): {"service": _ALL},
    # A program with the secrets of this machine creates the first administrator.
    ("administrator", "write"): {"service": Grant("all", place="this_machine")},
    # The portal signs in demonstration users, while only this machine can call.
    ("demonstration", "read"): {"service": Grant("synthetic", place="closed")},
    ("demonstration", "write"): {"service": Grant("synthetic", place="closed")},
}

# The services where the scopes of a resource mean something; other resources need no scope.
SCOPED: dict[str, tuple[str, ...]] = {
    "trial": ("registry",),
    "statement": ("registry",),
    "site": ("registry",),
    "safety_hold": ("registry",),
    "enrolment": ("registry",),
    "centre": ("registry",),
    "capability": ("registry",),
    "activation": ("registry",),
    "place": ("registry",),
    "submission": ("registry",),
    "submission_decision": ("registry",),
    "feasibility": ("registry",),
    "source": ("registry",),
    "push": ("registry",),
    "terminology": ("registry",),
    "feed": ("registry",),
    "report": ("registry",),
    "referral_count": ("registry",),
    "organisation": ("registry",),
    "client": ("registry",),
    "member": ("registry",),
    "signing_key": ("registry",),
    "referral": ("registry",),
    "worklist": ("registry",),
    "criteria": ("matching",),
    "match": ("matching",),
    "subscription": ("notifications",),
    "subscription_summary": ("notifications",),
    "audit": ("registry", "matching", "notifications"),
}


def scope_of(resource: str, action: Action) -> str:
    """Return the scope of a right: ``trial.read``."""
    return f"{resource}.{action}"


def services_of(scopes: Iterable[str]) -> set[str]:
    """Return the services at which any of these scopes means something."""
    return {service for scope in scopes for service in SCOPED.get(scope.partition(".")[0], ())}


def scopes_for(kind: PrincipalKind) -> frozenset[str]:
    """Return every scope that an organisation of this kind can use."""
    return frozenset(
        scope_of(resource, action)
        for (resource, action), grants in TABLE.items()
        if kind in grants and resource in SCOPED
    )


def scopes_of_roles(kind: PrincipalKind, roles: Iterable[Role]) -> frozenset[str]:
    """Return every scope that a person with these roles can use."""
    given = frozenset(roles)
    return frozenset(
        one for one in scopes_for(kind) if (grant := _grant_of(kind, one)) and (not grant.roles or grant.roles & given)
    )


def _grant_of(kind: PrincipalKind, scope: str) -> Grant | None:
    resource, _, action = scope.partition(".")
    return TABLE[resource, cast("Action", action)].get(kind)


@dataclass(frozen=True, slots=True)
class Access:
    """An allowed call: the caller, and the rows and fields it may use."""

    principal: Principal
    rows: Rows
    fields: Fields = "all"

    @property
    def audiences(self) -> frozenset[str]:
        """The audiences of feed entries that this call may read."""
        return self.principal.audiences - INSIDE if self.rows == "published" else self.principal.audiences


def decide(principal: Principal, action: Action, resource: str) -> Grant | None:
    """Return the grant; None: denied. For reads, falls back to the public grant."""
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
    :raises ForbiddenError: 403, the caller's organisation or roles have no such right. The route is documented, so
        that its existence is no secret; single resources that the caller may not see are 404 in the services.
    :raises NotFoundError: 404, the route is for the installation's own services only, or not for them.
    """
    grant = decide(principal, action, resource)
    if grant is not None:
        return Access(principal, grant.rows, grant.fields)
    if principal.kind == "public":
        raise UnauthenticatedError
    grants = TABLE[resource, action]
    own = grants.get(principal.kind)
    if own is not None and principal.scopes is not None and scope_of(resource, action) not in principal.scopes:
        raise InsufficientScopeError(scope_of(resource, action))
    if own is not None:
        raise ForbiddenError(_missing_role(scope_of(resource, action), own.roles))
    if decide(principal, "read", resource) is not None or (principal.kind in ORGANISATION_KINDS and _kinds(grants)):
        raise ForbiddenError(_wrong_kind(scope_of(resource, action), _kinds(grants)))
    raise NotFoundError


def _kinds(grants: Iterable[str]) -> list[str]:
    return [kind for kind in ORGANISATION_KINDS if kind in grants]


def _missing_role(right: str, roles: frozenset[Role]) -> Label:
    names = ", ".join(sorted(roles))
    return Label(
        fr=f"Le droit {right} demande l'un des rôles suivants : {names}. Un administrateur de votre organisation peut"
        " l'accorder.",
        en=f"The right {right} needs one of these roles: {names}. An administrator of your organisation can grant it.",
    )


def _wrong_kind(right: str, kinds: Iterable[str]) -> Label:
    names = ", ".join(kinds)
    return Label(
        fr=f"Le droit {right} est réservé aux organisations des types suivants : {names}. La coordination du réseau"
        " fixe le type d'une organisation.",
        en=f"The right {right} is for organisations of these kinds: {names}. The coordination of the network sets the"
        " kind of an organisation.",
    )
