"""Entries as CloudEvents in JSON."""

import json

from shared.feed.log import Entry
from shared.tracing import cause_of


def encode_event(entry: Entry, source: str, *, tombstone: bool, with_routing: bool) -> bytes:
    """Return one entry as a CloudEvents 1.0 object in JSON (UTF-8).

    A tombstone contains only the subject. ``with_routing`` adds who may read the subject and the trace that caused the
    change, for services that decide for subscribers of their own. Texts that are stored as JSON are copied as they are.
    """
    kind, _, identifier = entry.subject.partition("/")
    named = json.dumps(identifier, ensure_ascii=False)
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
            more += f',"traceparent":{json.dumps(cause.write())}'
    return (
        f'{{"specversion":"1.0","id":"{entry.id}","source":"{source}","type":{json.dumps(event_type)},'
        f'"subject":{json.dumps(entry.subject, ensure_ascii=False)},"time":"{entry.milliseconds}",'
        f'"datacontenttype":"application/json","data":{data}{more}}}'
    ).encode()
