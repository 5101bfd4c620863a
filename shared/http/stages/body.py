"""Read the body of a request, within its limits."""

from shared.http.context import context_of
from shared.http.limits.concurrency import ConcurrencyLimiter
from shared.http.limits.quotas import kind_of, occupant_of
from shared.http.marks import Accepted
from shared.http.rules import RouteRules
from shared.http.strict_request import StrictRequest
from shared.http.time_limits import within
from shared.values.problems import BodyTimedOutError, UnsupportedMediaTypeError

WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


async def prepare_permit(request: StrictRequest, rules: RouteRules) -> None:
    """Prepare the permit. Health routes have a limiter of their own: a busy process must not look dead."""
    limiter: ConcurrencyLimiter = request.app.state.load
    if rules.guard is not None and kind_of(rules.guard.resource, rules.guard.action) is None:
        limiter = ConcurrencyLimiter(1, 1)
    context = context_of(request)
    context.permit = limiter.permit(occupant_of(request, context.principal))


async def read_body(request: StrictRequest, rules: RouteRules) -> None:
    """Read the whole body, into a file where the route says so.

    :raises UnsupportedMediaTypeError: 415.
    :raises OverloadedError: 503, too many bodies are arriving.
    :raises BodyTimedOutError: 408.
    :raises TooLargeError: 413.
    """
    if request.method not in WITH_BODY:
        return
    _check_media_type(request, rules.accepted)
    if (permit := context_of(request).permit) is not None:
        permit.take("arriving")
    body = request.spool() if rules.accepted.spooled else request.body()
    await within(rules.accepted.body_seconds, body, BodyTimedOutError)


def _check_media_type(request: StrictRequest, accepted: Accepted) -> None:
    headers = request.headers
    given, _, parameters = headers.get("content-type", "").partition(";")
    if given.strip().lower() not in accepted.media_types:
        is_empty = headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers
        if not given and is_empty:
            return
        raise UnsupportedMediaTypeError
    named = parameters.lower().replace(" ", "").replace('"', "").split(";")
    if any(one.startswith("charset=") and one.removeprefix("charset=") not in accepted.charsets for one in named):
        raise UnsupportedMediaTypeError
    if headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        raise UnsupportedMediaTypeError
