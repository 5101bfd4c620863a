"""Counts that reveal nothing about one patient. Pure.

Tables: no count below 11 is shown, and none from which it could be subtracted (secondary suppression).
Sponsors: a count of a query gets noise that depends on a secret and the query alone, so that repeating it brings
nothing, and is shown as a bucket. Suppression alone is defeated by differencing two queries.
"""

import hashlib
import hmac
import json
import math
from collections.abc import Mapping, Sequence
from typing import Final, Literal

SMALLEST: Final = 11
Bucket = Literal["<11", "11-20", "21-50", "51-100", "101-250", ">250"]
_BUCKETS: Final[tuple[tuple[int, Bucket], ...]] = (
    (10, "<11"),
    (20, "11-20"),
    (50, "21-50"),
    (100, "51-100"),
    (250, "101-250"),
)
# The scale of the noise (Laplace): one patient more or less moves a count by a third of it.
SCALE: Final = 3.0


def bucket_of(count: int) -> Bucket:
    """Return the bucket of a count."""
    return next((name for most, name in _BUCKETS if count <= most), ">250")


def noisy_bucket(count: int, query: Mapping[str, object], secret: bytes) -> Bucket:
    """Return the bucket of a count with the noise of its query. ``query``: in its canonical form."""
    return bucket_of(max(0, count + _noise(query, secret)))


def _noise(query: Mapping[str, object], secret: bytes) -> int:
    written = json.dumps(query, sort_keys=True, separators=(",", ":"), default=str).encode()
    drawn = int.from_bytes(hmac.digest(secret, written, hashlib.sha256)[:8], "big")
    # Between 0 and 1 without the ends, so that the logarithm exists.
    uniform = (drawn + 0.5) / 2**64
    if uniform < 0.5:
        return round(SCALE * math.log(2 * uniform))
    return round(-SCALE * math.log(2 * (1 - uniform)))


def suppressed(table: Sequence[Sequence[int]]) -> list[list[int | None]]:
    """Return a table of counts without those that must not be shown (None). 0 is shown.

    Sums of rows and columns are taken to be known: in each with exactly one hidden count, the smallest other one that
    is not 0 is hidden too, until none has exactly one.
    """
    hidden = {
        (row, column) for row, counts in enumerate(table) for column, count in enumerate(counts) if 0 < count < SMALLEST
    }
    columns = max((len(counts) for counts in table), default=0)
    lines = [[(row, column) for column in range(len(counts))] for row, counts in enumerate(table)]
    lines += [[(row, column) for row, counts in enumerate(table) if column < len(counts)] for column in range(columns)]
    found = True
    while found:
        found = False
        for line in lines:
            others = [cell for cell in line if cell not in hidden and table[cell[0]][cell[1]]]
            if len(hidden.intersection(line)) == 1 and others:
                hidden.add(min(others, key=lambda cell: table[cell[0]][cell[1]]))
                found = True
    return [
        [None if (row, column) in hidden else count for column, count in enumerate(counts)]
        for row, counts in enumerate(table)
    ]
