"""Put together what signs visitors in, from the settings."""

from collections.abc import Mapping
from contextlib import AsyncExitStack

from services.portal.clients.api import Api
from services.portal.sessions.model import Source
from services.portal.sessions.service import Renewal, SessionLimits, Sessions
from services.portal.settings import PortalSettings
from services.portal.sign_in.demonstration import DemonstrationUsers
from services.portal.sign_in.flows import Flows
from services.portal.sign_in.openid import OpenIdProvider, Registration
from services.portal.sign_in.service import SignIn
from shared.clients.internal import InternalClient
from shared.clients.outbound import open_outbound
from shared.persistence import Database

PROVIDER_SECONDS = 10.0


async def open_sign_in(
    settings: PortalSettings,
    database: Database,
    services: Mapping[str, InternalClient],
    registry: InternalClient,
    stack: AsyncExitStack,
) -> SignIn:
    """Return what signs visitors in; ``stack`` closes what it opens.

    ``services``: for calls with a visitor's token; ``registry``: for those with the token of the installation.
    """
    demonstration = DemonstrationUsers(registry)
    renewals: dict[Source, Renewal] = {"demonstration": demonstration.renew}
    provider = await _open_provider(settings, stack)
    if provider is not None:
        renewals["openid"] = provider.renew
    key, limits = settings.cursor_key_bytes, SessionLimits(settings.idle, settings.absolute)
    sessions = Sessions(database, key, limits, renewals, lambda token: Api(services, "fr", token=token))
    return SignIn(sessions, settings.session_cookie, demonstration, provider, Flows(key))


async def _open_provider(settings: PortalSettings, stack: AsyncExitStack) -> OpenIdProvider | None:
    if not settings.oidc_client_id:
        return None
    registration = Registration(
        issuer=settings.oidc_issuer,
        client=settings.oidc_client_id,
        secret=settings.oidc_client_secret.get_secret_value(),
        audience=settings.oidc_audience,
        scope=settings.oidc_scope,
        redirect=f"{settings.issuer}/sign-in/callback",
        home=f"{settings.issuer}/",
    )
    return OpenIdProvider(
        registration, await stack.enter_async_context(open_outbound(settings, total_seconds=PROVIDER_SECONDS))
    )
