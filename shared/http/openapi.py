"""What a service says of itself in OpenAPI 3.1: FastAPI's description, and what the edge does for every route, taken from the same marks.

Nothing of this is written by hand on a route: statuses, headers and who may call follow from policy, media types, limits, keys and versions.
"""

import inspect
import json
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
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
from shared.idempotency.marks import keyed
from shared.values.problems import ProblemDocument
from shared.values.strict_json import MAX_ARRAY, MAX_DEPTH, MAX_INTEGER, MAX_NODES

# What stands in answers alone was never held against the limits of a body.
MAX_ANSWER_STRING = 256 * 1024
MAX_ANSWER_ARRAY = MAX_NODES
_SCHEMA = "#/components/schemas/"

STATUSES: dict[int, str] = {
    304: "The caller holds this version already.",
    400: "A parameter, a header or the JSON is malformed.",
    401: "A token is missing or not one of ours.",
    403: "Readable, and not to be changed by this caller.",
    404: "Unknown, or not readable by this caller.",
    406: "No representation that `Accept` allows.",
    408: "The body did not arrive in time.",
    409: "In conflict with the state of the resource, or a request with the same key is under way.",
    410: "Gone.",
    412: "The version in `If-Match` is not the current one, or what shall be created exists.",
    413: "The body is too large.",
    414: f"The address is longer than {MAX_URI // 1024} KiB.",
    415: "Another media type, charset or content encoding than is taken.",
    422: "Well-formed, and refused: each fault with its JSON Pointer.",
    428: "`If-Match` is missing.",
    429: "Too many requests of this caller.",
    431: f"The headers are larger than {MAX_HEADERS // 1024} KiB.",
    500: "A fault of the program; the request id finds it in the log.",
    503: "Busy, or not able to answer now.",
    507: "No room left to write: nothing was changed.",
}


def _text(description: str, length: int = 200, **more: Any) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string", "maxLength": length, **more}}


HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": _text("The id of the request, as in logs and in the record; a good one that was sent is kept.", 64),
    "RateLimit": _text('What is left, by kind of request: `"read";r=1199;t=1` (IETF draft).'),
    "RateLimit-Policy": _text('The quota: `"read";q=1200;w=60` (IETF draft).'),
    "Retry-After": {
        "description": "Seconds to wait.",
        "schema": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 86400},
    },
    "ETag": _text('The version, `"v7"`.', 80),
    "Location": _text("Where the new resource is.", 2048),
    "Link": _text('The next page: `<…>; rel="next"`.', 8192),
    "WWW-Authenticate": _text("How to authenticate.", 400),
    "Content-Language": _text("The language of title and details: `fr` or `en`.", 8),
    "Idempotency-Replayed": _text("`true`: the answer to an earlier request with this key.", 8),
}
PARAMETERS: dict[str, dict[str, Any]] = {
    "Idempotency-Key": {
        "description": "One for each effect. Sent again within 24 h with the same body, the first answer is told again.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{16,255}$", "minLength": 16, "maxLength": 255},
    },
    "If-Match": {
        "description": 'The version that the change was made from, `"v7"`, or `*`.',
        "schema": {"type": "string", "pattern": r'^(\*|"v[1-9][0-9]{0,9}")$', "maxLength": 13},
    },
    "If-None-Match": {
        "description": "The versions that the caller holds; `*` with a change: only to create.",
        "schema": {"type": "string", "maxLength": MAX_HEADERS},
    },
}


