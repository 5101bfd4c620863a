"""What a report is about."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

View = Literal["network", "centre", "fcrin"]


@dataclass(frozen=True, slots=True)
class Selection:
    """The cases of a report: of a ``centre`` (None: all), that began in a ``year`` (None: any), until ``today``.

    What happened after ``today`` is not counted.
    """

    today: date
    centre: str | None = None
    year: int | None = None

    @property
    def days(self) -> tuple[date, date]:
        """The first day on which its cases began, and the day after the last one."""
        if self.year is None:
            return date(1900, 1, 1), date(2999, 1, 1)
        return date(self.year, 1, 1), date(self.year + 1, 1, 1)
