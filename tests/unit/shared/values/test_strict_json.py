import pytest

from shared.values.problems import MalformedJsonError
from shared.values.strict_json import Limits, loads

SECRET = "DUPONT"

REFUSED = [
    (b'{"a": 1, "a": 2}', "duplicate_key", ""),
    (b'{"a": {"b": 1, "b": 2}}', "duplicate_key", "/a"),
    (b'{"a": NaN}', "not_a_number", "/a"),
    (b'{"a": [1, -Infinity]}', "not_a_number", "/a/1"),
    (b'{"a": 9007199254740992}', "number_too_large", "/a"),
    (b'{"a": 1e999}', "number_too_large", "/a"),
    (b'{"a": ' + b"9" * 5000 + b"}", "number_too_large", "/a"),
    (b'{"a": ' + b"[" * 100_000, "too_deep", ""),
    (b'{"a": "\\ud800"}', "lone_surrogate", "/a"),
    (b'{"a": "x\\u0000"}', "control_character", "/a"),
    (b'{"\\ud800": 1}', "lone_surrogate", ""),
    (b'{"a": "' + b"x" * 10_001 + b'"}', "string_too_long", "/a"),
    (b'{"a": [' + b",".join([b"1"] * 1001) + b"]}", "array_too_long", "/a"),
    (b'{"a": [' + b",".join([b"[" + b",".join([b"1"] * 999) + b"]"] * 11) + b"]}", "too_many_values", ""),
    (b"[1]", "not_an_object", ""),
    (b'"DUPONT"', "not_an_object", ""),
    (b'{"a": DUPONT}', "syntax", ""),
    (b"", "syntax", ""),
    (b"{", "syntax", ""),
    (b'{"a": "\xff"}', "not_utf8", ""),
]


@pytest.mark.parametrize(("body", "code", "pointer"), REFUSED)
def test_json_that_lenient_parsers_accept_is_refused_with_its_place(body: bytes, code: str, pointer: str) -> None:
    with pytest.raises(MalformedJsonError) as refused:
        loads(body)
    (fault,) = refused.value.faults
    assert (fault.code, fault.pointer) == (code, pointer)
    assert SECRET not in fault.model_dump_json()


def test_good_json_passes_unchanged() -> None:
    body = (
        '{"name": "é\\u00e9", "deep": [[[{"a": [1, 2.5, -3, true, null]}]]], '
        '"brackets": "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "quote": "\\"["}'
    )
    assert loads(body.encode())["deep"] == [[[{"a": [1, 2.5, -3, True, None]}]]]


def test_a_resource_may_allow_longer_texts() -> None:
    body = b'{"a": "' + b"x" * 20_000 + b'"}'
    assert len(loads(body, Limits(string=20_000))["a"]) == 20_000


def test_a_long_key_is_not_repeated() -> None:
    with pytest.raises(MalformedJsonError) as refused:
        loads(b'{"Jean DUPONT, born 1.2.1980": NaN}')
    assert refused.value.faults[0].pointer == ""


@pytest.mark.parametrize(("levels", "passes"), [(31, True), (32, False)])
@pytest.mark.parametrize(("opens", "closes"), [("[", "]"), ('{"b":', "}")])
def test_depth_is_counted_over_objects_and_arrays_alike(levels: int, opens: str, closes: str, *, passes: bool) -> None:
    body = ('{"a":' + opens * levels + "1" + closes * levels + "}").encode()
    if passes:
        assert loads(body)
        return
    with pytest.raises(MalformedJsonError) as refused:
        loads(body)
    assert refused.value.faults[0].code == "too_deep"


def test_commas_and_brackets_in_texts_do_not_count() -> None:
    text = ",[{" * 3_000 + '\\"' + ",[{" * 300
    assert loads(f'{{"a": ["{text}", "{text}"]}}'.encode())["a"][1].count(",") == 3_300
