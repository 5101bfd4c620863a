"""Let browser programs of listed origins call the interfaces for health records (CORS)."""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

_PATHS = ("/cds-services", "/fhir/")
# Beside those that a browser may always send (Accept, Accept-Language, Content-Type).
_SENT = ("Authorization", "traceparent", "X-Request-Id")
_READ = ("ETag", "RateLimit", "RateLimit-Policy", "Retry-After", "Snapshot", "Snapshot-Age", "X-Request-Id")


class BrowserOrigins(CORSMiddleware):
    """Answers preflight requests and names the allowed origin, for CDS Hooks and FHIR only; never with credentials.

    ``origins``: as browsers send them, such as ``https://ehr.example``.
    """

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]) -> None:
        super().__init__(app, origins, ("GET", "POST"), _SENT, expose_headers=_READ)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(_PATHS):
            await super().__call__(scope, receive, send)
        else:
            await self.app(scope, receive, send)
