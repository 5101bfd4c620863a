"""The OpenAPI 3.1 document of a service: FastAPI's description, completed by what `shared.http.route` does.

Nothing of this is written by hand on a route: statuses, headers and security follow from its policy, marks and
dependencies.
"""

import json
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from shared.access.policy import TABLE, Grant
from shared.http.guards import policy_of
from shared.http.limits.quotas import kind_of
from shared.http.marks import Accepted, accepted
from shared.http.problem_responses import MEDIA_TYPE
from shared.http.stages.body import WITH_BODY
from shared.http.stages.head import MAX_HEADERS, MAX_URI
from shared.http.versions import answers_unchanged, requires_version
from shared.idempotency.marks import keyed
from shared.values.problems import ProblemDocument
from shared.values.strict_json import MAX_ARRAY, MAX_DEPTH, MAX_INTEGER, MAX_NODES

# The limits of bodies do not apply to schemas that occur in answers only.
MAX_ANSWER_STRING = 256 * 1024
MAX_ANSWER_ARRAY = MAX_NODES
_SCHEMA = "#/components/schemas/"

STATUSES: dict[int, str] = {
    304: "The caller has the current version.",
    400: "A parameter, a header or the JSON is malformed or unknown.",
    401: "Missing or invalid token.",
    403: "Read-only for this caller, or the token lacks a scope.",
    404: "The resource does not exist, or the caller has no access to it.",
    406: "The resource has no format that `Accept` allows.",
    408: "The body did not arrive in time.",
    409: "Conflict with the state of the resource, or a request with the same idempotency key is in progress.",
    410: "No longer available: start again as the problem says.",
    412: "The version in `If-Match` is stale, or the resource to create already exists.",
    413: "The body is too large.",
    414: f"The URI is longer than {MAX_URI // 1024} KiB.",
    415: "Unsupported media type, charset or content encoding.",
    422: "Invalid content: each fault with its JSON Pointer.",
    428: "`If-Match` is missing.",
    429: "The caller has exceeded its quota.",
    431: f"The headers are larger than {MAX_HEADERS // 1024} KiB.",
    500: "Internal error; the log has it under the request id.",
    503: "Busy or temporarily unavailable; retry later.",
    507: "Storage full: nothing was changed.",
}


def _text(description: str, length: int = 200, **more: Any) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string", "maxLength": length, **more}}


HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": _text(
        "The id of the request, as in logs and in the audit log. A well-formed id sent by the caller is kept.", 64
    ),
    "RateLimit": _text('The remaining quota, by kind of request: `"read";r=1199;t=1` (IETF draft).'),
    "RateLimit-Policy": _text('The quota, in requests per window of seconds: `"read";q=1200;w=60` (IETF draft).'),
    "Retry-After": {
        "description": "Seconds to wait before a retry.",
        "schema": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 86400},
    },
    "ETag": _text('The version, `"v7"`.', 80),
    "Location": _text("The path of the new resource.", 2048),
    "Link": _text('The next page: `<…>; rel="next"`.', 8192),
    "WWW-Authenticate": _text("The authentication scheme, and why a token was refused.", 400),
    "Content-Language": _text("The language of title and details: `fr` or `en`.", 8),
    "Idempotency-Replayed": _text("`true`: the answer to an earlier request with this key.", 8),
}
PARAMETERS: dict[str, dict[str, Any]] = {
    "Idempotency-Key": {
        "description": "A new key for each effect. The same key and body within 24 h get the first answer again.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{16,255}$", "minLength": 16, "maxLength": 255},
    },
    "If-Match": {
        "description": 'The version that the change is based on, `"v7"`, or `*`.',
        "schema": {"type": "string", "pattern": r'^(\*|"v[1-9][0-9]{0,9}")$', "maxLength": 13},
    },
    "If-None-Match": {
        "description": "The versions that the caller has; `*` with a PUT: only create.",
        "schema": {"type": "string", "maxLength": MAX_HEADERS},
    },
}


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the whole document. HEAD is left out: it works wherever GET does."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Duplicate Operation ID")  # of GET and HEAD
        app.openapi_schema = None
        document = FastAPI.openapi(app)
        app.openapi_schema = None
    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    for path, operations in document["paths"].items():
        if operations.pop("head", None):
            operations["get"]["operationId"] = re.sub("_(get|head)$", "_get", operations["get"]["operationId"])
        for method, operation in operations.items():
            route = next(one for one in routes if one.path_format == path and method.upper() in (one.methods or ()))
            _restore_examples(operation, route)
            _describe_operation(operation, route, method.upper())
    schemas = document["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = ProblemDocument.model_json_schema(ref_template=_SCHEMA + "{model}")
    schemas |= schemas["Problem"].pop("$defs")
    _bound(document, max((accepted(route.endpoint) for route in routes), key=lambda takes: takes.limits.string))
    problems = {str(status): _problem(status) for status in STATUSES if status >= 400}
    referring = json.dumps([document["paths"], problems])
    document["components"] |= {
        "responses": {
            status: problem for status, problem in problems.items() if f"#/components/responses/{status}" in referring
        },
        "headers": {name: header for name, header in HEADERS.items() if f'#/components/headers/{name}"' in referring},
        "securitySchemes": {
            "bearer": {
                "type": "http",
                "scheme": "bearer",
                "description": "An access token or an API key, as `Authorization: Bearer …`.",
            },
            "internal": {
                "type": "http",
                "scheme": "bearer",
                "description": "The internal token of the installation, from this machine.",
            },
        },
    }
    document["servers"] = [
        {"url": "/", "description": "The gateway, in production as in a local run.", "x-internal": False}
    ]
    document["tags"] = [{"name": name, "description": text} for name, text in sorted(_tags(routes).items())]
    document["info"] |= {
        "description": f"{app.summary} Times are in UTC. Errors are problem details (RFC 9457) in French or English;"
        " they never repeat what was sent.",
        "contact": {"name": "The coordination of the network"},
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }
    return document


def _restore_examples(operation: dict[str, Any], route: APIRoute) -> None:
    """Put the examples of answers in as the route gives them: FastAPI leaves out their null values."""
    for status, answer in route.responses.items():
        for media_type, content in answer.get("content", {}).items():
            if "example" in content:
                operation["responses"][str(status)]["content"][media_type]["example"] = content["example"]


def _describe_operation(operation: dict[str, Any], route: APIRoute, method: str) -> None:
    takes, key, dependant = accepted(route.endpoint), keyed(route.endpoint), route.dependant
    resource, action = policy_of(route.dependant) or ("health", "read")
    limited = kind_of(resource, action) is not None
    answers = operation["responses"]
    answers.pop("422", None)
    good = {status: answer for status, answer in answers.items() if status.startswith("2")}
    headers = ["X-Request-Id"] + (["RateLimit", "RateLimit-Policy"] if limited else [])
    has_version, has_cache = requires_version(dependant), answers_unchanged(dependant)
    more = (["ETag"] if has_version or has_cache else []) + (["Idempotency-Replayed"] if key else [])
    more += ["Link"] if any(one.alias == "cursor" for one in route.dependant.query_params) else []
    for status, answer in good.items():
        named = (
            headers
            + [name for name in more if status != "204" or name != "ETag"]
            + (["Location"] if status == "201" else [])
        )
        answer["headers"] = {
            **{name: {"$ref": f"#/components/headers/{name}"} for name in named},
            **answer.get("headers", {}),
        }
    if has_cache:
        answers["304"] = {"description": STATUSES[304], "headers": {"ETag": {"$ref": "#/components/headers/ETag"}}}
    for status, answer in answers.items():
        if status >= "4" and answer.get("content"):  # not a problem document
            answer["headers"] = {
                **{name: {"$ref": f"#/components/headers/{name}"} for name in headers},
                **answer.get("headers", {}),
            }
    for status in sorted(
        {
            *_refusals(route, method),
            *(int(one) for one in answers if one.isdigit() and int(one) in STATUSES and int(one) >= 400),
        }
    ):
        if not answers.get(str(status), {}).get("content"):
            answers[str(status)] = {"$ref": f"#/components/responses/{status}"}
    operation["responses"] = dict(sorted(answers.items()))
    parameters = (["Idempotency-Key"] if key else []) + (["If-Match"] if has_version else [])
    parameters += ["If-None-Match"] if has_cache or (has_version and "201" in good) else []
    needed = {"Idempotency-Key", "If-Match"} if has_version and "201" not in good else {"Idempotency-Key"}
    for name in parameters:
        operation.setdefault("parameters", []).append(
            {"name": name, "in": "header", "required": name in needed, **PARAMETERS[name]}
        )
    operation["security"] = _security(TABLE[resource, action])
    if "requestBody" in operation:
        _describe_body(operation["requestBody"], takes)


def _describe_body(body: dict[str, Any], takes: Accepted) -> None:
    seconds = "" if takes.seconds is None else f", answered within {takes.seconds:g} s"
    body["description"] = (
        f"At most {takes.body_bytes // 1024} KiB, {MAX_DEPTH} levels, {takes.limits.nodes} values,"
        f" {takes.limits.array} items in a list and {takes.limits.string} characters in a text, unless a field allows"
        f" less; received within {takes.body_seconds:g} s{seconds}."
    )
    body["x-max-bytes"] = takes.body_bytes


def _refusals(route: APIRoute, method: str) -> Iterator[int]:
    resource, action = policy_of(route.dependant) or ("health", "read")
    yield from (400, 401, 406, 414, 431, 500, 503)
    if kind_of(resource, action) is not None:
        yield 429
    if not _is_open(TABLE[resource, action].get("public")):
        yield from (403, 404)
    if route.param_convertors:
        yield 404
    if method in WITH_BODY:
        yield from (408, 413, 415)
        if route.body_field is not None or "requestBody" in (route.openapi_extra or {}):
            yield 422
    if action == "write":
        yield from (409, 507)
    if keyed(route.endpoint):
        yield 422
    if requires_version(route.dependant):
        yield from (412, 428)


def _security(grants: Mapping[str, Grant]) -> list[dict[str, list[str]]]:
    if set(grants) == {"service"}:
        return [{"internal": []}]
    return ([{}] if "public" in grants else []) + [{"bearer": []}]


def _is_open(grant: Grant | None) -> bool:
    """Return whether every caller may call, from anywhere."""
    return grant is not None and grant.place == "anywhere"


def _problem(status: int) -> dict[str, Any]:
    names = ["X-Request-Id", "Content-Language"] + ([] if status == 500 else ["RateLimit", "RateLimit-Policy"])
    names += {401: ["WWW-Authenticate"], 409: ["Retry-After"], 429: ["Retry-After"], 503: ["Retry-After"]}.get(
        status, []
    )
    return {
        "description": STATUSES[status],
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        "content": {MEDIA_TYPE: {"schema": {"$ref": _SCHEMA + "Problem"}}},
    }


def _tags(routes: list[APIRoute]) -> dict[str, str]:
    """Return each tag with the first sentence of its module."""
    return {
        str(tag): (sys.modules[route.endpoint.__module__].__doc__ or str(tag)).split("\n\n")[0].strip()
        for route in routes
        for tag in route.tags
    }


def _bound(document: dict[str, Any], takes: Accepted) -> None:
    """Write the general limits of bodies and answers into schemas that have none of their own."""
    sent = _reached(
        [operation.get("requestBody", {}) for path in document["paths"].values() for operation in path.values()],
        document,
    )
    for name, schema in document["components"]["schemas"].items():
        ends = (takes.limits.string, MAX_ARRAY) if name in sent else (MAX_ANSWER_STRING, MAX_ANSWER_ARRAY)
        _bound_schema(schema, *ends)
    for path in document["paths"].values():
        for operation in path.values():
            _bound_schema([operation.get("parameters", []), operation.get("requestBody", {})], MAX_URI, MAX_ARRAY)
            _bound_schema(
                [answer for answer in operation["responses"].values() if "$ref" not in answer],
                MAX_ANSWER_STRING,
                MAX_ANSWER_ARRAY,
            )


def _reached(roots: list[Any], document: dict[str, Any]) -> set[str]:
    """Return the names of the schemas that these refer to, directly or indirectly."""
    found: set[str] = set()
    pending = list(roots)
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            name = str(value.get("$ref", "")).removeprefix(_SCHEMA)
            if name in document["components"]["schemas"] and name not in found:
                found.add(name)
                pending.append(document["components"]["schemas"][name])
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
    return found


_LENGTHS = {"date": 10, "date-time": 40, "uuid": 36}
# Pydantic writes the bounds of a number of either type in its own words, which JSON Schema does not know.
_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


def _bound_schema(value: Any, string: int, array: int) -> None:
    if isinstance(value, list):
        for one in value:
            _bound_schema(one, string, array)
        return
    if not isinstance(value, dict):
        return
    kind = value.get("type")
    if "anyOf" in value:
        bounds = {keyword: value.pop(word) for word, keyword in _BOUNDS.items() if word in value}
        if "exclusiveMinimum" in bounds:
            bounds.pop("minimum", None)  # of the wider type, which this one narrows
        for number in value["anyOf"] if bounds else ():
            number.update(bounds)
    if kind == "string" and not {"enum", "const", "maxLength"} & set(value):
        value["maxLength"] = _LENGTHS.get(value.get("format", ""), string)
    elif kind == "array" and "maxItems" not in value:
        value["maxItems"] = array
    elif kind == "integer" and "enum" in value:
        value |= {"format": "int32", "minimum": min(value["enum"]), "maximum": max(value["enum"])}
    elif kind == "integer" and "const" not in value:
        value.setdefault("format", "int64")
        if "exclusiveMinimum" not in value:
            value.setdefault("minimum", -MAX_INTEGER)
        if "exclusiveMaximum" not in value:
            value.setdefault("maximum", MAX_INTEGER)
    for name, one in value.items():
        if name not in {"enum", "const", "default", "example", "examples"}:
            _bound_schema(one, string, array)
