"""Eligibility texts of registries in every format: their criteria, the kind of each, and that no word is lost."""

import json
import lzma
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.sources.eligibility_lines import eligibility_lines

CASES = json.loads((Path(__file__).parent / "eligibility_formats.json").read_text(encoding="utf-8"))
INCLUDES = (
    "Inclusion Criteria:",
    "Key inclusion criteria",
    "Critères d'inclusion :",
    "PRINCIPAUX CRITERES D'INCLUSION",
    "Patients who meet all of the following are eligible:",
    "Peuvent être inclus les patients :",
    "<b>Inclusion Criteria</b>:",
)
EXCLUDES = (
    "Exclusion Criteria:",
    "List of exclusion criteria:",
    "Critères de non-inclusion :",
    "Critères d'exclusion secondaire",
    "Subjects who meet any of the following will be excluded:",
    "Ne peuvent pas être inclus les patients :",
    "Patients are not eligible if:",
)
BULLETS = ("- {}", "* {}", "{number}. {}", "({number}) {}", "• {}", "{letter}) {}", "  -  {}")
FRAGMENTS = (
    *INCLUDES,
    *EXCLUDES,
    *(
        "\n",
        "\n\n",
        "- ",
        "* ",
        "1. ",
        "2. ",
        "• ",
        ": ",
        "; ",
        ". ",
        "<br>",
        "<li>",
        "</ul>",
        "<ul>",
        "   ",
        " or",
        " and",
    ),
    *("HIV", "Cohort 1", "Renal disease:", "one of the following:", "patients", "are excluded", "not", "\\>", "&lt;"),
)


def lines_of(text: str) -> list[list[str | None]]:
    return [[line.kind, line.text] for line in eligibility_lines(text)]


@pytest.mark.parametrize("case", CASES, ids=[case["format"] for case in CASES])
def test_a_text_is_split_into_its_criteria(case):
    assert lines_of(case["text"]) == case["lines"]


def names(count: int) -> list[str]:
    """Return words that stand for criteria and mean nothing."""
    return [f"zq{chr(97 + number // 26)}{chr(97 + number % 26)}" for number in range(count)]


@st.composite
def written_lists(draw: st.DrawFn) -> tuple[str, list[str], list[str]]:
    """Return a text in one of many formats, and the criteria that include and exclude."""
    words = names(8)
    included, excluded = words[: draw(st.integers(1, 4))], words[4 : 4 + draw(st.integers(1, 4))]
    parts = []
    for title, items in ((draw(st.sampled_from(INCLUDES)), included), (draw(st.sampled_from(EXCLUDES)), excluded)):
        bullet = draw(st.sampled_from(BULLETS))
        lines = [
            bullet.format(f"Known {word}", number=place + 1, letter=chr(97 + place)) for place, word in enumerate(items)
        ]
        gap = draw(st.sampled_from(("\n", "\n\n", "<br>", "<br/>\n")))
        parts.append(gap.join([title, *lines]))
    return draw(st.sampled_from(("\n", "\n\n"))).join(parts), included, excluded


@given(written_lists())
def test_headings_of_any_wording_and_lists_of_any_notation_keep_kinds_apart(written):
    text, included, excluded = written
    expected = [["include", f"Known {word}"] for word in included] + [["exclude", f"Known {word}"] for word in excluded]
    assert lines_of(text) == expected


@given(st.lists(st.sampled_from((*FRAGMENTS, *names(12))), max_size=40))
def test_no_word_is_lost_and_criteria_do_not_overlap(fragments):
    text = " ".join(fragments)
    lines = eligibility_lines(text)
    shown = " ".join(line.text for line in lines)
    for word in re.findall(r"zq\w\w", text):
        assert word in shown
    assert [line.start for line in lines] == sorted(line.start for line in lines)
    assert all(0 <= line.start < line.end <= len(text) for line in lines)
    assert all(before.end <= after.start for before, after in pairwise(lines))


def real_texts(folder: Path, files: str) -> Iterator[str]:
    for path in sorted(folder.glob(files)):
        if path.suffix == ".xz":
            with lzma.open(path, "rt", encoding="utf-8") as stored:
                records = [json.loads(line) for line in stored]
        else:
            records = [json.loads(path.read_text(encoding="utf-8"))]
        for record in records:
            text = record["protocolSection"].get("eligibilityModule", {}).get("eligibilityCriteria")
            if text:
                yield text


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("files", "unclear"),
    [
        ("ctgov_atmp/*.json", 0.13),
        ("ctgov_v2_native/studies.jsonl.xz", 0.03),
        pytest.param("ctgov_scale/full_7071.jsonl.xz", 0.40, marks=pytest.mark.full),
    ],
)
def test_real_texts_say_of_nearly_every_criterion_whether_it_includes_or_excludes(real_data, files, unclear, figure):
    total = without = 0
    for text in real_texts(real_data, files):
        lines = eligibility_lines(text)
        total += len(lines)
        without += sum(1 for line in lines if line.kind is None)
        outside = text
        for line in reversed(lines):
            outside = outside[: line.start] + outside[line.end :]
        # What stands in no criterion is a heading, or a sub-heading that the criteria below it repeat.
        shown = " ".join(line.text for line in lines)
        for heading in (" ".join(part.split()) for part in outside.split("\n")):
            plain = re.sub(r"^[\W\d]+", "", heading).replace("\\", "")
            known = re.search(
                r"clusi|clud|clus|ligib|criteri|following|none|must|required|meet|not |admi|entry|have",
                plain,
                re.IGNORECASE,
            )
            assert not re.search(r"[^\W\d_]{3}", plain) or known or plain in shown, plain
    figure(f"eligibility lines of {files}", {"lines": total, "of unknown kind": without})
    assert without <= unclear * total
