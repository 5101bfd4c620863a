"""Entries as CloudEvents in JSON."""

import json

from shared.feed.log import Entry
from shared.tracing import cause_of

_quote = json.JSONEncoder(ensure_ascii=False).encode


def encode_event(entry: Entry, source: str, *, tombstone: bool, with_routing: bool) -> bytes:
    """Return one entry as a CloudEvents 1.0 object in JSON (UTF-8), made once for each kind of reader.

    A tombstone contains only the subject. ``with_routing`` adds who may read the subject and the trace that caused the
    change, for services that decide for subscribers of their own.
    """
    kind = tombstone, with_routing
    if entry.encoded is None:
        entry.encoded = {}
    found = entry.encoded.get(kind)
    if found is None:
        found = entry.encoded[kind] = _encode(entry, source, tombstone, with_routing)
    return found


def _encode(entry: Entry, source: str, tombstone: bool, with_routing: bool) -> bytes:
    kind, _, identifier = entry.subject.partition("/")
    named = _quote(identifier)
    if tombstone:
        event_type, data = f"{kind}.removed", f'{{"op":"delete","id":{named}}}'
    else:
        extra = "" if entry.extra_json == "{}" else f",{entry.extra_json[1:-1]}"
        event_type = entry.type
        data = f'{{"op":"upsert","id":{named},"version":{entry.version},"changed":{entry.changed_json}{extra}}}'
    more = ""
    if with_routing:
        more = f',"routing":{{"before":{entry.before_json},"after":{entry.after_json}}}'
        if cause := cause_of(entry.id):
            more += f',"traceparent":{_quote(cause.write())}'
    # The time is stored with microseconds and sent with milliseconds.
    return (
        f'{{"specversion":"1.0","id":"{entry.id}","source":"{source}","type":{_quote(event_type)},'
        f'"subject":{_quote(entry.subject)},"time":"{entry.at[:23]}Z","datacontenttype":"application/json",'
        f'"data":{data}{more}}}'
    ).encode()
