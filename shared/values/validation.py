"""Validation errors of pydantic as faults: they name the expected form and never repeat what was sent."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

from pydantic_core.core_schema import ErrorType

from shared.values.forms import form_of
from shared.values.json_pointer import escape
from shared.values.problems import Fault
from shared.values.wire import Label

_TEXTS: dict[str, Label] = {
    "missing": Label(fr="ce champ est requis", en="this field is required"),
    "extra_forbidden": Label(fr="ce champ est inconnu", en="this field is unknown"),
    "string_type": Label(fr="un texte est attendu", en="a string is expected"),
    "int_type": Label(fr="un entier est attendu", en="an integer is expected"),
    "int_from_float": Label(fr="un entier est attendu", en="an integer is expected"),
    "int_parsing": Label(fr="un entier est attendu", en="an integer is expected"),
    "float_type": Label(fr="un nombre est attendu", en="a number is expected"),
    "float_parsing": Label(fr="un nombre est attendu", en="a number is expected"),
    "finite_number": Label(fr="un nombre fini est attendu", en="a finite number is expected"),
    "bool_type": Label(fr="un booléen est attendu : true ou false", en="a boolean is expected: true or false"),
    "bool_parsing": Label(fr="un booléen est attendu : true ou false", en="a boolean is expected: true or false"),
    "list_type": Label(fr="une liste est attendue", en="a list is expected"),
    "dict_type": Label(fr="un objet est attendu", en="an object is expected"),
    "model_type": Label(fr="un objet est attendu", en="an object is expected"),
    "model_attributes_type": Label(fr="un objet est attendu", en="an object is expected"),
    "date_form": Label(
        fr="une date s'écrit AAAA-MM-JJ et doit exister", en="a date is written YYYY-MM-DD and must exist"
    ),
    "instant_form": Label(
        fr="un instant s'écrit en UTC avec un Z final (RFC 3339), p. ex. 2026-01-31T08:30:00Z",
        en="an instant is written in UTC, ending in Z (RFC 3339), e.g. 2026-01-31T08:30:00Z",
    ),
}
_REFUSED = Label(fr="valeur refusée", en="value refused")
_MAX_ALLOWED = 20
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'")
_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
_PYDANTIC_TYPES = frozenset(get_args(ErrorType))


def _expected_form(context: Mapping[str, Any]) -> Label:
    fr, en = form_of(str(context["pattern"]))
    return Label(fr=f"forme attendue : {fr}", en=f"expected form: {en}")


def _allowed_values(quoted: str) -> Label:
    """``quoted``: our own allowed values, as pydantic lists them: ``'a', 'b' or 'c'``."""
    values = _QUOTED.findall(quoted)
    shown = ", ".join(values[:_MAX_ALLOWED]) + (", …" if len(values) > _MAX_ALLOWED else "")
    if len(values) == 1:
        return Label(fr=f"la seule valeur permise est {shown}", en=f"the only allowed value is {shown}")
    return Label(fr=f"valeurs permises : {shown}", en=f"allowed values: {shown}")


def _bound(key: str, fr: str, en: str) -> Callable[[Mapping[str, Any]], Label]:
    return lambda context: Label(fr=fr.format(context[key]), en=en.format(context[key]))


# Only the parts of the context that come from our own models: others may be the input.
_FROM_CONTEXT: dict[str, Callable[[Mapping[str, Any]], Label]] = {
    "string_pattern_mismatch": _expected_form,
    "literal_error": lambda context: _allowed_values(str(context["expected"])),
    "enum": lambda context: _allowed_values(str(context["expected"])),
    "union_tag_invalid": lambda context: _allowed_values(str(context["expected_tags"])),
    "union_tag_not_found": _bound("discriminator", "le champ {} est requis", "the field {} is required"),
    "string_too_long": _bound("max_length", "au plus {} caractères", "at most {} characters"),
    "string_too_short": _bound("min_length", "au moins {} caractère(s)", "at least {} character(s)"),
    "too_long": _bound("max_length", "au plus {} éléments", "at most {} items"),
    "too_short": _bound("min_length", "au moins {} élément(s)", "at least {} item(s)"),
    "greater_than_equal": _bound("ge", "au moins {}", "at least {}"),
    "greater_than": _bound("gt", "plus de {}", "more than {}"),
    "less_than_equal": _bound("le", "au plus {}", "at most {}"),
    "less_than": _bound("lt", "moins de {}", "less than {}"),
}


def faults(errors: Sequence[Any], prefix: str = "") -> list[Fault]:
    """Translate pydantic's errors into faults with a place, a code and a text of ours; the input is dropped.

    An unknown key is part of the pointer only if it looks like a field name: any other key could be data.
    """
    found = []
    for error in errors[:50]:
        places = list(error["loc"])
        if error["type"] == "extra_forbidden" and not _FIELD_NAME.fullmatch(str(places[-1])):
            places.pop()
        pointer = prefix + "".join(f"/{escape(part)}" for part in places)
        found.append(Fault(pointer=pointer, code=error["type"], detail=_text_of(error)))
    return found


def _text_of(error: Any) -> Label:
    kind, context = error["type"], error.get("ctx", {})
    if kind in _TEXTS:
        return _TEXTS[kind]
    if kind in _FROM_CONTEXT:
        return _FROM_CONTEXT[kind](context)
    if kind in _PYDANTIC_TYPES:
        return _REFUSED  # its message may quote the input
    # Raised by one of our own validators: its text is a constant, with the French one in the context.
    return Label(fr=str(context.get("fr", error["msg"])), en=error["msg"])
