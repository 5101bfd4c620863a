"""What a trial needs of a site: from its product by reviewed rules, ``needs.json``, and as its sponsor states. Pure."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Final, Literal

from services.registry.capabilities.codes import CODES
from services.registry.capabilities.product_facts import Fact, Facts
from shared.values.wire import Label

Population = Literal["adult", "paediatric"]
SPONSOR: Final = "sponsor"


@dataclass(frozen=True, slots=True)
class Need:
    """A need. ``population``: only where such patients are treated; None: for all. ``by``: the rule, or `SPONSOR`."""

    code: str
    population: Population | None
    by: str
    basis: Label | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """What the sponsor states. ``complete``: the product adds nothing more, whatever is not known of it."""

    needed: tuple[tuple[str, Population | None], ...] = ()
    not_needed: frozenset[str] = frozenset()
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Needs:
    """All needs. ``not_known``: the facts on which further needs depend."""

    items: tuple[Need, ...]
    not_known: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class _Rule:
    name: str
    when: Mapping[Fact, Collection[str]]
    needs: tuple[tuple[str, Population | None], ...]
    basis: Label

    def missing(self, facts: Facts) -> list[Fact] | None:
        """Return the facts on which it depends that are not known; None: it does not apply."""
        if any(facts[name] is not None and facts[name] not in values for name, values in self.when.items()):
            return None
        return [name for name in self.when if facts[name] is None]


def _read() -> tuple[_Rule, ...]:
    rows = json.loads((resources.files(__package__) / "needs.json").read_text("utf-8"))
    return tuple(
        _Rule(
            row["rule"], row["when"], tuple((one["code"], one.get("population")) for one in row["needs"]),
            Label(**row["basis"]),
        )
        for row in rows
    )  # fmt: skip


RULES: Final = _read()


def needs_of(facts: Facts, stated: Statement) -> Needs:
    """Return what a product with these facts needs, with what its sponsor states."""
    found = {one: Need(*one, SPONSOR) for one in stated.needed}
    not_known: dict[Fact, None] = {}
    for rule in RULES:
        missing = rule.missing(facts)
        if missing == []:
            found |= {one: Need(*one, rule.name, rule.basis) for one in rule.needs if one not in found}
        elif missing and not {code for code, _ in rule.needs} <= stated.not_needed:
            not_known |= dict.fromkeys(missing)
    items = [need for need in found.values() if need.code not in stated.not_needed]
    order = list(CODES)
    items.sort(key=lambda need: (order.index(need.code), need.population or ""))
    return Needs(tuple(items), () if stated.complete else tuple(not_known))
