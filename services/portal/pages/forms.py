"""Forms that a browser sends: read, and refused when another site sent them."""

import hmac
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from fastapi import Depends, Request

from services.portal.pages.visitors import CurrentVisitor, Visitor
from shared.values.problems import MalformedJsonError, Problem
from shared.values.wire import Label

FORM = "application/x-www-form-urlencoded"
MAX_FIELDS = 5000
# For a form that comes back with what was typed, also where each service it asks waits until its own limit.
ANSWERED_SECONDS = 45.0


class ForeignFormError(Problem):
    """The form was not sent by a page of this portal for this session."""

    code, status = "foreign_form", 403
    title = Label(fr="Formulaire refusé", en="Form refused")
    detail = Label(
        fr="Ce formulaire n'a pas été envoyé par une page de ce site, ou votre session a changé. Rechargez la page et"
        " recommencez.",
        en="This form was not sent by a page of this site, or your session has changed. Reload the page and try again.",
    )


class Form:
    """The fields of a form. A field that was not sent is empty."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        self._fields = fields

    def one(self, name: str) -> str:
        """Return the value of a field without the spaces around it."""
        return self._fields.get(name, [""])[-1].strip()

    def text(self, name: str) -> str:
        """Return the value of a field as it was typed."""
        return self._fields.get(name, [""])[-1]

    def every(self, name: str) -> list[str]:
        """Return all values of a field, in the order of the form."""
        return [value.strip() for value in self._fields.get(name, []) if value.strip()]

    def pairs(self) -> list[tuple[str, str]]:
        """Return all fields with their values as they were typed."""
        return [(name, value) for name, values in self._fields.items() for value in values]

    def names(self) -> list[str]:
        """Return the names of the fields, in the order of the form."""
        return list(self._fields)


async def submitted(request: Request, visitor: CurrentVisitor) -> Form:
    """Read the form of a request.

    :raises ForeignFormError: 403, another site sent it, or it lacks the token of the session.
    :raises MalformedJsonError: 400, it is not a form.
    """
    _check_origin(request)
    form = _read(await request.body())
    _check_token(visitor, form)
    return form


def unsent(request: Request) -> Form | None:
    """Return the form of a request that failed, for the page of the error; None: no page of this portal sent it."""
    body: bytes = getattr(request.state, "sent", b"")
    if not body or not _is_from_here(request):
        return None
    try:
        return _read(body)
    except MalformedJsonError:
        return None


def _read(body: bytes) -> Form:
    try:
        fields = parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:
        raise MalformedJsonError from None
    return Form(fields)


SubmittedForm = Annotated[Form, Depends(submitted)]


def _check_origin(request: Request) -> None:
    """Refuse what a page of another origin sent. Programs that name no origin are no browsers with a session."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None and site != "same-origin":
        raise ForeignFormError
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise ForeignFormError


def _is_from_here(request: Request) -> bool:
    """Return whether the browser says that a page of this portal sent the request."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        return False
    return site == "same-origin" or (site is None and origin is not None)


def _check_token(visitor: Visitor, form: Form) -> None:
    if visitor.me is not None and not hmac.compare_digest(form.one("csrf").encode(), visitor.csrf.encode()):
        raise ForeignFormError
