"""Rules of imposing and lifting a hold, and of which trials are of the same class. Pure.

The promoter and the dose band are not among what is known of a product.
"""

import json
from collections.abc import Collection, Mapping
from importlib import resources
from typing import Any, Final

from services.registry.safety_holds.model import Agreement, Hold, Party, Scope, same_product
from services.registry.safety_holds.problems import ImposerCannotLiftError, OtherReferenceError
from shared.access.principal import Principal
from shared.values.problems import ForbiddenError

KINDS: Final[Mapping[str, frozenset[str]]] = {
    row["kind"]: frozenset(row["by"])
    for row in json.loads((resources.files(__package__) / "kinds.json").read_text("utf-8"))
}
# Their serotype decides what they do; of other vectors the kind says enough.
_WITH_SEROTYPE: Final = frozenset({"aav", "adenoviral"})
_NO_CLASS: Final = frozenset({None, "none", "other"})


def check_imposer(principal: Principal, owner: str | None, scope: Scope, target: str | None, kind: str) -> None:
    """A centre imposes on its own site, a sponsor on its own trials, the coordination everywhere.

    :raises ForbiddenError: 403.
    """
    allowed = principal.kind == "coordination" or (
        principal.kind == "sponsor" and owner is not None and principal.organisation == owner
    )
    if principal.kind == "centre":
        allowed = scope == "site" and target is not None and target == principal.centre
    if not allowed or principal.kind not in KINDS[kind]:
        raise ForbiddenError


def party_of(principal: Principal, owner: str | None, hold: Hold, centres: Collection[str]) -> Party:
    """Return for whom a caller agrees to lift a hold. ``centres``: with a site of the trial.

    :raises ForbiddenError: 403, it is none of those who must agree.
    """
    if principal.kind == "coordination":
        return "coordination"
    if owner is not None and principal.organisation == owner:
        return "sponsor"
    concerned = {hold.target} if hold.scope == "site" else set(centres)
    if owner is None and principal.centre is not None and principal.centre in concerned:
        return "centre"
    raise ForbiddenError


def check_agreement(hold: Hold, given: Agreement) -> bool:
    """Return whether this agreement lifts the hold: another organisation, for the other side, agreed before.

    :raises ImposerCannotLiftError: 403, by who imposed it, or by a second person of the same side.
    :raises OtherReferenceError: 409, the other organisation named another reference.
    """
    if given.author == hold.author:
        raise ImposerCannotLiftError
    others = [one for one in hold.agreements if one.author != given.author]
    if any(one.party == given.party or one.organisation == given.organisation for one in others):
        raise ImposerCannotLiftError
    if any((one.basis, one.reference) != (given.basis, given.reference) for one in others):
        raise OtherReferenceError
    return bool(others)


def shared_class(product: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what two products share, by code: `product`, `vector`, `serotype`, `promoter`, `dose_band`."""
    shared = []
    if same_product(product.get("name"), other.get("name")):
        shared.append("product")
    vector = product.get("vector")
    if vector not in _NO_CLASS and vector == other.get("vector"):
        if same_product(product.get("serotype"), other.get("serotype")):
            shared += ["vector", "serotype"]
        elif vector not in _WITH_SEROTYPE:
            shared.append("vector")
    shared += [name for name in ("promoter", "dose_band") if same_product(product.get(name), other.get(name))]
    return tuple(shared)
