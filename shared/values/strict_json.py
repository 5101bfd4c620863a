"""Strict JSON: refuses duplicate keys, NaN, lone surrogates, deep nesting and huge numbers, and says where they are."""

import json
import re
from math import isfinite
from typing import Any

from shared.values.json_pointer import escape
from shared.values.problems import Fault, MalformedJsonError
from shared.values.wire import Label

MAX_DEPTH = 32
MAX_NODES = 10_000
MAX_STRING = 10_000
MAX_ARRAY = 1_000
MAX_INTEGER = 2**53 - 1

_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class Limits:
    """Limits of a body: characters of a string, items of an array, values in all.

    ``described``: whether the API describes its fields; else it is a document of another standard.
    """

    def __init__(
        self, *, string: int = MAX_STRING, array: int = MAX_ARRAY, nodes: int = MAX_NODES, described: bool = True
    ) -> None:
        self.described = described
        self.string = string
        self.array = array
        self.nodes = nodes


ORDINARY = Limits()


def _refuse(code: str, fr: str, en: str, pointer: str = "") -> MalformedJsonError:
    return MalformedJsonError(errors=[Fault(pointer=pointer, code=code, detail=Label(fr=fr, en=en))])


class _Fault:
    """Marks a refused value in the parsed tree, until `_walk` finds its place."""

    def __init__(self, code: str, fr: str, en: str) -> None:
        self.texts = (code, fr, en)


_DUPLICATE = _Fault("duplicate_key", "clé répétée dans cet objet", "repeated key in this object")
_NOT_A_NUMBER = _Fault("not_a_number", "NaN et Infinity ne sont pas du JSON", "NaN and Infinity are not JSON")
_TOO_LARGE = _Fault("number_too_large", "nombre trop grand", "number too large")


def _object(pairs: list[tuple[str, Any]]) -> Any:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _DUPLICATE


def _integer(text: str) -> Any:
    return int(text) if len(text) <= 17 and abs(int(text)) <= MAX_INTEGER else _TOO_LARGE


def _float(text: str) -> Any:
    value = float(text)
    return value if isfinite(value) else _TOO_LARGE


def loads(body: bytes, limits: Limits = ORDINARY) -> Any:
    """Parse a JSON object.

    :raises MalformedJsonError: 400, with the place of the fault, without its value.
    """
    unquoted = _STRINGS.sub(b"", body)
    if _is_deep(unquoted):
        raise _refuse("too_deep", f"plus de {MAX_DEPTH} niveaux", f"more than {MAX_DEPTH} levels")
    if unquoted.count(b",") >= limits.nodes:
        raise _too_many(limits)  # before any value is made: each comma separates two
    try:
        parsed = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=lambda _name: _NOT_A_NUMBER,
            parse_int=_integer,
            parse_float=_float,
        )
    except UnicodeDecodeError:
        raise _refuse("not_utf8", "le corps n'est pas de l'UTF-8", "the body is not UTF-8") from None
    except (json.JSONDecodeError, RecursionError):
        raise _refuse("syntax", "erreur de syntaxe JSON", "JSON syntax error") from None
    if not isinstance(parsed, dict):
        if isinstance(parsed, _Fault):
            raise _refuse(*parsed.texts)
        raise _refuse("not_an_object", "un objet est attendu", "an object is expected")
    _walk(parsed, limits)
    return parsed


def _is_deep(unquoted: bytes) -> bool:
    """Remove the innermost pairs of brackets, one level at a time."""
    brackets = unquoted.translate(_ONE_KIND, _NOT_BRACKETS)
    for _ in range(MAX_DEPTH):
        inner = brackets.replace(b"[]", b"")
        if inner == brackets:
            break
        brackets = inner
    # The parser reports brackets that close nothing.
    return b"[]" in brackets or brackets.count(b"[") > MAX_DEPTH


def _too_many(limits: Limits) -> MalformedJsonError:
    return _refuse("too_many_values", f"plus de {limits.nodes} valeurs", f"more than {limits.nodes} values")


def _walk(root: Any, limits: Limits) -> None:
    nodes = 1
    # (object or array, its parent's entry, its key or index): pointers are built only for what is refused.
    pending: list[tuple[Any, Any, str | int]] = [(root, None, "")]
    while pending:
        place = pending.pop()
        within = place[0]
        nodes += len(within)
        if nodes > limits.nodes:
            raise _too_many(limits)
        if type(within) is list and len(within) > limits.array:
            raise _refuse(
                "array_too_long", f"plus de {limits.array} éléments", f"more than {limits.array} items", _pointer(place)
            )
        for step, value in within.items() if type(within) is dict else enumerate(within):
            if type(step) is str:
                _check_string(step, place, limits)
            kind = type(value)
            if kind is str:
                _check_string(value, (value, place, step), limits)
            elif kind is dict or kind is list:
                pending.append((value, place, step))
            elif isinstance(value, _Fault):
                raise _refuse(*value.texts, _pointer((value, place, step)))


def _pointer(place: Any) -> str:
    steps = []
    while place[1] is not None:
        _, outer, step = place
        # A long or unusual key is left out of the pointer: it could be data.
        if isinstance(step, int) or (step.isidentifier() and len(step) <= 40):
            steps.append(f"/{escape(step)}")
        place = outer
    return "".join(reversed(steps))


def _check_string(value: str, place: Any, limits: Limits) -> None:
    if value.isascii() and len(value) <= limits.string and "\x00" not in value:
        return
    if len(value) > limits.string:
        raise _refuse(
            "string_too_long",
            f"plus de {limits.string} caractères",
            f"more than {limits.string} characters",
            _pointer(place),
        )
    if "\x00" in value:
        raise _refuse("control_character", "caractère nul interdit", "NUL is not allowed", _pointer(place))
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise _refuse(
            "lone_surrogate", "caractère Unicode incomplet", "incomplete Unicode character", _pointer(place)
        ) from None
