"""Safety holds. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from shared.feed.changes import Facets

Scope = Literal["trial", "country", "site", "cohort", "product"]
Kind = Literal[
    "sponsor_halt_safety", "sponsor_halt_other", "authority_suspension", "authority_revocation", "precaution"
]
Reason = Literal[
    "death",
    "serious_adverse_reaction",
    "dose_limiting_toxicity",
    "malignancy",
    "quality_defect",
    "monitoring_committee",
    "authority_measure",
    "site_incident",
    "lack_of_efficacy",
    "supply",
    "other",
]
# Those who must agree to lift a hold: the coordination, and the owner of the trial; without owner a centre of it.
Party = Literal["sponsor", "coordination", "centre"]
# What allows the restart: an authorised substantial modification, or the end of the authority's measure.
Basis = Literal["substantial_modification", "measure_lifted"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """One person agrees to lift a hold. ``party``: for whom; ``author``: the organisation with the person."""

    party: Party
    organisation: str
    author: str
    at: datetime
    basis: Basis
    reference: str
    decided_on: date


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold on a trial, at its own scope.

    ``target``: a country, centre or cohort, or the name of a product; None: the whole trial. ``agreements``: of those
    who want to lift it; two end it.
    """

    id: str
    trial_key: str
    version: int
    scope: Scope
    target: str | None
    kind: Kind
    reason: Reason
    imposed_at: datetime
    organisation: str
    author: str
    decided_on: date | None = None
    reference: str | None = None
    lifted_at: datetime | None = None
    agreements: tuple[Agreement, ...] = ()

    def covers(self, country: str | None, centre: str | None, cohort: str | None, product: str | None) -> bool:
        """Return whether it stops new requests, places and inclusions there. None: not known, so it may.

        ``product``: its name; a product without a name is not that of a hold.
        """
        if self.scope == "trial":
            return True
        if self.scope == "product":
            return product is not None and same_product(self.target, product)
        given = {"country": country, "site": centre, "cohort": cohort}[self.scope]
        return given is None or given == self.target


def same_product(one: str | None, other: str | None) -> bool:
    """Return whether two names are those of the same product: case and spaces do not matter."""
    return one is not None and other is not None and one.casefold().split() == other.casefold().split()


@dataclass(frozen=True, slots=True)
class TrialClass:
    """What decides whether another trial is of the same class. ``product``: the members of its product."""

    key: str
    identifier: str
    owner: str | None
    centres: frozenset[str]
    product: Mapping[str, Any]
    facets: Facets
