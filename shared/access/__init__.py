"""Who is calling: principals, access tokens, and where a service learns whom to believe."""

from shared.access.principal import Credential, Principal, PrincipalKind, Role

__all__ = ["Credential", "Principal", "PrincipalKind", "Role"]
