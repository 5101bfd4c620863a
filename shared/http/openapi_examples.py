"""Examples of an OpenAPI document.

They stand in the file ``examples.json`` of a service, by the name of the handler: ``request`` (``request text/csv``: of
that media type), ``answer`` (with any status 2xx) and answers by their status. A route may also give examples in its
own ``responses`` and body.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi.routing import APIRoute

from shared.values.problems import (
    BodyTimedOutError,
    ConflictError,
    ForbiddenError,
    GoneError,
    HeadersTooLargeError,
    InvalidBodyError,
    InvalidParameterError,
    NotAcceptableError,
    NotFoundError,
    OverloadedError,
    Problem,
    RateLimitedError,
    StaleVersionError,
    StorageFullError,
    TooLargeError,
    UnauthenticatedError,
    UnsupportedMediaTypeError,
    UriTooLongError,
    VersionRequiredError,
)

Examples = Mapping[str, Mapping[str, Any]]
REQUEST_ID = "3f6c1f0a9d7e4b52"
# One problem for each status of an answer.
_PROBLEMS: tuple[type[Problem], ...] = (
    InvalidParameterError,
    UnauthenticatedError,
    ForbiddenError,
    NotFoundError,
    NotAcceptableError,
    BodyTimedOutError,
    ConflictError,
    GoneError,
    StaleVersionError,
    TooLargeError,
    UriTooLongError,
    UnsupportedMediaTypeError,
    InvalidBodyError,
    VersionRequiredError,
    RateLimitedError,
    HeadersTooLargeError,
    Problem,
    OverloadedError,
    StorageFullError,
)


def read_examples(file: Path | None) -> Examples:
    """Return the examples of a service; empty where it has no file."""
    if file is None:
        return {}
    found: Examples = json.loads(file.read_text(encoding="utf-8"))
    return found


def add_examples(operation: dict[str, Any], route: APIRoute, examples: Examples) -> None:
    """Add to an operation the examples from the file, where the route gives none itself."""
    _restore_examples(operation, route)
    given = examples.get(route.name, {})
    if "request" in given:
        for media_type, content in operation["requestBody"].get("content", {}).items():
            _add({"content": {media_type: content}}, given.get(f"request {media_type}", given["request"]))
    for status, answer in operation["responses"].items():
        example = given.get(status, given.get("answer") if status.startswith("2") else None)
        if example is not None:
            _add(answer, example)


def _add(body: dict[str, Any], example: Any) -> None:
    for content in body.get("content", {}).values():
        if not {"example", "examples"} & set(content):
            content["example"] = example


def _restore_examples(operation: dict[str, Any], route: APIRoute) -> None:
    """Put the examples of answers in as the route gives them: FastAPI leaves out their null values."""
    for status, answer in route.responses.items():
        for media_type, content in answer.get("content", {}).items():
            if "example" in content:
                operation["responses"][str(status)]["content"][media_type]["example"] = content["example"]


def problem_example(status: int) -> dict[str, Any]:
    """Return the body of a problem with this status."""
    (problem,) = [one for one in _PROBLEMS if one.status == status]
    document = {
        "type": f"urn:cleio:problem:{problem.code}",
        "title": problem.title.en,
        "status": status,
        "code": problem.code,
        "instance": f"urn:request:{REQUEST_ID}",
        "errors": _FAULTS.get(status, []),
    }
    return document if problem.detail is None else {**document, "detail": problem.detail.en}


_FAULTS: dict[int, list[dict[str, str]]] = {
    400: [{"pointer": "/query/limit", "code": "less_than_equal", "detail": "at most 200"}],
    422: [{"pointer": "/facts/0/date", "code": "date_form", "detail": "a date is written YYYY-MM-DD"}],
}
