"""Places of France as plain data."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Kind = Literal["communes", "departements", "regions"]


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """A file that was loaded; files loaded together have one ``version``. ``rows``: the number of its places."""

    version: int
    kind: str
    name: str
    sha256: str
    rows: int
    loaded_at: datetime


@dataclass(frozen=True, slots=True)
class Commune:
    """A commune or a municipal arrondissement. ``lat`` and ``lon`` in degrees; None: not stated.

    ``population``: inhabitants. Those of an arrondissement are counted in its commune too (``is_part``).
    """

    code: str
    name: str
    departement: str
    population: int
    postal_codes: tuple[str, ...]
    place: tuple[float, float] | None
    is_part: bool = False


@dataclass(frozen=True, slots=True)
class NamedArea:
    """A département or a region. ``region``: the code of its region; of a region its own."""

    code: str
    name: str
    region: str


@dataclass(frozen=True, slots=True)
class Departement:
    """A département or territory. ``place``: the mean place of its inhabitants, in degrees."""

    code: str
    name: str
    region: str
    population: int
    place: tuple[float, float]


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """A place that a text names, in degrees."""

    name: str
    lat: float
    lon: float
