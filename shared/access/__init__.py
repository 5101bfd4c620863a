"""Identity and policy: principals, access tokens, issuer keys and revocations, the policy table."""

from shared.access.principal import Credential, Principal, PrincipalKind, Role

__all__ = ["Credential", "Principal", "PrincipalKind", "Role"]
