"""Records that are cut, of wrong types, in another order or too long: the rest is read, and no value is repeated."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from services.registry.sources.persons import without_persons
from services.registry.sources.registers.ctis import CtisReader
from services.registry.terminology.terminology import Terminology
from tests.unit.registry.sources.registers.corpus import READERS, real_records, resolves, trial_of

TERMS = Terminology.from_json({"diseases": []})
SECRET = "VALUE-0815"
WRONG: list[Any] = [
    None, True, -1, 3.5, 10**30, "", SECRET, "\x00\ud800", [], [SECRET], [[]], {}, {SECRET: SECRET}, "2024-13-45",
    "45/13/2024", "x" * (1024 * 1024), [None, 1, {"a": []}],
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each value below the top."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


def with_value(record: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.copy(record)
    changed[path[0]] = value if len(path) == 1 else with_value(record[path[0]], path[1:], value)
    return changed


def checked(source: str, record: Any) -> None:
    reader = READERS[source]
    record = without_persons(record)
    reader.parts(record)
    read = reader.read(record, TERMS)
    trial_of(source, read.reading)
    for warning in read.warnings:
        assert SECRET not in warning.detail.en + warning.detail.fr
        assert resolves(record, warning.pointer)


@pytest.mark.real_data
@pytest.mark.parametrize("source", READERS)
def test_a_wrong_value_anywhere_leaves_the_rest_readable(real_data, source):
    chance = random.Random(20240617)
    numbers = {"ctis": {("ctNumber",)}, "isrctn": {("isrctn",)}, "eclaire": {("resourceType",)}, "euctr": set()}
    for record in real_records(real_data, source)[:6]:
        read = [path for path in places(READERS[source].parts(record)) if path not in numbers[source]]
        for path in chance.sample(read, min(len(read), 40)):
            changed = with_value(record, path, chance.choice(WRONG))
            if source != "euctr" or not str(path[0]).startswith("a2_"):
                checked(source, changed)


@pytest.mark.real_data
@pytest.mark.parametrize("source", READERS)
def test_the_order_of_members_does_not_matter(real_data, source):
    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: turned(value[key]) for key in reversed(value)}
        return [turned(item) for item in value] if isinstance(value, list) else value

    for record in real_records(real_data, source)[:4]:
        reading = READERS[source].read(record, TERMS).reading
        assert READERS[source].read(turned(record), TERMS).reading == reading


@pytest.mark.parametrize("record", [None, [], "x", {}, {"ctNumber": 1}, {"ctNumber": "NCT01234567"}])
def test_what_is_no_record_is_refused(record):
    for reader in READERS.values():
        with pytest.raises(Exception, match=r".*") as fault:
            reader.source_id(record)
        assert type(fault.value).__name__ == "InvalidStudyError"


def test_lists_and_texts_are_bounded():
    application = {
        "authorizedPartI": {
            "trialDetails": {
                "trialInformation": {
                    "endPoint": {"primaryEndPoints": [{"endPoint": "pain " * 3_000}] * 60},
                    "eligibilityCriteria": {
                        "principalInclusionCriteria": [{"principalInclusionCriteria": "Adults " * 200}] * 100
                    },
                }
            }
        }
    }
    read = CtisReader().read({"ctNumber": "2023-505613-24-00", "authorizedApplication": application}, TERMS)
    trial = trial_of("ctis", read.reading)
    assert len(trial.primary_outcomes) == 50
    assert trial.eligibility.text is None
    assert {warning.code for warning in read.warnings} == {"too_many", "too_long"}
    assert len(json.dumps(trial.model_dump(mode="json"))) < 50_000
