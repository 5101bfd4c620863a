"""Time to access: from the day when a referral was sent to each later stage. Pure.

The days of a referral are calendar days: the patient waits on Sundays too.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
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


Cases = Mapping[Case, int]
# How the product is given, and whether the patient is a minor.
Kind = tuple[str | None, bool]


class Paths(NamedTuple):
    """Referrals, with one value of each in every list: there may be 100,000. Days are counted from its sending.

    ``waited``: until the day of the report; ``reached``: a list for each of `STAGES`, None: not reached; ``ended``: the
    first of `ENDS`; ``late``: whether it was sent after the month before which it should have been, None: there is no
    such month.
    """

    kinds: Sequence[Kind]
    waited: Sequence[int]
    reached: Sequence[Sequence[int | None]]
    ended: Sequence[int | None]
    screen_failed: Sequence[bool]
    late: Sequence[bool | None]


NO_PATHS: Final = Paths([], [], [[] for _ in STAGES], [], [], [])


def cases_of(paths: Paths) -> dict[str, dict[Kind, Cases]]:
    """Return the cases of each stage by kind, and how many there are of each.

    What ended otherwise competes; what is still open counts until the day of the report.
    """
    ends = [
        (waited, None) if ended is None else (ended, OTHERWISE)
        for waited, ended in zip(paths.waited, paths.ended, strict=True)
    ]
    found: dict[str, dict[Kind, Cases]] = {}
    for stage, days in zip(STAGES, paths.reached, strict=True):
        # Plain tuples until they are counted: they are made faster than cases.
        cases = [end if day is None else (day, stage) for day, end in zip(days, ends, strict=True)]
        by_kind: dict[Kind, dict[Case, int]] = {}
        for (kind, case), number in Counter(zip(paths.kinds, cases, strict=True)).items():
            by_kind.setdefault(kind, {})[Case(*case)] = number
        found[stage] = {**by_kind}
    return found


def referred_in_time(paths: Paths) -> dict[str, int]:
    """Return how many referrals were sent in time, and how many too late, of those that state until when."""
    late = Counter(paths.late)
    return {"in_time": late[False], "too_late": late[True]}


def screen_failures(paths: Paths) -> tuple[int, int]:
    """Return the number of screen failures, and of those who consented: a failure before consent is none."""
    failed = Counter(
        failed for day, failed in zip(paths.reached[CONSENT], paths.screen_failed, strict=True) if day is not None
    )
    return failed[True], failed.total()
