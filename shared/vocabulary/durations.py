"""Lengths of time that all services must count in the same way."""

from datetime import timedelta
from fractions import Fraction
from typing import Final

# The mean month of the Julian year, as UCUM defines `mo`: 30.4375 days.
DAYS_PER_MONTH: Final = Fraction(487, 16)
# A site's status counts as unconfirmed when its last confirmation is older than this.
STALE_AFTER: Final = timedelta(days=30)


def in_months(months: int, days: int) -> Fraction:
    """Return a calendar duration in mean months: good for comparing ages, not for computing dates."""
    return months + days / DAYS_PER_MONTH
