"""Send a patient to the running system and return the answer."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from services.cli.gateway import CallError, Gateway
from services.cli.output import print_json, print_message

FORBIDDEN = 403
ZIP_MARK = b"PK\x03\x04"
READ: Final = {
    "fr": "{facts} fait(s) lus ; {warnings} point(s) non compris ou non utilisés, à vérifier",
    "en": "{facts} fact(s) read; {warnings} point(s) not understood or not used: check them",
}


class Answer(NamedTuple):
    """An answer: the ``text`` as received, and parsed (``body``)."""

    text: str
    body: Mapping[str, Any]


def request_match(gateway: Gateway, patient: Path, language: str, *, synthetic: bool = False) -> Answer:
    """Match the patient in a file (``-``: standard input); ``synthetic``: it is an invented one.

    :raises CallError: when the file cannot be read or the call fails.
    """
    return _request(gateway, "match", patient, language, {"limit": "200"}, synthetic=synthetic)


def request_reading(gateway: Gateway, patient: Path, language: str, as_of: str, *, synthetic: bool = False) -> Answer:
    """Have the patient in a file (``-``: standard input) read as the native one. ``as_of``: empty: as the file says.

    :raises CallError: when the file cannot be read or the call fails.
    """
    return _request(gateway, "patients/read", patient, language, {"as_of": as_of}, synthetic=synthetic)


def print_reading(body: Mapping[str, Any], language: str) -> None:
    """Print the native patient on standard output, and on standard error each warning: its place and what it means."""
    print_json(body["patient"])
    for one in body["warnings"]:
        times = f" (× {one['count']})" if one["count"] > 1 else ""
        print_message(f"{one['pointer'] or '/'}{times}: {one['message'][language]}")
    print_message(READ[language].format(facts=len(body["patient"].get("facts", ())), warnings=len(body["warnings"])))


def _request(
    gateway: Gateway, call: str, patient: Path, language: str, query: Mapping[str, str], *, synthetic: bool
) -> Answer:
    try:
        content = sys.stdin.buffer.read() if str(patient) == "-" else patient.read_bytes()
    except OSError as error:
        raise CallError(f"{patient}: {error.strerror}") from None
    given = {**{name: value for name, value in query.items() if value}, **({"synthetic": "true"} if synthetic else {})}
    path = f"/matching/v1/{call}?{urlencode(given)}"
    try:
        media_type = "application/zip" if content.startswith(ZIP_MARK) else "application/json"
        answer = gateway.send("POST", path, content=content, media_type=media_type, language=language)
    except CallError as error:
        if error.status == FORBIDDEN and not synthetic:
            raise CallError(f"{error}\n  if the patient is invented, add --synthetic", error.status) from None
        raise
    return Answer(answer.text, answer.json())
