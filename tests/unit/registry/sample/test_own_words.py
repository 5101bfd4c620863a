"""The sample is written from facts: no sentence of a registry record is copied."""

import json
import re
from pathlib import Path

import pytest

import services.registry.sample

FOLDER = Path(services.registry.sample.__file__).parent
RUN = 8
pytestmark = pytest.mark.real_data


def texts(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in ("locations", "expr", "identifiers"):
                yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


def runs(text):
    words = re.findall(r"\w+", text.casefold())
    return {tuple(words[place : place + RUN]) for place in range(len(words) - RUN + 1)}


def test_no_eight_words_in_a_row_are_the_registry_s(real_data):
    own = {}
    for file in (*FOLDER.glob("trials/*.json"), *FOLDER.glob("criteria/*.json")):
        for text in texts(json.loads(file.read_text(encoding="utf-8"))):
            own.update(dict.fromkeys(runs(text), (file.name, text)))
    compared = 0
    for file in sorted((real_data / "ctgov_atmp").glob("*.json")):
        section = json.loads(file.read_text(encoding="utf-8"))["protocolSection"]
        written = [
            section.get("eligibilityModule", {}).get("eligibilityCriteria"),
            *texts(section.get("descriptionModule", {})),
        ]
        for text in filter(None, written):
            compared += 1
            assert [own[run] for run in runs(text) & own.keys()] == [], file.name
    assert compared > 40
