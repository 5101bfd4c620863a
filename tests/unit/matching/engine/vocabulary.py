"""The small terminology of the hand-written cases."""

import json
from pathlib import Path

from services.matching.engine import Terminology
from services.matching.engine.terminology import State

CASES = Path(__file__).parent / "cases"


def read_terminology():
    links = json.loads((CASES / "terminology.json").read_text())
    states = {code: State(*state) for code, state in links.pop("states").items()}
    return Terminology(**links, states=states)


TERMINOLOGY = read_terminology()
