"""Counts of patients as those get them who may not see small numbers. Pure."""

from typing import Final, Literal

Bucket = Literal["<11", "11–20", "21–50", "51–100", "101–250", ">250"]
_UPPER: Final[tuple[tuple[int, Bucket], ...]] = (
    (10, "<11"), (20, "11–20"), (50, "21–50"), (100, "51–100"), (250, "101–250"),
)  # fmt: skip


def bucket(count: int) -> Bucket:
    """Return the bucket of a count. Zero is in the first one too."""
    return next((name for upper, name in _UPPER if count <= upper), ">250")
