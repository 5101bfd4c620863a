"""A caller as the policy sees it: plain data, in the words of the network."""

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
# The audiences of what is not published, and those of them that a kind of principal belongs to.
INSIDE = frozenset({"authority", "coordination", "demo", "service"})
_INSIDERS: dict[PrincipalKind, frozenset[str]] = {
    "authority": frozenset({"authority"}),
    "coordination": frozenset({"coordination", "demo"}),
    "service": INSIDE,
}


@dataclass(frozen=True, slots=True)
class Credential:
    """What a verified token or key says. ``scopes`` None: not limited below the roles, as for people. Times are epoch seconds.

    ``client`` is the identifier that a revocation names: a client's, or a member's; ``version``: the version of it that has these rights.
    ``centre``: the centre that the organisation is.
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
        """As one service tells it to another."""
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
    """Who calls. ``on_loopback``: from this machine; ``closed``: and the gateway listens on this machine alone.

    ``scopes`` None is no limit. ``human`` is the opaque subject of a person at the identity provider, never a name.
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

    @property
    def audiences(self) -> frozenset[str]:
        """The audiences of feed entries and rows that this caller belongs to."""
        found = {"public"}
        if self.organisation is not None:
            found.add(f"organisation:{self.organisation}")
        return frozenset(found) | _INSIDERS.get(self.kind, frozenset())
