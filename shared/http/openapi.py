"""The OpenAPI 3.1 document of a service: FastAPI's description, completed by what `shared.http.route` does.

Nothing of this is written by hand on a route: statuses, headers and security follow from its policy, marks and
dependencies.
"""

import json
import warnings
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from shared.access.policy import TABLE, Action, Grant
from shared.http.guards import policy_of
from shared.http.limits.quotas import kind_of
from shared.http.marks import Accepted, accepted
from shared.http.openapi_examples import Examples, add_examples, problem_example, read_examples
from shared.http.openapi_schemas import SCHEMA, bound, reached, unite_sides
from shared.http.openapi_security import is_internal, schemes_of, security_of
from shared.http.problem_responses import MEDIA_TYPE
from shared.http.rules import RouteRules
from shared.http.stages.body import WITH_BODY
from shared.http.stages.head import MAX_HEADERS, MAX_URI
from shared.http.versions import answers_unchanged, requires_version
from shared.idempotency.marks import keyed
from shared.values.problems import ProblemDocument
from shared.values.strict_json import MAX_DEPTH

NDJSON = "application/x-ndjson"
# Bodies that are no JSON: their form is described in words.
FILES: dict[str, dict[str, Any]] = {
    "text/csv": {"schema": {"type": "string", "description": "A table; its first line has the headings."}},
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {
        "schema": {"type": "string", "format": "binary", "description": "A workbook; its first sheet is read."}
    },
}

# The groups of operations, in the order in which they are shown.
TAGS: dict[str, str] = {
    "match": "Find the trials for a patient. Nothing is stored.",
    "criteria": "Help for authors of criteria. Nothing is stored.",
    "trials": "Trials, their criteria and their sites.",
    "centres": "The centres of the network.",
    "capabilities": "What centres can do, which are able to give the product of a trial, and its follow-up.",
    "submissions": "Dossiers of studies, from a sponsor's draft to a published trial.",
    "activation": "How the sites of a trial are authorised and opened.",
    "coverage": "How near open sites are to the people of France.",
    "terminology": "The concepts that trials are coded with.",
    "feed": "Keep a copy of the registry: load the export, then follow the feed of changes.",
    "subscriptions": "Subscribe a webhook to changes.",
    "mail": "Subscribe an address to changes by e-mail, and the links in its messages.",
    "deliveries": "What was sent to a subscription, and a test event.",
    "identity": "Access tokens, the keys and metadata of their issuer, and the rights of the caller.",
    "organisations": "Hospitals, centres, sponsors and others that take part.",
    "clients": "The programs of an organisation: their keys and rights.",
    "members": "The people who act for an organisation.",
    "fhir": "The same over FHIR R4: trials as ResearchStudy, and the match operation.",
    "cds-hooks": "CDS Hooks 2.0: trials inside the screen of an EHR.",
    "reports": "How long each step takes, and counts for sponsors.",
    "sources": "Import of records from other registries.",
    "places": "Which places the facilities of records are, as people say.",
    "feasibility": "What centres are asked about dossiers, and what they answer.",
    "referrals": "Patients referred to a trial at a centre: random references, states and dates.",
    "worklist": "What waits for the caller, and when it is due.",
    "safety holds": "Stops of new requests, places and inclusions.",
    "enrolment": "Places of enrolments, manufacturing slots, and who waits.",
    "reviews": "What waits for the decision of a person.",
    "duplicates": "Merge trials that are one, and assign records to trials.",
    "audit": "Who did what: an organisation reads about its own callers, the coordination about all.",
    "operations": "Health checks.",
    "internal": "Calls between the services of one installation.",
}
# Instead of FastAPI's own words, where a route does not describe its answer.
SUCCESSES = {
    "200": "The request succeeded.",
    "201": "The resource was created.",
    "202": "The request was accepted.",
    "204": "The request succeeded; there is no content.",
}
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
    "ETag": _text('The version, `"v7"`; of a list a hash of its content, `W/"9f86d0…"`.', 80),
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


