"""Every real record of the registers is read; two of each are checked by hand (``hand_checked.json``)."""

import json
from collections import Counter
from pathlib import Path

import pytest

from services.registry.merge.fields import at_path, is_empty
from services.registry.sources.eligibility_lines import eligibility_lines
from services.registry.sources.registry_criteria import registry_criteria
from services.registry.terminology.terminology import builtin
from shared.criteria.model import CriteriaDocument
from tests.unit.registry.sources.registers.corpus import READERS, real_records, resolves, trial_of

HERE = Path(__file__).parent
COUNTS = {"ctis": 3, "euctr": 101, "isrctn": 9, "eclaire": 20}
GIVEN = json.loads((HERE / "given.json").read_text("utf-8"))
HAND_CHECKED = json.loads((HERE / "hand_checked.json").read_text("utf-8"))

pytestmark = pytest.mark.real_data


@pytest.mark.parametrize("source", READERS)
def test_every_real_record_is_read(real_data, source, figure):
    reader, given = READERS[source], Counter()
    records = real_records(real_data, source)
    for record in records:
        read = reader.read(record, builtin())
        trial = trial_of(source, read.reading)
        given.update(path for path, value in read.reading.values.items() if not is_empty(value))
        CriteriaDocument.model_validate_json(json.dumps({**registry_criteria(trial, builtin()), "version": 1}))
        assert all(resolves(record, warning.pointer) for warning in read.warnings)
        assert reader.source_id(json.loads(json.dumps(reader.parts(record)))) == reader.source_id(record)
        assert reader.read(reader.parts(record), builtin()).reading.values.keys() >= (
            read.reading.values.keys() - {"dates.last_update"}
        )
    assert len(records) == COUNTS[source]
    for path, count in sorted(given.items()):
        figure(f"{source}: {path}", f"given by {count} of {len(records)} records")
    assert dict(given) == GIVEN[source]


@pytest.mark.parametrize(("source", "source_id"), [(one["source"], one["id"]) for one in HAND_CHECKED])
def test_the_fields_of_a_record_are_those_that_a_person_read_in_it(real_data, source, source_id):
    reader = READERS[source]
    (expected,) = (one["fields"] for one in HAND_CHECKED if (one["source"], one["id"]) == (source, source_id))
    same = [one for one in real_records(real_data, source) if reader.source_id(one) == source_id]
    record = max(same, key=lambda one: len(json.dumps(one)))  # some are there several times, in part
    trial = trial_of(source, reader.read(record, builtin()).reading).model_dump(mode="json")
    found = {path: at_path(trial, path) for path in expected}
    assert found == expected


def test_each_criterion_of_a_list_is_one_line(real_data):
    for record in real_records(real_data, "ctis"):
        part = record.get("authorizedApplication", record)["authorizedPartI"]
        criteria = part["trialDetails"]["trialInformation"]["eligibilityCriteria"]
        lines = eligibility_lines(trial_of("ctis", READERS["ctis"].read(record, builtin()).reading).eligibility.text)
        for kind, key in (("include", "principalInclusionCriteria"), ("exclude", "principalExclusionCriteria")):
            assert sum(line.kind == kind for line in lines) >= len(criteria[key])
        assert all(line.kind is not None for line in lines)
