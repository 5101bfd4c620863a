"""A loaded release as plain data."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class LoadedRelease:
    """A release that was loaded. ``kind``: its format; ``sha256``: of the file; ``codes``: their number."""

    number: int
    name: str
    kind: str
    sha256: str
    codes: int
    loaded_at: datetime
