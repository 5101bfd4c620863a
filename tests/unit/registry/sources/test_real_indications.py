"""Real trials of advanced therapies: which are listed for patients of a disease, and what the scope gate says."""

import json
import lzma
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.registry.model.trial import TrialInput
from services.registry.scope.gate import judge
from services.registry.sources.ctgov import read_study
from services.registry.terminology.terminology import builtin

pytestmark = [pytest.mark.real_data, pytest.mark.full]
# Trials by disease, sorted out by hand: `trials` are for it, `also` are wider, narrower or unclear.
BY_HAND = Path(__file__).parents[3] / "data" / "trials_of_diseases.json"


def records(folder: Path, files: str) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob(files)):
        if path.suffix == ".xz":
            with lzma.open(path, "rt", encoding="utf-8") as stored:
                yield from (json.loads(line) for line in stored)
        else:
            yield json.loads(path.read_text(encoding="utf-8"))


def codes_of(trial: TrialInput) -> set[str]:
    return {one.code for one in trial.conditions if one.role == "target" and one.code is not None}


@pytest.mark.skipif(not BY_HAND.exists(), reason="no trials sorted out by hand")
def test_nearly_all_trials_of_a_disease_are_listed_for_its_patients_and_few_others(real_data, figure):
    terminology = builtin()
    trials = {
        reading.source_id: codes_of(reading.trial)
        for reading in (read_study(record, terminology) for record in records(real_data, "ctgov_atmp/*.json"))
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


@pytest.mark.parametrize(
    "files", ["ctgov_atmp/*.json", "ctgov_v2_native/studies.jsonl.xz", "ctgov_oncology_decoys/decoys.jsonl.xz"]
)
def test_the_scope_gate_accepts_no_trial_of_a_cancer(real_data, files, figure):
    answers: Counter[str] = Counter()
    for record in records(real_data, files):
        answers[judge(read_study(record, builtin()).trial, builtin()).answer] += 1
    figure(f"scope of {files}", dict(answers))
    if "decoys" in files:
        assert answers["in_scope"] == 0
