"""Ages as ISO durations, and the days on which a person has one. Pure."""

from datetime import date, timedelta

from shared.criteria.durations import ONE_DAY, Span, add, parse, smallest_unit


def whole_age(duration: str | None) -> str | None:
    """Return an ISO age without its hours; None where it is no age."""
    days = (duration or "").partition("T")[0]
    try:
        parse(days)
    except ValueError:
        return None
    return days


def at_ages(birth: date, least: str, most: str) -> str | None:
    """Return the most precise date that contains every day on which a person born on ``birth`` has such an age."""
    span, unit = parse(most), smallest_unit(most)
    first = add(birth, parse(least))
    last = add(birth, Span(span.months + unit.months, span.days + unit.days)) - timedelta(days=1)
    if not date.min + ONE_DAY < first <= last < date.max - ONE_DAY:
        return None
    if first == last:
        return first.isoformat()
    if (first.year, first.month) == (last.year, last.month):
        return f"{first:%Y-%m}"
    return f"{first:%Y}" if first.year == last.year else None
