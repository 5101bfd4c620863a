"""Recruitment status of a trial, a site, a cohort or a location."""

from typing import Final, Literal

RecruitmentStatus = Literal[
    "in_review",
    "not_yet_recruiting",
    "recruiting",
    "enrolling_by_invitation",
    "active_not_recruiting",
    "suspended",
    "completed",
    "terminated",
    "withdrawn",
    "refused",
    "expired",
    "available",
    "no_longer_available",
    "unknown",
]

# `available` is the open state of an expanded access programme.
OPEN_STATUSES: Final = frozenset({"recruiting", "enrolling_by_invitation", "available"})
# A trial in one of these takes no patient at any site, whatever the site's own status says.
CLOSED_STATUSES: Final = frozenset(
    {
        "in_review",
        "active_not_recruiting",
        "suspended",
        "completed",
        "terminated",
        "withdrawn",
        "refused",
        "expired",
        "no_longer_available",
    }
)
# Recruitment has not begun.
UPCOMING_STATUSES: Final = frozenset({"in_review", "not_yet_recruiting"})
# Recruitment ended or paused before its time.
STOPPED_STATUSES: Final = frozenset({"suspended", "terminated", "withdrawn", "no_longer_available"})

# From the most to the least open.
OPENNESS: Final[tuple[RecruitmentStatus, ...]] = (
    "recruiting",
    "available",
    "enrolling_by_invitation",
    "not_yet_recruiting",
    "in_review",
    "suspended",
    "active_not_recruiting",
    "unknown",
    "completed",
    "no_longer_available",
    "terminated",
    "withdrawn",
    "refused",
    "expired",
)


def more_open(one: RecruitmentStatus, other: RecruitmentStatus) -> RecruitmentStatus:
    """Return the more open one of two statuses."""
    return min(one, other, key=OPENNESS.index)


def site_status(trial: RecruitmentStatus) -> RecruitmentStatus:
    """Return the status of a site of which nothing is said: the trial's if it no longer recruits, else unknown."""
    return "unknown" if is_open(trial) or trial in UPCOMING_STATUSES else trial


def is_open(status: str | None) -> bool:
    """Return whether patients can be enrolled under this status. None: no status is known."""
    return status in OPEN_STATUSES
