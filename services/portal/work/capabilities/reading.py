"""Read and state the capabilities of the visitor's centre over the API."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.portal.clients.api import Api, segment
from services.portal.pages.forms import Form

# What asks for an act of the centre comes first.
_ORDER = ("expired", "expiring", "absent", "not_yet", "valid")
_FIELDS = (
    "scope",
    "evidence",
    "issuer",
    "finess_et",
    "valid_from",
    "valid_until",
    "planned_from",
    "note",
    "scope_note",
)


@dataclass(frozen=True, slots=True)
class CentreCapabilities:
    """``stated``: what the centre stated, with its state of today; ``codes``: rows of the coded list by code."""

    stated: Sequence[Mapping[str, Any]]
    codes: Mapping[str, Mapping[str, Any]]

    @property
    def unstated(self) -> Sequence[Mapping[str, Any]]:
        """The rows of the list about which the centre has said nothing."""
        stated = {one["code"] for one in self.stated}
        return [row for code, row in self.codes.items() if code not in stated]


async def capabilities_of(api: Api, centre: str) -> CentreCapabilities:
    """Return what a centre stated, and the coded list."""
    stated, codes = await asyncio.gather(api.get(_path(centre)), api.get("/registry/v1/capabilities/codes"))
    return CentreCapabilities(
        sorted(stated["items"], key=lambda one: (_ORDER.index(one["state"]), one["valid_until"] or "9999")),
        {row["code"]: row for row in codes["items"]},
    )


async def state(api: Api, centre: str, code: str, form: Form) -> None:
    """State a capability, or renew one: the form then holds the version that the visitor saw.

    :raises ApiError: 412, it has changed since; 422, a value is wrong.
    """
    is_held = form.one("held") != "no"
    stated: dict[str, Any] = {"held": is_held, **{name: form.one(name) or None for name in _FIELDS}}
    stated["scope"] = form.one("scope") or "both"
    version = {"If-Match": form.one("etag")} if form.one("etag") else {"If-None-Match": "*"}
    await api.call("PUT", f"{_path(centre)}/{segment(code)}", json=stated, headers=version)


def _path(centre: str) -> str:
    return f"/registry/v1/centres/{segment(centre)}/capabilities"