def describe(app: FastAPI, *, internal: bool = False) -> dict[str, Any]:
    """Return the whole document. HEAD is left out: it works wherever GET does.

    ``internal``: with the routes that the gateway does not serve: metrics, backup, calls between services.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Duplicate Operation ID")  # of GET and HEAD
        app.openapi_schema = None
        document = FastAPI.openapi(app)
        app.openapi_schema = None
    routes = [route for route in app.routes if isinstance(route, APIRoute) and (internal or not _is_internal(route))]
    schemas = document["components"]["schemas"]
    document["paths"] = _operations(document["paths"], routes, schemas, read_examples(app.state.examples))
    schemas["Problem"] = _schema_of(ProblemDocument, schemas)
    problems = {str(status): _problem(status) for status in STATUSES if status >= 400}
    referring = json.dumps([document["paths"], problems])
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    document["components"] |= {
        "schemas": _reachable(schemas, [operations, schemas["Problem"]]) | {"Problem": schemas["Problem"]},
        "responses": {
            status: problem for status, problem in problems.items() if f"#/components/responses/{status}" in referring
        },
        "headers": {name: header for name, header in HEADERS.items() if f'#/components/headers/{name}"' in referring},
        "securitySchemes": schemes_of(operation["security"] for operation in operations),
    }
    document = unite_sides(document)
    described = (takes for route in routes if (takes := accepted(route.endpoint)).limits.described)
    bound(document, max(described, key=lambda takes: takes.limits.string))
    document["servers"] = [
        {"url": "/", "description": "The gateway, in production as in a local run.", "x-internal": False}
    ]
    used = {str(tag) for route in routes for tag in route.tags}
    document["tags"] = [{"name": name, "description": text} for name, text in TAGS.items() if name in used]
    document["info"] |= {
        "description": "Times are in UTC. Errors are problem details (RFC 9457) in French or English; they never repeat"
        " what was sent. Clients ignore fields and event types that they do not know.",
        "contact": {"name": "The coordination of the network"},
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }
    return document


def _is_internal(route: APIRoute) -> bool:
    resource, action = _policy(route)
    return is_internal(resource, action) or bool((route.openapi_extra or {}).get("x-internal"))


def _policy(route: APIRoute) -> tuple[str, Action]:
    return policy_of(route.dependant) or ("health", "read")


def _operations(
    paths: dict[str, Any], routes: list[APIRoute], schemas: dict[str, Any], examples: Examples
) -> dict[str, Any]:
    """Return the paths of these routes, with each operation completed."""
    found: dict[str, Any] = {}
    for route in routes:
        for method in sorted((route.methods or set()) - {"HEAD"}):
            operation = found.setdefault(route.path_format, {})[method.lower()] = paths[route.path_format][
                method.lower()
            ]
            # The name of the handler: generated clients name their functions after it.
            operation["operationId"] = route.name
            _describe_operation(operation, route, method, schemas)
            add_examples(operation, route, examples)
    return found


def _schema_of(model: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a model that FastAPI does not know of; the models inside it go to ``schemas``."""
    schema = TypeAdapter(model).json_schema(ref_template=SCHEMA + "{model}")
    for name, inner in schema.pop("$defs", {}).items():
        schemas.setdefault(name, inner)
    return schema


def _reachable(schemas: dict[str, Any], roots: Any) -> dict[str, Any]:
    names = reached(roots, schemas)
    return {name: schema for name, schema in schemas.items() if name in names}


def _describe_operation(operation: dict[str, Any], route: APIRoute, method: str, schemas: dict[str, Any]) -> None:
    takes, key, dependant = accepted(route.endpoint), keyed(route.endpoint), route.dependant
    resource, action = _policy(route)
    limited = kind_of(resource, action) is not None
    answers = operation["responses"]
    answers.pop("422", None)
    good = {status: answer for status, answer in answers.items() if status.startswith("2")}
    headers = ["X-Request-Id"] + (["RateLimit", "RateLimit-Policy"] if limited else [])
    has_version, has_cache = requires_version(dependant), answers_unchanged(dependant)
    more = (["ETag"] if has_version or has_cache else []) + (["Idempotency-Replayed"] if key else [])
    more += ["Link"] if "cursor" in RouteRules.of(route).query_names else []
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
    operation["security"] = security_of(resource, action)
    if takes.model is not None:
        schema = schemas[takes.model.__name__] = _schema_of(takes.model, schemas)
        del schema["title"]
        reference = {"schema": {"$ref": SCHEMA + takes.model.__name__}}
        content = {one: dict(FILES[one]) if one in FILES else dict(reference) for one in takes.media_types}
        operation["requestBody"] = {"required": True, "content": content}
    if "requestBody" in operation:
        _describe_body(operation["requestBody"], takes)
        _describe_lines(operation["requestBody"])
    for status, answer in good.items():
        if answer["description"] == "Successful Response":
            answer["description"] = SUCCESSES[status]
        _describe_lines(answer)


def _describe_body(body: dict[str, Any], takes: Accepted) -> None:
    seconds = "" if takes.seconds is None else f", answered within {takes.seconds:g} s"
    body["description"] = (
        f"At most {takes.body_bytes // 1024} KiB, {MAX_DEPTH} levels, {takes.limits.nodes} values,"
        f" {takes.limits.array} items in a list and {takes.limits.string} characters in a text, unless a field allows"
        f" less; received within {takes.body_seconds:g} s{seconds}."
    )
    body["x-max-bytes"] = takes.body_bytes


def _describe_lines(body: dict[str, Any]) -> None:
    """Describe newline-delimited JSON: the schema is that of one line, as `itemSchema` is in OpenAPI 3.2."""
    content = body.get("content", {}).get(NDJSON)
    if content is not None:
        content["x-itemSchema"] = content["schema"]
        content["schema"] = {"type": "string", "description": "One JSON object on each line."}


def _refusals(route: APIRoute, method: str) -> Iterator[int]:
    resource, action = _policy(route)
    yield from (400, 401, 406, 414, 431, 500, 503)
    if kind_of(resource, action) is not None:
        yield 429
    if not _is_open(TABLE[resource, action].get("public")):
        yield from (403, 404)
    if route.param_convertors:
        yield 404
    if method in WITH_BODY:
        yield from (408, 413, 415)
        if route.body_field is not None or accepted(route.endpoint).model is not None:
            yield 422
    if action == "write":
        yield from (409, 507)
    if keyed(route.endpoint):
        yield 422
    if requires_version(route.dependant):
        yield from (412, 428)


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
        "content": {MEDIA_TYPE: {"schema": {"$ref": SCHEMA + "Problem"}, "example": problem_example(status)}},
    }
