"""The pages behind the links in messages: one question and one button, without script, style or image."""

from collections.abc import Mapping
from typing import Final

from fastapi import Response

from services.notifications.mail_links.schemas import MailLink
from shared.http.representations import preferred_type
from shared.values.language import Language, negotiate

JSON: Final = "application/json"
HTML: Final = "text/html"
FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data", JSON)

# (act, done) → title and button.
_WORDS: dict[tuple[str, bool], dict[Language, tuple[str, str]]] = {
    ("confirm", False): {
        "fr": ("Recevoir les notifications de CLEIO à cette adresse ?", "Oui, les recevoir"),
        "en": ("Receive the notices of CLEIO at this address?", "Yes, receive them"),
    },
    ("confirm", True): {
        "fr": ("C'est confirmé : cette adresse recevra les notifications de CLEIO.", ""),
        "en": ("Confirmed: this address will receive the notices of CLEIO.", ""),
    },
    ("unsubscribe", False): {
        "fr": ("Ne plus recevoir ces notifications de CLEIO ?", "Me désabonner"),
        "en": ("Stop receiving these notices of CLEIO?", "Unsubscribe"),
    },
    ("unsubscribe", True): {
        "fr": ("Vous êtes désabonné : votre adresse a été supprimée de cet abonnement.", ""),
        "en": ("You are unsubscribed: your address was deleted from this subscription.", ""),
    },
}
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept, Accept-Language",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


def show(link: MailLink, headers: Mapping[str, str]) -> Response:
    """Answer with a page, or as JSON to callers that name it first."""
    if preferred_type(headers.get("accept"), (HTML, JSON)) == JSON:
        return Response(link.model_dump_json(), 200, _HEADERS, JSON)
    language = negotiate(headers.get("accept-language"))
    title, button = _WORDS[link.act, link.done][language]
    form = f'<form method="post"><button>{button}</button></form>' if button else ""
    page = (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>CLEIO</title><h1>{title}</h1>{form}</html>'
    )
    return Response(page, 200, {**_HEADERS, "Content-Language": language}, f"{HTML}; charset=utf-8")
