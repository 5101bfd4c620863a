"""The page of a dossier, also after a form that was refused."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request, Response

from services.portal.clients.problems import ApiError
from services.portal.pages.days import today
from services.portal.pages.forms import Form
from services.portal.pages.rendering import redirect
from services.portal.pages.visitors import Visitor
from services.portal.work.dossiers.reading import read
from services.portal.work.dossiers.view import CRITERIA, NEED_REASON, VISIBLE, WITHOUT_REASON
from services.portal.work.pages import check_correctable, value_text, work_page
from shared.values.wire import Label

_NOT_JSON = Label(
    fr="Ce n'est pas du JSON : vérifiez virgules et accolades.", en="This is not JSON: check its commas and brackets."
)


def not_json(visitor: Visitor) -> ApiError:
    """Return the error of a text that is not JSON."""
    return ApiError(422, "malformed_json", getattr(_NOT_JSON, visitor.language))


async def written(
    request: Request, visitor: Visitor, submission: str, form: Form, write: Callable[[], Awaitable[Any]]
) -> Response:
    """Write, then show the dossier again; with what was sent where that was refused."""
    try:
        await write()
    except json.JSONDecodeError:
        return await dossier_page(request, visitor, submission, error=not_json(visitor), form=form)
    except ApiError as error:
        check_correctable(error)
        return await dossier_page(request, visitor, submission, error=error, form=form)
    return redirect(visitor, f"/workspace/dossiers/{submission}", done="1")


async def dossier_page(
    request: Request,
    visitor: Visitor,
    submission: str,
    *,
    done: str = "",
    earlier: str = "",
    error: ApiError | None = None,
    form: Form | None = None,
) -> Response:
    """Render the page of a dossier. ``earlier``: the number of the version with which to compare."""
    found = await read(visitor.api, submission, earlier)
    return await work_page(
        request,
        visitor,
        "work/dossier.html",
        parties=found.parties,
        error=error,
        form=form,
        found=found,
        centres=found.asking.centres,
        need_reason=NEED_REASON,
        without_reason=WITHOUT_REASON,
        visible_fields=VISIBLE,
        criteria=CRITERIA,
        value_text=value_text,
        today=today().isoformat(),
        done=done,
    )
