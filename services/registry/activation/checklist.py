"""The opening checklist of a site, and the words of blockers: reviewed data. Pure."""

import json
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final, Literal

from services.registry.activation.model import ItemName, Owner, Path
from shared.values.wire import Label


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item of the list. ``required``: always, or where the path requires a GMO declaration or an LRIPH."""

    item: ItemName
    owner: Owner
    required: Literal["always", "gmo", "lriph"]
    label: Label


@dataclass(frozen=True, slots=True)
class Words:
    """What a finding means, and what to do about it."""

    detail: Label
    action: Label


def _rows(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((resources.files(__package__) / name).read_text("utf-8"))
    return found


ITEMS: Final[dict[ItemName, ItemRow]] = {
    row["item"]: ItemRow(row["item"], row["owner"], row["required"], Label(**row["label"]))
    for row in _rows("checklist.json")
}
WORDS: Final[dict[str, Words]] = {
    row["code"]: Words(Label(**row["detail"]), Label(**row["action"])) for row in _rows("findings.json")
}


def required_items(path: Path) -> list[ItemName]:
    """Return the items that a site of a trial needs, in their order."""
    needed = {"always", *(one.step for one in path.steps if one.required)}
    return [row.item for row in ITEMS.values() if row.required in needed]
