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
# Recruitment ended or paused before its time.
STOPPED_STATUSES: Final = frozenset({"suspended", "terminated", "withdrawn", "no_longer_available"})


def is_open(status: str | None) -> bool:
    """Return whether patients can be enrolled under this status. None: no status is known."""
    return status in OPEN_STATUSES
