"""Who may see a trial, what it is about for routing, and what a change of it is called: pure."""

from fractions import Fraction

from services.registry.terminology.terminology import Terminology
from services.registry.trials.schemas import Trial
from shared.criteria.durations import parse
from shared.feed.changes import NOT_VISIBLE, Change, Routing
from shared.vocabulary.durations import in_months
from shared.vocabulary.recruitment import is_open

MAJORITY_MONTHS = 18 * 12


def audience(trial: Trial) -> frozenset[str]:
    """Demonstration trials are seen only by the network's own services and its coordination; unpublished ones by the latter and by authorities."""
    if not trial.published:
        return frozenset({"coordination", "authority"})
    return frozenset({"demo"}) if trial.sample == "demo" else frozenset({"public"})


def facets(trial: Trial, terminology: Terminology, departements: dict[str, str]) -> dict[str, frozenset[str]]:
    """Condition codes with all above them, age bands, ATMP class, centres and their départements (``centre id → département``)."""
    conditions = {
        code
        for condition in trial.conditions
        if condition.code
        for code in terminology.same_as(condition.code) | terminology.ancestors(condition.code)
    }
    centres = {site.centre for site in trial.sites}
    return {
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
    before: Trial | None, after: Trial, sides: tuple[Routing, Routing], changed: tuple[str, ...]
) -> Change:
    """The feed entry of a trial's new version."""
    extra: dict[str, str] = {}
    if after.published and (before is None or not before.published):
        kind = "trial.published"
    elif before is not None and before.published and not after.published:
        kind = "trial.withdrawn"
    elif before is not None and before.status != after.status:
        kind = "trial.status_changed"
        extra = {"from": before.status, "to": after.status}
    else:
        kind = "trial.updated"
    return Change(kind, f"trial/{after.id}", after.version, sides[0], sides[1], changed, extra)


def change_of_site(trial: Trial, centre: str, version: int, was: str | None, now: str | None, side: Routing) -> Change:
    """The feed entry of a site: its status before and after (None: it was not, or is no longer, a site of the trial)."""
    opens, closes = is_open(now) and not is_open(was), is_open(was) and not is_open(now)
    kind = "site.opened" if opens else "site.closed" if closes or now is None else "site.slots_changed"
    before, after = (NOT_VISIBLE if was is None else side), (NOT_VISIBLE if now is None else side)
    return Change(
        kind,
        f"site/{trial.id}/{centre}",
        version,
        before,
        after,
        ("status", "slots"),
        {"trial": trial.id, "centre": centre},
    )
