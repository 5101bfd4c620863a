"""The words for codes."""

import json
from collections import Counter
from pathlib import Path

from services.portal.pages import codes


def test_each_group_of_words_is_in_one_file() -> None:
    files = Path(codes.__file__).parents[1].glob("*/codes.json")
    groups = Counter(group for file in files for group in json.loads(file.read_text(encoding="utf-8")))
    assert [group for group, count in groups.items() if count > 1] == []
