"""Real trials of advanced therapies: which of them are listed for the patients of a disease."""

import json
from pathlib import Path

import pytest

from services.registry.model.trial import TrialInput
from services.registry.sources.ctgov import read_study
from services.registry.terminology.terminology import builtin

pytestmark = [pytest.mark.real_data, pytest.mark.full]
# Trials by disease, sorted out by hand: `trials` are for it, `also` are wider, narrower or unclear.
BY_HAND = Path(__file__).parents[3] / "data" / "trials_of_diseases.json"


def codes_of(trial: TrialInput) -> set[str]:
    return {one.code for one in trial.conditions if one.role == "target" and one.code is not None}


def test_nearly_all_trials_of_a_disease_are_listed_for_its_patients_and_few_others(real_data, figure):
    terminology = builtin()
    trials = {
        reading.source_id: codes_of(reading.trial)
        for reading in (
            read_study(json.loads(path.read_text(encoding="utf-8")), terminology)
            for path in sorted((real_data / "ctgov_atmp").glob("*.json"))
        )
    }
    wanted = found = listed = wrong = 0
    missing, strangers = [], []
    for row in json.loads(BY_HAND.read_text(encoding="utf-8"))["diseases"]:
        code = row["codes"][0]
        same, wider = terminology.same_as(code), terminology.ancestors(code)
        # A patient whose code is wider than the indication is asked for the exact disease: the trial is listed too.
        here = {
            number
            for number, codes in trials.items()
            if codes & (same | wider) or any(same & terminology.ancestors(one) for one in codes)
        }
        expected = set(row["trials"])
        others = here - expected - set(row["also"])
        wanted, found = wanted + len(expected), found + len(expected & here)
        listed, wrong = listed + len(here), wrong + len(others)
        missing += sorted(expected - here)
        strangers += sorted(others)
    figure("trials listed for their disease", f"{found} of {wanted}; missing {' '.join(missing)}")
    figure("trials listed for another disease", f"{wrong} of {listed}; {' '.join(strangers)}")
    assert found >= 0.95 * wanted
    assert wrong <= 0.02 * listed
