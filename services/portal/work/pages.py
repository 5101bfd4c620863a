"""Pages of the workspace: the menu around them, and what their forms need."""

import json
import secrets
from collections.abc import Iterable
from typing import Any

from fastapi import Request, Response

from services.portal.clients.names import names_of
from services.portal.clients.problems import ApiError
from services.portal.pages.forms import Form
from services.portal.pages.rendering import page
from services.portal.pages.visitors import Visitor
from services.portal.work.workers import menu_of

# What a person can correct on the page; any other error is an error page.
_CORRECTABLE = frozenset({400, 409, 412, 422})


async def work_page(
    request: Request,
    visitor: Visitor,
    template: str,
    *,
    parties: Iterable[str | None] = (),
    error: ApiError | None = None,
    form: Form | None = None,
    **values: Any,
) -> Response:
    """Render a page of the workspace.

    ``parties``: the organisations and authors that it names; ``error``: why the form was refused; ``form``: what was
    sent.
    """
    return page(
        request,
        visitor,
        template,
        status=error.status if error else 200,
        menu=menu_of(visitor),
        names=await names_of(visitor.api, visitor.me, parties),
        new_key=lambda: secrets.token_urlsafe(24),
        error=error,
        form=form or Form({}),
        **values,
    )


def check_correctable(error: ApiError) -> None:
    """Raise an error again that the person cannot correct on the page.

    :raises ApiError: the error.
    """
    if error.status not in _CORRECTABLE:
        raise error


async def act(visitor: Visitor, path: str, form: Form, body: Any) -> Any:
    """Send what a form says to a path of the API, for the version that the person saw. Return the answer's JSON.

    :raises ApiError: the API refused it.
    """
    headers = {"Idempotency-Key": form.one("key")}
    if form.one("etag"):
        headers["If-Match"] = form.one("etag")
    return (await visitor.api.call("POST", path, json=body, headers=headers)).body


def value_text(value: Any) -> str:
    """Write a value of JSON for people: text as it is, null as nothing."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
