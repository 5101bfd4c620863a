"""Read the centres of the network, and state their public contacts."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from services.cli.gateway import Gateway, read_json
from services.cli.output import print_fields, print_table

CENTRES = "/registry/v1/centres"
# What the registry sets itself.
_HEAD = frozenset({"id", "version", "updated_at"})


def read_centres(gateway: Gateway) -> list[Any]:
    """Return all centres.

    :raises CallError: when a call fails.
    """
    return list(gateway.walk(CENTRES))


def read_centre(gateway: Gateway, centre: str) -> Any:
    """Return a centre.

    :raises CallError: when the call fails.
    """
    return gateway.read(_path(centre))


def set_contact(gateway: Gateway, centre: str, contact: Mapping[str, Any] | None) -> Any:
    """Replace or remove the public contact of a centre. Return the centre.

    :raises CallError: when a call fails.
    """
    path = _path(centre)

    def replaced(current: Mapping[str, Any]) -> tuple[str, str, Any]:
        kept = {name: value for name, value in current.items() if name not in _HEAD}
        return "PUT", path, {**kept, "contact": contact}

    return read_json(gateway.change(path, replaced))


def print_centres(items: Sequence[Mapping[str, Any]]) -> None:
    """Print a line for each centre."""
    rows = [(one["id"], one["city"], one["label"], _reached(one.get("contact")), one["name"]) for one in items]
    print_table(("CENTRE", "CITY", "LABEL", "CONTACT", "NAME"), rows)


def print_centre(centre: Mapping[str, Any]) -> None:
    """Print the main fields of a centre."""
    contact = centre.get("contact") or {}  # a registry of an earlier version has none
    print_fields(
        {
            "centre": centre["id"],
            "name": centre["name"],
            "example": "yes, stands in for a member" if centre["illustrative"] else None,
            "city": f"{centre['city']} ({centre['departement']})",
            "label": centre["label"],
            "populations": centre["populations"],
            "contact": (contact.get("function") or {}).get("en"),
            "telephone": contact.get("phone"),
            "e-mail": contact.get("email"),
            "page": contact.get("url"),
            "mailbox": centre.get("referral_mailbox"),
            "version": centre["version"],
        }
    )


def _reached(contact: Mapping[str, Any] | None) -> str:
    return next((contact[name] for name in ("phone", "email", "url") if contact[name]), "") if contact else ""


def _path(centre: str) -> str:
    return f"{CENTRES}/{quote(centre, safe='')}"
