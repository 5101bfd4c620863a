"""Callers as the policy sees them: plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

OrganisationKind = Literal["hospital", "centre", "sponsor", "network", "association", "authority", "coordination"]
PrincipalKind = Literal[
    "public", "hospital", "centre", "sponsor", "network", "association", "authority", "coordination", "service"
]
Role = Literal["admin", "editor", "validator", "clinician", "system", "auditor", "dpo"]

ORGANISATION_KINDS: tuple[OrganisationKind, ...] = get_args(OrganisationKind)
PRINCIPAL_KINDS: tuple[PrincipalKind, ...] = get_args(PrincipalKind)
ROLES: tuple[Role, ...] = get_args(Role)
# The audiences of unpublished data, and which of them each kind of principal belongs to.
INSIDE = frozenset({"authority", "coordination", "demo", "service"})
_INSIDERS: dict[PrincipalKind, frozenset[str]] = {
    "authority": frozenset({"authority"}),
    "coordination": frozenset({"coordination", "demo"}),
    "service": INSIDE,
}


@dataclass(frozen=True, slots=True)
class Credential:
    """The content of a verified token or API key. Times are epoch seconds.

    ``client``: the identifier of a client or member, as revocations name it; ``version``: the one with these rights.
    ``scopes``: None, as for people: not limited below the roles. ``centre``: the centre that the organisation is.
    """

    client: str
    organisation: str
    kind: OrganisationKind
    roles: frozenset[Role]
    scopes: frozenset[str] | None
    issued_at: int
    expires_at: int
    centre: str | None = None
    human: str | None = None
    version: int = 1

    def write(self) -> dict[str, Any]:
        """Write it as a document for another service."""
        return {
            "client": self.client,
            "organisation": self.organisation,
            "kind": self.kind,
            "roles": sorted(self.roles),
            "scopes": None if self.scopes is None else sorted(self.scopes),
            "issued_at": self.issued_at,
            "expires_at": self.expires_at,
            "centre": self.centre,
            "human": self.human,
            "version": self.version,
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Credential":
        """The inverse of `write`."""
        scopes = document["scopes"]
        return cls(
            **{
                **document,
                "roles": frozenset(document["roles"]),
                "scopes": None if scopes is None else frozenset(scopes),
            },
        )


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of a request.

    ``on_loopback``: it calls from this machine; ``closed``: and the gateway listens on this machine only.
    ``scopes``: None: no limit. ``human``: the opaque subject of a person at the identity provider, never a name.
    ``is_person``: it counts as a person where a decision takes two: where people sign in, a client does not.
    """

    kind: PrincipalKind
    on_loopback: bool = False
    closed: bool = False
    organisation: str | None = None
    client: str | None = None
    human: str | None = None
    centre: str | None = None
    roles: frozenset[Role] = field(default_factory=frozenset)
    scopes: frozenset[str] | None = None
    is_person: bool = True

    @property
    def audiences(self) -> frozenset[str]:
        """The audiences that the caller belongs to, of feed entries and of rows."""
        found = {"public"}
        if self.organisation is not None:
            found.add(f"organisation:{self.organisation}")
        if self.centre is not None:
            found.add(f"centre:{self.centre}")
        return frozenset(found) | _INSIDERS.get(self.kind, frozenset())
