"""The words for the codes of the API, in French and English: read from the ``codes.json`` of the pages and features."""

import json
from pathlib import Path

# group → code → (French, English). A group is in one file only.
WORDS: dict[str, dict[str, tuple[str, str]]] = {
    group: {code: (pair["fr"], pair["en"]) for code, pair in codes.items()}
    for file in sorted(Path(__file__).parents[1].glob("*/codes.json"))
    for group, codes in json.loads(file.read_text(encoding="utf-8")).items()
}
