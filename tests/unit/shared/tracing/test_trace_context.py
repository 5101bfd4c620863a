"""`traceparent` as W3C Trace Context writes it."""

import pytest

from shared.tracing import TraceContext, calling, cause_of, current, remember, working

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(("flags", "sampled"), [("01", True), ("00", False), ("03", True), ("02", False)])
def test_a_header_is_read(flags: str, sampled: bool) -> None:
    assert TraceContext.read(f"00-{TRACE}-{SPAN}-{flags}") == TraceContext(TRACE, SPAN, sampled)


@pytest.mark.parametrize(
    "header",
    [
        None,
        7,
        "",
        "anything",
        f"01-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01\n",
    ],
)
def test_any_other_header_starts_no_trace(header: object) -> None:
    assert TraceContext.read(header) is None


def test_a_header_is_the_same_after_writing_and_reading() -> None:
    for place in (TraceContext.after(None), TraceContext.after(TraceContext(TRACE, SPAN, sampled=True))):
        assert TraceContext.read(place.write()) == place
    assert TraceContext.after(TraceContext(TRACE, SPAN, sampled=True)).trace == TRACE
    assert TraceContext.after(None).trace != TraceContext.after(None).trace


def test_without_an_export_no_span_is_made() -> None:
    with working("step", [TraceContext(TRACE, SPAN, sampled=True)]), calling("GET", "registry") as call:
        assert call.headers == {}
        assert current() is None
        remember("entry")
        remember("other", TraceContext(TRACE, SPAN, sampled=False))
    assert cause_of("entry") is None
    assert cause_of("other") is None
