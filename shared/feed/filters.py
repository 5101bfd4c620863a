"""The filter of a feed request: comma-separated values, of which unknown ones are refused."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from shared.feed.changes import TRIAL_FACET, Facets
from shared.values.problems import Fault, InvalidParameterError
from shared.values.wire import Label
from shared.vocabulary.events import AGE_BANDS, ATMP_CLASSES, EVENT_TYPES
from shared.vocabulary.geography import DEPARTEMENT_PATTERN
from shared.vocabulary.identifiers import alias_of

_DEPARTEMENTS: Final = Label(
    fr="01 à 95 (2A et 2B pour la Corse), 971 à 978, 984, 986, 987, 988",
    en="01 to 95 (2A and 2B for Corsica), 971 to 978, 984, 986, 987, 988",
)


def read_types(value: str | None) -> frozenset[str]:
    """The event types of a comma-separated list; None: all, an empty set.

    :raises InvalidParameterError: 400, a type is not sent by any service.
    """
    return _read("types", value)


def read_facets(given: Mapping[str, str | None]) -> Facets:
    """The facets with their comma-separated values; those without a value are left out.

    :raises InvalidParameterError: 400, a value of a facet does not exist.
    """
    found = {name: _read(name, value) for name, value in given.items() if value is not None}
    if TRIAL_FACET in found:
        found[TRIAL_FACET] = frozenset(map(alias_of, found[TRIAL_FACET]))
    return found


def _read(name: str, value: str | None) -> frozenset[str]:
    if value is None:
        return frozenset()
    values = frozenset(value.split(","))
    is_known, allowed = _RULES.get(name, (bool, _NOT_EMPTY))
    if unknown := sorted(one for one in values if not is_known(one)):
        detail = Label(
            fr=f"valeur inconnue : {unknown[0]!r} ; valeurs possibles : {allowed.fr}",
            en=f"unknown value: {unknown[0]!r}; possible values: {allowed.en}",
        )
        raise InvalidParameterError(errors=[Fault(pointer=f"/query/{name}", code="unknown_value", detail=detail)])
    return values


def _one_of(*values: str) -> tuple[Callable[[str], bool], Label]:
    listed = ", ".join(values)
    return frozenset(values).__contains__, Label(fr=listed, en=listed)


def _is_departement(value: str) -> bool:
    return re.fullmatch(DEPARTEMENT_PATTERN, value) is not None


_NOT_EMPTY: Final = Label(fr="tout texte non vide", en="any text that is not empty")
# How to recognise a value of a parameter, and the text that lists the possible ones.
_RULES: Final[Mapping[str, tuple[Callable[[str], bool], Label]]] = {
    "types": _one_of(*EVENT_TYPES),
    "age_band": _one_of(*AGE_BANDS),
    "atmp_class": _one_of(*ATMP_CLASSES),
    "departement": (_is_departement, _DEPARTEMENTS),
}
