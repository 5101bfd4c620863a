"""What each source may do (``sources.json``, reviewed data, in the order of precedence).

A person's statement goes before every source. ``legacy`` is what was stored before sources were merged. A partner
network's own source is named ``partner:<organisation>``.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Authority:
    """``rank``: the place in the order of precedence, from 0.

    ``may_join``: whether a number that its record shares with a trial may assign it to that trial. ``may_stop``:
    whether a stop that it reports closes the trial whatever others say.
    """

    rank: int
    may_join: bool
    may_stop: bool


@cache
def _authorities() -> Mapping[str, Authority]:
    rows: list[dict[str, Any]] = json.loads((resources.files(__package__) / "sources.json").read_text("utf-8"))
    return {row["source"]: Authority(rank, row["may_join"], row["may_stop"]) for rank, row in enumerate(rows)}


def authority(source: str) -> Authority:
    """Return what a source may do.

    :raises KeyError: there is no such source.
    """
    return _authorities()[source.partition(":")[0]]
