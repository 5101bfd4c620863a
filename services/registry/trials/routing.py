"""Audience and routing facets of a trial, and the feed entries of its changes. Pure."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Literal

from services.registry.model.aliases import aliases_of
from services.registry.model.trial import Trial
from services.registry.terminology.terminology import Terminology
from services.registry.trials.model import StoredSite
from shared.criteria.durations import parse
from shared.feed.changes import NOT_VISIBLE, TRIAL_FACET, Change, Routing
from shared.vocabulary.durations import in_months
from shared.vocabulary.recruitment import is_open

MAJORITY_MONTHS = 18 * 12
INSIDE = frozenset({"coordination", "authority"})
ReviewStep = Literal["opened", "decided", "closed"]


def audience(trial: Trial) -> frozenset[str]:
    """Return who sees a trial.

    Demonstration trials: services and coordination. Unpublished ones: coordination and authorities.
    """
    if not trial.published:
        return INSIDE
    return frozenset({"demo"}) if trial.sample == "demo" else frozenset({"public"})


def facets(
    trial: Trial,
    terminology: Terminology,
    departements: Mapping[str, str],
    aliases: Iterable[str] = (),
    declared: Iterable[str] = (),
) -> dict[str, frozenset[str]]:
    """Return the routing facets of a trial.

    ``departements``: département of each centre, by centre id. ``aliases``: names of the trial until now; it is still
    found by those that it no longer has. ``declared``: centres that declared a site.
    """
    conditions = {
        code
        for condition in trial.conditions
        if condition.code
        for code in terminology.same_as(condition.code) | terminology.ancestors(condition.code)
    }
    centres = {*declared, *(site.centre for site in trial.sites)}
    return {
        TRIAL_FACET: frozenset({trial.id, *aliases, *aliases_of(trial.identifiers)}),
        "condition": frozenset(conditions),
        "age_band": _age_bands(trial),
        "atmp_class": frozenset({trial.product.atmp_class} if trial.product.atmp_class else ()),
        "centre": frozenset(centres),
        "departement": frozenset(departements[centre] for centre in centres if centre in departements),
    }


def _age_bands(trial: Trial) -> frozenset[str]:
    low, high = trial.eligibility.minimum_age, trial.eligibility.maximum_age
    bands = set()
    if low is None or _months(low) < MAJORITY_MONTHS:
        bands.add("child")
    if high is None or _months(high) >= MAJORITY_MONTHS:
        bands.add("adult")
    return frozenset(bands)


def _months(duration: str) -> Fraction:
    span = parse(duration)
    return in_months(span.months, span.days)


def change_of_trial(
    before: Trial | None,
    after: Trial,
    routing: tuple[Routing, Routing],
    changed: tuple[str, ...],
    *,
    event: str | None = None,
) -> Change:
    """Return the feed entry of a trial's new version.

    ``routing``: before and after. ``event``: its type, derived if None.
    """
    extra = {"identifier": after.identifier}
    if after.published and (before is None or not before.published):
        kind = "trial.published"
    elif before is not None and before.published and not after.published:
        kind = "trial.withdrawn"
    elif before is not None and before.status != after.status:
        kind = "trial.status_changed"
        extra |= {"from": before.status, "to": after.status}
    else:
        kind = "trial.updated"
    return Change(event or kind, f"trial/{after.id}", after.version, routing[0], routing[1], changed, extra)


def at_centres(routing: Routing, centres: Iterable[str], departements: Mapping[str, str]) -> Routing:
    """Return the routing of a trial's sites: that of the trial, and all its centres with their départements."""
    listed = frozenset(centres)
    places = {
        "centre": listed,
        "departement": frozenset(departements[one] for one in listed if one in departements),
    }
    return Routing(
        routing.audience,
        {**routing.facets, **{name: routing.facets.get(name, frozenset()) | some for name, some in places.items()}},
    )


