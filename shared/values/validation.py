"""Validation errors of pydantic as faults, in our own words: they never repeat what was sent."""

import re
from collections.abc import Sequence
from typing import Any, get_args

from pydantic_core.core_schema import ErrorType

from shared.values.json_pointer import escape
from shared.values.problems import Fault
from shared.values.wire import Label

# What pydantic calls an error, in words. Anything else is told by its code alone.
_SAYINGS: dict[str, Label] = {
    "missing": Label(fr="ce champ est requis", en="this field is required"),
    "extra_forbidden": Label(fr="ce champ est inconnu", en="this field is unknown"),
    "string_type": Label(fr="un texte est attendu", en="a string is expected"),
    "int_type": Label(fr="un entier est attendu", en="an integer is expected"),
    "float_type": Label(fr="un nombre est attendu", en="a number is expected"),
    "bool_type": Label(fr="un booléen est attendu", en="a boolean is expected"),
    "list_type": Label(fr="une liste est attendue", en="a list is expected"),
    "dict_type": Label(fr="un objet est attendu", en="an object is expected"),
    "model_type": Label(fr="un objet est attendu", en="an object is expected"),
    "model_attributes_type": Label(fr="un objet est attendu", en="an object is expected"),
    "literal_error": Label(fr="valeur hors de la liste permise", en="not one of the allowed values"),
    "string_pattern_mismatch": Label(
        fr="le texte n'a pas la forme attendue", en="the string does not have the expected form"
    ),
    "string_too_long": Label(fr="texte trop long", en="string too long"),
    "string_too_short": Label(fr="texte trop court", en="string too short"),
    "too_long": Label(fr="trop d'éléments", en="too many items"),
    "too_short": Label(fr="pas assez d'éléments", en="not enough items"),
    "date_form": Label(
        fr="une date s'écrit AAAA-MM-JJ et doit exister", en="a date is written YYYY-MM-DD and must exist"
    ),
    "instant_form": Label(
        fr="un instant s'écrit comme dans la RFC 3339, en UTC, avec un Z final",
        en="an instant is written as in RFC 3339, in UTC, ending in Z",
    ),
    "int_parsing": Label(fr="un entier est attendu", en="an integer is expected"),
    "bool_parsing": Label(fr="vrai ou faux est attendu", en="true or false is expected"),
    "greater_than_equal": Label(fr="valeur trop petite", en="value too small"),
    "greater_than": Label(fr="valeur trop petite", en="value too small"),
    "less_than_equal": Label(fr="valeur trop grande", en="value too large"),
    "less_than": Label(fr="valeur trop grande", en="value too large"),
    "finite_number": Label(fr="un nombre fini est attendu", en="a finite number is expected"),
}
_PYDANTIC_KINDS = frozenset(get_args(ErrorType))
_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
_REFUSED = Label(fr="valeur refusée", en="value refused")


def faults(errors: Sequence[Any], prefix: str = "") -> list[Fault]:
    """Pydantic's errors as faults: place, code and a sentence of ours. The rejected input, and any message built from it, is dropped.

    An unknown key stands in the pointer only where it looks like a field's name: anything else could be data.
    """
    found = []
    for error in errors[:50]:
        places = list(error["loc"])
        if error["type"] == "extra_forbidden" and not _FIELD_NAME.fullmatch(str(places[-1])):
            places.pop()
        found.append(
            Fault(
                pointer=prefix + "".join(f"/{escape(part)}" for part in places),
                code=error["type"],
                detail=_say(error),
            )
        )
    return found


def _say(error: Any) -> Label:
    kind = error["type"]
    if kind in _SAYINGS:
        return _SAYINGS[kind]
    if kind in _PYDANTIC_KINDS:
        return _REFUSED  # its message may quote the input
    # One of our own validators: its sentence is a constant; its French stands in the context.
    return Label(fr=str(error.get("ctx", {}).get("fr", error["msg"])), en=error["msg"])
