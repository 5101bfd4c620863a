"""Event types are those that the services send."""

import re
from pathlib import Path

from shared.vocabulary.events import EVENT_TYPES

REGISTRY = Path(__file__).parents[4] / "services" / "registry"
KINDS = "|".join(sorted({one.partition(".")[0] for one in EVENT_TYPES}))


def test_every_type_is_sent_and_every_sent_type_is_listed() -> None:
    # The type of a revocation stands in the shared code that reads it. `model/events.py` describes what readers get.
    described = REGISTRY / "model" / "events.py"
    sources = [
        *(file for file in REGISTRY.rglob("*.py") if file != described),
        *(REGISTRY.parents[1] / "shared" / "access").rglob("*.py"),
    ]
    code = "".join(file.read_text(encoding="utf-8") for file in sources)
    sent = set(re.findall(rf'"((?:{KINDS})\.(?!read|write)[a-z_]+)"', code))
    assert sent == set(EVENT_TYPES)
