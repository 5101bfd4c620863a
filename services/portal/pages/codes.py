"""The words for the codes of the API, in French and English: read from ``codes.json``."""

import json
from pathlib import Path

# group → code → (French, English)
WORDS: dict[str, dict[str, tuple[str, str]]] = {
    group: {code: (pair["fr"], pair["en"]) for code, pair in codes.items()}
    for group, codes in json.loads(Path(__file__).with_name("codes.json").read_text(encoding="utf-8")).items()
}
