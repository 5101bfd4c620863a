"""Time to access: from the day when a referral was sent to each later stage. Pure.

The days of a referral are calendar days: the patient waits on Sundays too.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from services.registry.reports.incidence import Case

# The stages, and the states of a referral of which the first one reaches them.
STAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "answer": ("accepted", "declined", "more_asked", "not_now"),
    "visit": ("contacted", "pre_screened", "pre_screen_failure"),
    "consent": ("consented",),
    "inclusion": ("included",),
    "collection": ("collection",),
    "dosing": ("dosed",),
}
CONSENT: Final = tuple(STAGES).index("consent")
# What ends a referral otherwise; the first of them competes with the stages that were not reached before.
ENDS: Final = (
    "declined", "pre_screen_failure", "screen_failure", "patient_declined", "consent_withdrawn", "treatment_withdrawn",
    "lost", "died", "treated_otherwise",
)  # fmt: skip
OTHERWISE: Final = "ended_otherwise"


class Path(NamedTuple):
    """One referral, in days after it was sent.

    ``reached``: each of `STAGES`, None: not reached; ``ended``: the first of `ENDS`; ``today``: the day of the report.
    ``late``: whether it was sent after the month before which it should have been; None: there is no such month.
    """

    delivery: str | None
    today: int
    reached: tuple[int | None, ...]
    ended: int | None = None
    screen_failed: bool = False
    minor: bool = False
    late: bool | None = None


Cases = Mapping[Case, int]
# How the product is given, and whether the patient is a minor.
Kind = tuple[str | None, bool]


def cases_of(paths: Iterable[Path]) -> dict[str, Mapping[Kind, Cases]]:
    """Return the cases of each stage by kind, and how many there are of each.

    What ended otherwise competes; what is still open counts until the day of the report.
    """
    found: dict[str, dict[Kind, dict[Case, int]]] = {stage: defaultdict(lambda: defaultdict(int)) for stage in STAGES}
    counted = list(found.items())
    for path in paths:
        last = Case(path.today, None) if path.ended is None else Case(path.ended, OTHERWISE)
        kind = path.delivery, path.minor
        for (stage, by_kind), day in zip(counted, path.reached, strict=True):
            by_kind[kind][last if day is None else Case(day, stage)] += 1
    return {stage: dict(by_kind) for stage, by_kind in found.items()}


def referred_in_time(paths: Iterable[Path]) -> dict[str, int]:
    """Return how many referrals were sent in time, and how many too late, of those that state until when."""
    late = [path.late for path in paths if path.late is not None]
    return {"in_time": late.count(False), "too_late": late.count(True)}


def screen_failures(paths: Iterable[Path]) -> tuple[int, int]:
    """Return the number of screen failures, and of those who consented: a failure before consent is none."""
    consented = [path for path in paths if path.reached[CONSENT] is not None]
    return sum(path.screen_failed for path in consented), len(consented)
