"""Style sheets, scripts and pictures of the pages, at addresses that change with their content."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ASSETS = Path(__file__).parents[1] / "assets"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its content, its media type, and a digest that is part of its address."""

    content: bytes
    media_type: str
    digest: str


@lru_cache(1)
def assets() -> dict[str, Asset]:
    """Return every asset by its path below the folder of assets."""
    return {
        str(path.relative_to(ASSETS)): Asset(
            path.read_bytes(), _TYPES[path.suffix], hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        )
        for path in sorted(ASSETS.rglob("*"))
        if path.is_file()
    }


def address_of_asset(name: str) -> str:
    """Return the address of an asset.

    :raises KeyError: there is no such file.
    """
    return f"/portal/assets/{assets()[name].digest}/{name}"
