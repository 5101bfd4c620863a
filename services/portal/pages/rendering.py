"""Render a page: Jinja2 templates, the texts of both languages beside each other, and the security headers."""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from services.portal.pages import formats
from services.portal.pages.asset_files import address_of_asset
from services.portal.pages.language import in_language
from services.portal.pages.visitors import Visitor
from services.portal.sessions.cookies import set_cookie
from shared.values.language import Language

HTML = "text/html"
_ERROR = 400
LANGUAGES: tuple[Language, ...] = ("fr", "en")
TEMPLATES = Path(__file__).parents[1] / "templates"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    # The language of a page is in its address; what it shows depends on the session.
    "Vary": "Cookie, HX-Request",
}


@lru_cache(1)
def environment() -> Environment:
    """Return the templates. A name that a template uses and no page sets is an error."""
    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    found.globals["asset"] = address_of_asset
    found.globals["join_query"] = _join_query
    found.filters["json_ld"] = _json_ld
    return found


def read_templates() -> None:
    """Compile all templates, which takes a second. Else each is compiled for its first visitor."""
    for name in environment().list_templates(["html"]):
        environment().get_template(name)


def page(
    request: Request,
    visitor: Visitor,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> Response:
    """Render a template, or with HTMX's header ``HX-Target`` only the block of that name where the template has it.

    An error is shown in the place of what was asked for.

    In templates ``t(french, english)`` chooses a text, ``url(path)`` is the address of a page in the visitor's
    language, and the functions of `formats` write dates, numbers and codes.
    """
    found = environment().get_template(template)
    texts = formats.Formats(visitor.language)
    context = found.new_context(
        {
            **values,
            "visitor": visitor,
            "language": visitor.language,
            "t": lambda fr, en: fr if visitor.language == "fr" else en,
            "url": lambda path, **query: _address(path, visitor.language, query),
            "absolute": {one: request.app.state.settings.issuer + in_language(visitor.path, one) for one in LANGUAGES},
            "other_language": _address_in_other_language(request, visitor),
            "formats": texts,
        }
    )
    block = None
    if request.headers.get("hx-request") == "true":
        target = request.headers.get("hx-target", "").replace("-", "_")
        block = found.blocks.get(target, found.blocks["main"] if status >= _ERROR else None)
    if block is not None:
        # Runs what stands before the blocks: a block by itself would not know what its template imports.
        next(found.root_render_func(context), None)
    text = "".join((block or found.root_render_func)(context))
    sent = {
        **HEADERS,
        "Content-Language": visitor.language,
        "Cache-Control": "no-store" if visitor.me is not None or visitor.ended else "no-cache",
        **(headers or {}),
    }
    answer = Response(text, status, sent, f"{HTML}; charset=utf-8")
    if visitor.ended:
        set_cookie(answer, request.app.state.settings.session_cookie, "", 0)
    return answer


def redirect(visitor: Visitor, path: str, **query: Any) -> Response:
    """Send the browser to another page of the portal, after a form (303)."""
    return Response(None, 303, {**HEADERS, "Location": _address(path, visitor.language, query)})


def moved(visitor: Visitor, path: str, **query: Any) -> Response:
    """Send the browser to the present address of a page (301)."""
    return Response(None, 301, {**HEADERS, "Location": _address(path, visitor.language, query)})


def _address(path: str, language: Language, query: Mapping[str, Any]) -> str:
    return in_language(path, language) + _join_query(query)


def _join_query(query: Mapping[str, Any]) -> str:
    given = {name: value for name, value in query.items() if value not in (None, "", [], ())}
    return f"?{urlencode(given, doseq=True)}" if given else ""


def _address_in_other_language(request: Request, visitor: Visitor) -> str:
    other: Language = "en" if visitor.language == "fr" else "fr"
    query = f"?{request.url.query}" if request.url.query and request.method == "GET" else ""
    return in_language(visitor.path, other) + query


def _json_ld(value: Any) -> Markup:
    """Write JSON for a data block of a page: no text can end the block."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704