def describe(app: FastAPI) -> dict[str, Any]:
    """The whole document. HEAD is left out: it works wherever GET does."""
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
    told = json.dumps([document["paths"], problems])
    document["components"] |= {
        "responses": {
            status: problem for status, problem in problems.items() if f"#/components/responses/{status}" in told
        },
        "headers": {name: header for name, header in HEADERS.items() if f'#/components/headers/{name}"' in told},
        "securitySchemes": {
            "bearer": {
                "type": "http",
                "scheme": "bearer",
                "description": "An access token or an API key, as `Authorization: Bearer …`.",
            },
            "internal": {
                "type": "http",
                "scheme": "bearer",
                "description": "The installation's own token, from this machine.",
            },
        },
    }
    document["servers"] = [
        {"url": "/", "description": "The gateway, in production as in a local run.", "x-internal": False}
    ]
    document["tags"] = [{"name": name, "description": text} for name, text in sorted(_tags(routes).items())]
    document["info"] |= {
        "description": f"{app.summary} Times are in UTC. Errors are problem details (RFC 9457) in French or English and never repeat what was sent.",
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
    takes, key, versions = accepted(route.endpoint), keyed(route.endpoint), _versions(route.endpoint)
    resource, action = policy_of(route.dependant) or ("health", "read")
    limited = kind_of(resource, action) is not None
    answers = operation["responses"]
    answers.pop("422", None)
    good = {status: answer for status, answer in answers.items() if status.startswith("2")}
    headers = ["X-Request-Id"] + (["RateLimit", "RateLimit-Policy"] if limited else [])
    more = (["ETag"] if versions else []) + (["Idempotency-Replayed"] if key else [])
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
    if "unchanged" in versions:
        answers["304"] = {"description": STATUSES[304], "headers": {"ETag": {"$ref": "#/components/headers/ETag"}}}
    for status, answer in answers.items():
        if status >= "4" and answer.get("content"):  # one that is no problem document
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
    parameters = (["Idempotency-Key"] if key else []) + (["If-Match"] if "required_version" in versions else [])
    parameters += (
        ["If-None-Match"] if "unchanged" in versions or ("required_version" in versions and "201" in good) else []
    )
    needed = (
        {"Idempotency-Key"} if "201" in good or "required_version" not in versions else {"Idempotency-Key", "If-Match"}
    )
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
        f"At most {takes.body_bytes // 1024} KiB, {MAX_DEPTH} levels, {takes.limits.nodes} values, {takes.limits.array} items in a list and"
        f" {takes.limits.string} characters in a text, unless a field says less; arrived within {takes.body_seconds:g} s{seconds}."
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
    if "required_version" in _versions(route.endpoint):
        yield from (412, 428)


def _security(grants: Mapping[str, Grant]) -> list[dict[str, list[str]]]:
    if set(grants) == {"service"}:
        return [{"internal": []}]
    return ([{}] if "public" in grants else []) + [{"bearer": []}]


def _is_open(grant: Grant | None) -> bool:
    """Whether anybody may call, from anywhere."""
    return grant is not None and grant.place == "anywhere"


def _versions(endpoint: Callable[..., Any]) -> frozenset[str]:
    """Which of `shared.http.versions` a handler calls, itself or through functions of its module: what it needs of `If-Match` and `If-None-Match` follows
    from that, and from nothing else.
    """
    called: set[str] = set()
    pending = [endpoint]
    while pending:
        names = set(pending.pop().__code__.co_names) - called
        called |= names
        known = (endpoint.__globals__.get(name) for name in names)
        pending += [one for one in known if inspect.isfunction(one) and one.__module__ == endpoint.__module__]
    return frozenset(called) & {"required_version", "unchanged"}


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
    """Each tag with the sentence that its module begins with."""
    return {
        str(tag): (sys.modules[route.endpoint.__module__].__doc__ or str(tag)).split("\n\n")[0].strip()
        for route in routes
        for tag in route.tags
    }


def _bound(document: dict[str, Any], takes: Accepted) -> None:
    """Write down the limits that hold for every value of a body where a field says none of its own, and those of answers."""
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
    """The names of the schemas that these refer to, directly or not."""
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
# What pydantic calls the bounds of a number that is of either type; no schema knows these words.
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
            bounds.pop("minimum", None)  # of a wider type that this one narrows
        for number in value["anyOf"] if bounds else ():
            number.update(bounds)
    if kind == "string" and not {"enum", "const", "maxLength"} & set(value):
        value["maxLength"] = _LENGTHS.get(value.get("format", ""), string)
    elif kind == "array" and "maxItems" not in value:
        value["maxItems"] = array
    elif kind == "integer" and "enum" not in value and "const" not in value:
        value.setdefault("format", "int64")
        if "exclusiveMinimum" not in value:
            value.setdefault("minimum", -MAX_INTEGER)
        if "exclusiveMaximum" not in value:
            value.setdefault("maximum", MAX_INTEGER)
    for name, one in value.items():
        if name not in {"enum", "const", "default", "example", "examples"}:
            _bound_schema(one, string, array)
