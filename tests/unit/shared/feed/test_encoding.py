"""The JSON of an entry, whatever its texts contain."""

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from shared.feed import Entry
from shared.feed.encoding import encode_event
from shared.values.wire import write_instant

TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
ROUTING = st.fixed_dictionaries(
    {"audience": st.lists(TEXT, max_size=3), "facets": st.dictionaries(TEXT, st.lists(TEXT, max_size=3), max_size=3)}
)


@given(
    identifier=TEXT,
    event_type=TEXT,
    version=st.integers(1, 2**31),
    at=st.datetimes(datetime(2025, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  made aware
    changed=st.lists(TEXT, max_size=3),
    extra=st.dictionaries(TEXT.map(lambda name: f"x-{name}"), TEXT, max_size=2),
    before=ROUTING,
    after=ROUTING,
    tombstone=st.booleans(),
    with_routing=st.booleans(),
)
def test_an_entry_becomes_a_cloudevent(
    identifier: str,
    event_type: str,
    version: int,
    at: datetime,
    changed: list[str],
    extra: dict[str, str],
    before: dict[str, object],
    after: dict[str, object],
    tombstone: bool,
    with_routing: bool,
) -> None:
    entry = Entry(
        (
            7,
            "0a",
            event_type,
            f"trial/{identifier}",
            version,
            at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            *map(json.dumps, (changed, extra, before, after)),
        )
    )
    data = {"op": "upsert", "id": identifier, "version": version, "changed": changed, **extra}
    expected = {
        "specversion": "1.0",
        "id": "0a",
        "source": "/registry",
        "type": "trial.removed" if tombstone else event_type,
        "subject": f"trial/{identifier}",
        "time": write_instant(at),
        "datacontenttype": "application/json",
        "data": {"op": "delete", "id": identifier} if tombstone else data,
    }
    if with_routing:
        expected["routing"] = {"before": before, "after": after}
    for _ in range(2):  # the second one is remembered
        event = encode_event(entry, "/registry", tombstone=tombstone, with_routing=with_routing)
        assert json.loads(event) == expected
