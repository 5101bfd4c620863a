"""Traces across the real programs, received by a real collector."""

import json
import secrets
from collections.abc import Callable
from typing import TypeVar

from shared.tracing.export import ATTRIBUTES
from tests.collector import Received
from tests.e2e.conftest import ROOT, Receiver, Traced, eventually

T = TypeVar("T")
BOY = (ROOT / "docs" / "examples" / "duchenne-boy.json").read_bytes()
TRIAL = "NCT05096221"
PATCHED = "PATCH /registry/v1/trials/{identifier}"


def arriving(read: Callable[[], T], seconds: float = 20) -> T:
    """Return the received spans once there are any."""
    assert eventually(lambda: bool(read()), seconds)
    return read()


def caller() -> tuple[str, str, dict[str, str]]:
    trace, span = secrets.token_hex(16), secrets.token_hex(8)
    return trace, span, {"traceparent": f"00-{trace}-{span}-01", "tracestate": "vendor=told", "baggage": "patient=told"}


def log_lines(traced: Traced, request_id: str) -> list[dict[str, str]]:
    """Return the log lines of the services for one request."""
    traced.system.read_until(request_id)
    return [json.loads(line.partition(" | ")[2]) for line in traced.system.lines if request_id in line]


def test_one_trace_joins_a_change_through_the_gateway_with_matching_and_the_delivery(
    traced: Traced, receiver: Receiver
) -> None:
    with traced.system.client(as_admin=True) as admin:
        wanted = {"channel": {"type": "webhook", "url": receiver.url}, "types": ["trial.status_changed"]}
        assert (
            admin.post(
                "/notifications/v1/subscriptions", json=wanted, headers={"Idempotency-Key": "subscription-of-the-trace"}
            ).status_code
            == 201
        )
        trace, span, headers = caller()
        content = {
            "If-Match": "*",
            "Content-Type": "application/merge-patch+json",
            "X-Request-Id": "change-of-the-trace",
        }
        changed = admin.patch(
            f"/registry/v1/trials/{TRIAL}", content=b'{"status": "suspended"}', headers={**headers, **content}
        )
        assert changed.status_code == 200, changed.text
    spans = traced.collector.spans

    [write] = arriving(lambda: spans(PATCHED, trace=trace))
    assert (write.service, write.kind, write.parent, write.failed) == ("registry", "server", span, False)
    assert write.attributes == {
        "http.request.method": "PATCH",
        "http.route": "/registry/v1/trials/{identifier}",
        "http.response.status_code": 200,
    }
    [logged] = log_lines(traced, "change-of-the-trace")
    assert logged["trace_id"] == trace

    # Matching applies the change and reads the trial from the registry: in the same trace, hop by hop.
    [applied] = arriving(lambda: spans("apply feed", trace=trace, service="matching"))
    assert (applied.kind, applied.parent) == ("consumer", write.id)
    calls = {one.id for one in spans("GET registry", trace=trace, parent=applied.id)}
    assert calls
    answers = arriving(lambda: spans(trace=trace, service="registry", name="GET /registry/v1/trials/{identifier}"))
    assert {one.parent for one in answers} <= calls

    # And notifications: the batch of the feed, then the delivery.
    [batch] = arriving(lambda: spans("apply feed", trace=trace, service="notifications"))
    assert batch.parent == write.id
    [delivered] = arriving(lambda: spans("deliver", trace=trace))
    assert (delivered.service, delivered.parent) == ("notifications", write.id)
    assert delivered.attributes == {"cleio.attempt": 1, "http.response.status_code": 204}
    assert eventually(lambda: bool(receiver.got), 5)
    assert not {"traceparent", "tracestate", "baggage"} & receiver.got[0][0].keys(), (
        "a subscriber receives nothing of our traces"
    )
    assert b"traceparent" not in receiver.got[0][1]


def test_the_trace_of_a_public_caller_is_not_continued(traced: Traced) -> None:
    trace, _, headers = caller()
    with traced.system.client() as public:
        sent = {**headers, "Content-Type": "application/json", "X-Request-Id": "match-of-the-trace"}
        assert eventually(lambda: public.get("/matching/readyz").status_code == 200, 20)
        answer = public.post("/matching/v1/match", content=BOY, headers=sent)
        assert (answer.status_code, answer.headers["x-request-id"]) == (200, "match-of-the-trace")
    [logged] = log_lines(traced, "match-of-the-trace")
    [span] = arriving(lambda: traced.collector.spans("POST /matching/v1/match", trace=logged["trace_id"]))
    assert (span.kind, span.parent, span.links, span.service) == ("server", "", (), "matching")
    assert traced.collector.spans(trace=trace) == []
    audited = (traced.system.folder / "audit" / "matching.entries.ndjson").read_text()
    assert "match-of-the-trace" in audited


def test_spans_contain_only_known_names(traced: Traced) -> None:
    with traced.system.client() as public, traced.system.client(as_admin=True) as admin:
        public.get(f"/registry/v1/trials/{TRIAL}?fields=id", headers={"User-Agent": "told-in-a-header"})
        public.get("/registry/v1/trials?q=told-in-a-query&limit=1")
        public.get("/registry/v1/told-in-a-path")
        public.post("/matching/v1/match", json={"told_in_a_body": "told-in-a-body"})
        admin.patch(f"/registry/v1/trials/{TRIAL}", json={"told": 1})

    def arrived() -> list[Received]:
        return [one for one in traced.collector.spans() if one.attributes.get("http.response.status_code") == 404]

    arriving(arrived)
    everything = traced.collector.spans()
    assert {name for one in everything for name in one.attributes} <= ATTRIBUTES
    assert not any(one.events for one in everything)
    assert not any(one.name.endswith(("/livez", "/readyz", "/metrics")) for one in everything), "health has no span"
    for resource in traced.collector.resources:
        assert resource.keys() == {"service.name", "service.namespace", "service.version", "service.instance.id"}
    sent = b"".join(traced.collector.bodies)
    for secret in (b"told", b"vendor", TRIAL.encode(), str(traced.system.port).encode(), b"127.0.0.1"):
        assert secret not in sent
