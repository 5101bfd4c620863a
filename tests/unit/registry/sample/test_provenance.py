"""Every stated fact of a real trial of the sample has a source and the day on which it was checked."""

import json
from datetime import date
from pathlib import Path

import pytest

import services.registry.sample

FOLDER = Path(services.registry.sample.__file__).parent
OWN = {"/sample", "/illustrative"}  # flags of the sample, not facts of the trial


def read(folder):
    return {
        file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted((FOLDER / folder).glob("NCT*.json"))
    }


TRIALS, CRITERIA, PROVENANCE = read("trials"), read("criteria"), read("provenance")


def stated(value, pointer=""):
    """Yield the JSON Pointers of all values but those that say nothing: null, false, an empty list."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from stated(inner, f"{pointer}/{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from stated(inner, f"{pointer}/{index}")
    elif value is not None and value is not False:
        yield pointer


def facts(name):
    """Return the pointers of what the sample says of a trial, its criteria as `/criteria/<id>`."""
    document = CRITERIA.get(name)
    criteria = [f"/criteria/{criterion['id']}" for criterion in document["criteria"]] if document else []
    lead_time = ["/lead_time"] if document and document.get("lead_time") else []
    return {*stated(TRIALS[name]), *criteria, *lead_time} - OWN


def covers(entry, pointer):
    return pointer == entry or pointer.startswith(f"{entry}/")


def test_every_real_trial_has_its_sources():
    assert TRIALS
    assert PROVENANCE.keys() == TRIALS.keys()


@pytest.mark.parametrize("name", TRIALS)
def test_every_stated_fact_of_a_real_trial_has_a_source(name):
    entries = PROVENANCE[name]
    assert {pointer for pointer in facts(name) if not any(covers(entry, pointer) for entry in entries)} == set()


@pytest.mark.parametrize("name", TRIALS)
def test_a_source_belongs_to_a_stated_fact_and_is_dated(name):
    for entry, given in PROVENANCE[name].items():
        assert any(covers(entry, pointer) for pointer in facts(name)), entry
        assert given.keys() == {"source", "ref", "checked"}, entry
        assert given["source"].strip(), entry
        assert given["ref"].strip(), entry
        assert date.fromisoformat(given["checked"]), entry


@pytest.mark.parametrize("name", CRITERIA)
def test_criteria_that_were_read_in_part_are_never_complete(name):
    """A trial whose text was read in part asks a person for the rest, so that it is never `compatible`."""
    partial = "not read" in PROVENANCE[name].get("/criteria/I-OTHER", {}).get("ref", "")
    rest = [criterion for criterion in CRITERIA[name]["criteria"] if criterion["id"] == "I-OTHER"]
    assert bool(rest) == partial
    for criterion in rest:
        assert criterion["expr"]["type"] == "human"
        assert criterion["expr"]["role"] == "clinician"
        assert name.lower() in criterion["expr"]["question"]
