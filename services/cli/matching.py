"""Send a patient to the running system and return the answer."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from services.cli.gateway import CallError, Gateway

FORBIDDEN = 403
ZIP_MARK = b"PK\x03\x04"


class Answer(NamedTuple):
    """A match answer: the ``text`` as received, and parsed (``body``)."""

    text: str
    body: Mapping[str, Any]


def request_match(gateway: Gateway, patient: Path, language: str, *, synthetic: bool = False) -> Answer:
    """Match the patient in a file (``-``: standard input); ``synthetic``: it is an invented one.

    :raises CallError: when the file cannot be read or the call fails.
    """
    try:
        content = sys.stdin.buffer.read() if str(patient) == "-" else patient.read_bytes()
    except OSError as error:
        raise CallError(f"{patient}: {error.strerror}") from None
    path = f"/matching/v1/match?limit=200{'&synthetic=true' if synthetic else ''}"
    try:
        media_type = "application/zip" if content.startswith(ZIP_MARK) else "application/json"
        answer = gateway.send("POST", path, content=content, media_type=media_type, language=language)
    except CallError as error:
        if error.status == FORBIDDEN and not synthetic:
            raise CallError(f"{error}\n  if the patient is invented, add --synthetic", error.status) from None
        raise
    return Answer(answer.text, answer.json())
