"""Check the head of a request: sizes, query and path parameters, accepted media types."""

from collections.abc import Collection

from shared.http.rules import RouteRules
from shared.http.strict_request import StrictRequest
from shared.values.problems import (
    Fault,
    HeadersTooLargeError,
    InvalidParameterError,
    NotAcceptableError,
    UriTooLongError,
)
from shared.values.wire import Label

MAX_URI = 8 * 1024
MAX_HEADERS = 16 * 1024


async def check_size(request: StrictRequest, _rules: RouteRules) -> None:
    """:raises UriTooLongError, HeadersTooLargeError: 414, 431."""
    scope = request.scope
    if len(scope.get("raw_path", b"")) + len(scope["query_string"]) > MAX_URI:
        raise UriTooLongError
    if sum(len(name) + len(value) + 4 for name, value in scope["headers"]) > MAX_HEADERS:
        raise HeadersTooLargeError


async def check_parameters(request: StrictRequest, rules: RouteRules) -> None:
    """Pages ignore unknown parameters (people share addresses, and others add to them); their forms repeat names.

    :raises InvalidParameterError: 400, a parameter is unknown, repeated or has a NUL (PostgreSQL has none).
    """
    names = [name for name, _ in request.query_params.multi_items()]
    found = []
    for name in dict.fromkeys(names):
        if name not in rules.query_names and not rules.is_page:
            # The unknown name is not repeated: it could be data.
            detail = _known(rules.query_names)
            found.append(Fault(pointer="/query", code="unknown_parameter", detail=detail))
        elif names.count(name) > 1 and not rules.is_page:
            repeated = Label(fr="paramètre répété", en="repeated parameter")
            found.append(Fault(pointer=f"/query/{name}", code="repeated_parameter", detail=repeated))
        elif "\x00" in "".join(request.query_params.getlist(name)):
            found.append(_nul(f"/query/{name}"))
    found += [_nul(f"/path/{name}") for name, value in request.path_params.items() if "\x00" in value]
    if found:
        raise InvalidParameterError(errors=found[:10])


def _known(names: Collection[str]) -> Label:
    if not names:
        return Label(fr="aucun paramètre n'est accepté ici", en="no parameter is accepted here")
    listed = ", ".join(sorted(names))
    return Label(
        fr=f"paramètre inconnu ; paramètres possibles : {listed}", en=f"unknown parameter; possible ones: {listed}"
    )


def _nul(pointer: str) -> Fault:
    detail = Label(fr="caractère nul interdit", en="NUL is not allowed")
    return Fault(pointer=pointer, code="control_character", detail=detail)


async def check_accept(request: StrictRequest, rules: RouteRules) -> None:
    """A file of a page is sent whatever the browser prefers: its link says what it is.

    :raises NotAcceptableError: 406, the client accepts none of the media types of the route.
    """
    if rules.is_page and "text/html" not in rules.produced:
        return
    accept = request.headers.get("accept") or "*/*"
    ranges = [
        part.partition(";")[0].strip().lower()
        for part in accept.split(",")
        if "q=0" not in part.replace(" ", "").split(";")
    ]
    if not any(_matches(one, rules.produced) for one in ranges):
        raise NotAcceptableError


def _matches(media_range: str, produced: tuple[str, ...]) -> bool:
    if media_range in {"*/*", ""} or media_range in produced:
        return True
    kind, _, subtype = media_range.partition("/")
    return subtype == "*" and any(media.startswith(f"{kind}/") for media in produced)
