"""The parts of the issuer that its endpoints use, in one typed attribute of the application (``app.state.issuer``)."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from services.registry.identity.tokens.directory import LocalDirectory
from services.registry.identity.tokens.keys import SigningKeys
from services.registry.identity.tokens.service import TokenService


@dataclass(frozen=True, slots=True)
class Issuer:
    """``enabled``: False if only tokens of the OpenID provider are accepted. ``url``: the `iss` of our tokens."""

    enabled: bool
    url: str
    token_url: str
    keys: SigningKeys
    tokens: TokenService
    directory: LocalDirectory


def _issuer(request: Request) -> Issuer:
    found: Issuer = request.app.state.issuer
    return found


TokenIssuer = Annotated[Issuer, Depends(_issuer)]
