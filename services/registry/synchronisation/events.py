"""Events of synchronised sources, for the coordination and authorities. Pure."""

from collections.abc import Mapping
from typing import Literal

from shared.feed.changes import Change, Routing

_INSIDE = Routing(frozenset({"coordination", "authority"}))


def change_of_source(source: str, run: int) -> Change:
    """Return the feed entry of a run that ended."""
    return Change("source.synced", f"source/{source}", run, _INSIDE, _INSIDE, (), {"source": source})


def change_of_record(
    kind: Literal["source.missing", "source.found"],
    source: str,
    source_id: str,
    run: int,
    trials: Mapping[str, tuple[str, str]],
) -> Change:
    """Return the feed entry of a record that its source no longer has, or has again.

    ``trials``: (id, preferred number) of the trials of records, by the id of the record.
    """
    of = trials.get(source_id)
    extra = {"source": source, "source_id": source_id} | ({"trial_id": of[0], "trial": of[1]} if of else {})
    return Change(kind, f"record/{source}/{source_id}", run, _INSIDE, _INSIDE, ("missing",), extra)
