"""What a centre sees of a dossier before and behind the confidentiality gate. Pure."""

from collections.abc import Collection, Mapping
from typing import Any, Final, Literal, get_args

from shared.criteria.durations import parse
from shared.vocabulary.durations import in_months
from shared.vocabulary.events import AgeBand

_MAJORITY_MONTHS: Final = 18 * 12

# What the sponsor may choose to show before the agreement is signed, beyond what every centre sees.
VisibleField = Literal[
    "acronym", "titles", "summary", "sponsor", "product_class", "delivery", "ages", "sex", "study_type", "enrolment",
    "start", "countries",
]  # fmt: skip
VISIBLE_FIELDS: Final[tuple[VisibleField, ...]] = get_args(VisibleField)
# Where each of them stands in the trial document; the first step of the path is its top-level field.
_PLACES: Final[Mapping[VisibleField, tuple[tuple[str, ...], ...]]] = {
    "acronym": (("acronym",),),
    "titles": (("titles",),),
    "summary": (("summary",),),
    "sponsor": (("sponsor", "name"),),
    "product_class": (("product", "atmp_class"),),
    "delivery": (("product", "delivery"),),
    "ages": (("eligibility", "minimum_age"), ("eligibility", "maximum_age")),
    "sex": (("eligibility", "sex"),),
    "study_type": (("study_type",),),
    "enrolment": (("enrolment", "count"),),
    "start": (("dates", "start", "date"),),
    "countries": (("countries",),),
}


def conditions_of(trial: Mapping[str, Any]) -> list[tuple[str | None, str]]:
    """Return code and text of the diseases that the trial treats."""
    return [
        (one.get("code"), one["text"])
        for one in trial.get("conditions") or ()
        if one.get("role", "target") == "target" and one.get("text")
    ]


def codes_of(trial: Mapping[str, Any]) -> list[str]:
    """Return the codes of the diseases that the trial treats, each once."""
    return list(dict.fromkeys(code for code, _ in conditions_of(trial) if code))


def age_bands_of(trial: Mapping[str, Any]) -> list[AgeBand]:
    """Return the age bands of a trial; both where it states no age."""
    low, high = (_value(trial, "eligibility", name) for name in ("minimum_age", "maximum_age"))
    bands: list[AgeBand] = []
    if low is None or _months(low) < _MAJORITY_MONTHS:
        bands.append("child")
    if high is None or _months(high) >= _MAJORITY_MONTHS:
        bands.append("adult")
    return bands


def countries_of(trial: Mapping[str, Any]) -> int:
    """Return the number of countries of a trial."""
    return len(trial.get("countries") or ())


def shown(trial: Mapping[str, Any], visible: Collection[VisibleField]) -> dict[str, Any]:
    """Return the part of a trial document that the sponsor shows before the gate, as a document of the same form."""
    found: dict[str, Any] = {}
    for name in VISIBLE_FIELDS:
        for path in _PLACES[name] if name in visible else ():
            value = _value(trial, *path)
            if value is not None:
                _put(found, path, value)
    return found


def _value(document: Mapping[str, Any], *path: str) -> Any:
    value: Any = document
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _put(document: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        document = document.setdefault(name, {})
    document[path[-1]] = value


def _months(duration: str) -> float:
    span = parse(duration)
    return float(in_months(span.months, span.days))