def change_of_site(trial: str, identifier: str, site: StoredSite, was: str | None, routing: Routing) -> Change:
    """Return the feed entry of a site's new version.

    ``trial``, ``identifier``: id and preferred number of its trial. ``was``: its status before, None where there was
    no such site.
    """
    opens, closes = is_open(site.status) and not is_open(was), is_open(was) and not is_open(site.status)
    kind = "site.opened" if opens else "site.closed" if closes else "site.slots_changed"
    before = NOT_VISIBLE if was is None else routing
    return _of_site(kind, trial, identifier, site, (before, routing), ("status", "slots"))


def change_to_stale(trial: str, identifier: str, site: StoredSite, routing: Routing) -> Change:
    """Return the feed entry of a site that was not confirmed in time. Its version stays."""
    return _of_site("site.stale", trial, identifier, site, (routing, routing), ("stale",))


def _of_site(
    kind: str, trial: str, identifier: str, site: StoredSite, sides: tuple[Routing, Routing], changed: tuple[str, ...]
) -> Change:
    extra = {"trial": identifier, "trial_id": trial, "centre": site.centre, "status": site.status}
    return Change(kind, f"site/{trial}/{site.centre}", site.version, *sides, changed, extra)


def changes_of_merge(trial: Trial, routing: Routing, into: Trial, into_routing: Routing) -> tuple[Change, Change]:
    """Return the feed entries of a trial that was merged into another one: the news, for the followers of both, and
    its removal. ``routing``, ``into_routing``: of each of them.
    """
    both = _of_both(routing, into_routing)
    extra = {"identifier": trial.identifier, "merged": trial.id, "into": into.id}
    news = Change("trial.merged", f"trial/{trial.id}", trial.version, both, both, ("merged_into",), extra)
    return news, removal_of(trial, Routing(routing.audience | both.audience, both.facets))


def removal_of(trial: Trial, routing: Routing) -> Change:
    """Return the feed entry of a trial that no one can read any more: a tombstone. ``routing``: until now."""
    return Change("trial.withdrawn", f"trial/{trial.id}", trial.version, routing, NOT_VISIBLE)


def change_of_unmerge(trial: Trial, routing: Routing, into: Trial, into_routing: Routing) -> Change:
    """Return the feed entry of a trial that is no longer merged into another one, for the followers of both.

    Its subject is the other one. ``routing``, ``into_routing``: of each of them.
    """
    both = _of_both(routing, into_routing)
    extra = {"identifier": into.identifier, "merged": trial.id, "into": into.id}
    return Change("trial.unmerged", f"trial/{into.id}", into.version, both, both, (), extra)


def _of_both(one: Routing, other: Routing) -> Routing:
    """Return the routing of what concerns two trials: for those who see both and select one of them."""
    names = {*one.facets, *other.facets}
    facets = {name: one.facets.get(name, frozenset()) | other.facets.get(name, frozenset()) for name in names}
    return Routing(INSIDE if INSIDE in {one.audience, other.audience} else one.audience, facets)


def change_of_review(what: ReviewStep, item: str, trial: Trial | None) -> Change:
    """Return the feed entry of an item of the review queue, for those who decide. ``trial``: None: of a record."""
    inside = Routing(frozenset({"coordination"}), {TRIAL_FACET: frozenset({trial.id} if trial else ())})
    extra = {"trial": trial.identifier, "trial_id": trial.id} if trial is not None else {}
    version = trial.version if trial is not None else 1
    return Change(
        f"review.{what}", f"review/{item}", version, inside, inside, (), {"kind": item.partition(":")[0], **extra}
    )


def change_of_conflicts(trial: Trial, routing: Routing, paths: Iterable[str]) -> Change:
    """Return the feed entry of new conflicts about some fields of a trial, for those who resolve or supervise them.

    It has a subject of its own: other readers keep the last entry of the trial. ``routing``: of the trial.
    """
    inside = Routing(INSIDE, routing.facets)
    extra = {"trial": trial.identifier, "trial_id": trial.id}
    return Change("source.conflict", f"conflict/{trial.id}", trial.version, inside, inside, tuple(sorted(paths)), extra)
