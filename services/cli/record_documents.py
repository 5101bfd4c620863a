"""Parses registry records: a JSON document, or the XML of ISRCTN. Errors name the place and what is wrong."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from services.registry.sources.problems import InvalidStudyError
from services.registry.sources.registers import isrctn_record
from services.registry.sources.registers.documents import records_in

_STRING_OR_CONSTANT: Final = re.compile(r'"(?:[^"\\]|\\.)*"|NaN|-?Infinity')


class DocumentError(Exception):
    """A document cannot be read. ``line``: the line of the fault, from 1."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = line


def records_of_json(source: str, content: bytes) -> Iterator[bytes]:
    """Yield the records of a JSON document, each as a line to send.

    :raises DocumentError: it is not JSON.
    """
    return map(_line, records_in(source, _parse(content)))


def records_of_xml(content: bytes, retrieved: str) -> Iterator[bytes]:
    """Yield the trials of an answer of ISRCTN, each as a line to send. ``retrieved``: the day of the answer.

    :raises DocumentError: it is not XML, it has a document type, or it has no trial.
    """
    try:
        found = list(isrctn_record.records(content, retrieved))
    except InvalidStudyError as error:
        raise DocumentError("not well-formed XML, or with a document type") from error
    if not found:
        raise DocumentError("no trial of ISRCTN in this XML: `fullTrial` is expected")
    return map(_line, found)


def _parse(content: bytes) -> Any:
    try:
        text = content.decode("utf-8-sig")
        return json.loads(text, parse_constant=lambda name: _refuse_constant(name, text))
    except json.JSONDecodeError as error:
        raise DocumentError(f"not JSON: {error.msg} (column {error.colno})", error.lineno) from None
    except UnicodeDecodeError as error:
        raise DocumentError(f"not UTF-8 (byte {error.start})", content.count(b"\n", 0, error.start) + 1) from None
    except RecursionError:
        raise DocumentError("nested too deeply") from None
    except ValueError:
        raise DocumentError("not JSON: a number with too many digits") from None


def _refuse_constant(name: str, text: str) -> NoReturn:
    # Strings are skipped, so the first bare word is the one that the parser met.
    start = next(
        (match.start() for match in _STRING_OR_CONSTANT.finditer(text) if not match.group().startswith('"')), 0
    )
    raise DocumentError(f"not JSON: {name} is not a number", text.count("\n", 0, start) + 1)


def _line(record: Any) -> bytes:
    # Escaped to ASCII, so that a lone surrogate is a fault of its line only, reported by the registry.
    return json.dumps(record, separators=(",", ":")).encode("ascii")
