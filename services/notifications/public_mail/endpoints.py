"""E-mail about a disease for anyone: its routes, beside the links in the messages."""

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from services.notifications.mail.limits import counts_of
from services.notifications.mailing.dispatcher import CONFIRM_DAYS
from services.notifications.public_mail.schemas import PublicMailAnswer, PublicMailRequest, PublicMailState
from services.notifications.public_mail.service import PublicMailService
from services.notifications.runtime import Running, Runtime
from shared.access.address import address_of
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.limits.buckets import Quota
from shared.http.limits.quotas import placed
from shared.http.route import ApiRoute, accepts
from shared.idempotency import repeatable
from shared.values.problems import RateLimitedError

router = APIRouter(prefix="/notifications/v1", route_class=ApiRoute, tags=["mail"])
Reader = Annotated[Access, Depends(allow("public_mail", "read"))]
Asker = Annotated[Access, Depends(allow("public_mail", "write"))]
BODY_BYTES = 4 * 1024
# Of one caller's address in an hour, whatever the addresses that it names. No quota at all: none here either.
REQUESTS = 10


@router.api_route("/public-mail-subscriptions", methods=["GET", "HEAD"], summary="Can e-mail be asked for?")
async def read_public_mail(access: Reader, runtime: Running) -> PublicMailState:
    """Return whether this installation sends e-mail."""
    return PublicMailState(available=runtime.can_mail)


@router.post("/public-mail-subscriptions", status_code=202, summary="Ask for e-mail about a disease")
@repeatable("asked again, an address gets no second message about what it has agreed to")
@accepts(body_bytes=BODY_BYTES)
async def ask_for_mail(request: Request, access: Asker, asked: PublicMailRequest, runtime: Running) -> PublicMailAnswer:
    """Ask for e-mail about the trials of a disease, without an account. The address first gets a link to agree."""
    _count(request, runtime)
    async with runtime.database.transaction(as_service=True) as connection:
        settings = request.app.state.settings
        counts = counts_of(settings.sealing_key, asked.address, address_of(request, settings.gateway_networks))
        await PublicMailService(connection).ask(asked, settings.event_source, counts, can_send=runtime.can_mail)
    runtime.wake_dispatcher()
    return PublicMailAnswer(valid_days=CONFIRM_DAYS)


def _count(request: Request, runtime: Runtime) -> None:
    settings = request.app.state.settings
    if settings.rate_write:
        site, local = placed(address_of(request, settings.gateway_networks))
        quota = Quota(REQUESTS * (settings.rate_loopback_factor if local else 1), 3600)
        level = runtime.public_requests.take(site, quota, time.monotonic())
        if not level.taken:
            raise RateLimitedError(level.seconds)
