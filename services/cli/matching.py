"""Send a patient to the running system and return the answer."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from services.cli.gateway import CallError, Gateway


class Answer(NamedTuple):
    """A match answer: the ``text`` as received, and parsed (``body``)."""

    text: str
    body: Mapping[str, Any]


def request_match(gateway: Gateway, patient: Path, language: str) -> Answer:
    """Match the patient in a file (``-``: standard input).

    :raises CallError: when the file cannot be read or the call fails.
    """
    try:
        content = sys.stdin.buffer.read() if str(patient) == "-" else patient.read_bytes()
    except OSError as error:
        raise CallError(f"{patient}: {error.strerror}") from None
    answer = gateway.send("POST", "/matching/v1/match?limit=200", content=content, language=language)
    return Answer(answer.text, answer.json())
