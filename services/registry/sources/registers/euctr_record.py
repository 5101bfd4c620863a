"""The two forms of EUCTR records: flat (keys such as ``a3_full_title_of_the_trial``), and by section of the form.

The form by section (keys such as ``A.3 Full title of the trial``) is converted to the flat one, which is what the
reader reads. In both, the number of a question of the form is the beginning of its key.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

_SECTION: Final = re.compile(r"[A-P]\. ")
# "D.I1.3.11.3 Advanced Therapy": the question 3.11.3 of section D for the first product; "B.S1.1.1": first sponsor.
_QUESTION: Final = re.compile(r"([A-P])\.(?:([ISP])([0-9]{1,3})\.)?([0-9]{1,2}(?:\.[0-9]{1,2})*)\b\s*(.*)", re.DOTALL)
_LANGUAGE: Final = re.compile(r"\(([a-z]{2})\)$")
_HEAD: Final = {
    "EudraCT Number": "a2",
    "Trial Status": "x5_trial_status",
    "Date on which this record was first entered in the EudraCT database": "x6",
    "P. End of Trial Status": "p_end_of_trial_status",
    "P. Date of the global end of the trial": "p_date_of_the_global_end_of_the_trial",
}
_ROWS: Final = {"I": "dimp", "S": "b1_sponsor"}
_CODE: Final = re.compile(r"[a-z][0-9]+")
# Parts that are filled in several times, not answers.
_REPEATED: Final = frozenset(
    (
        *("b1_sponsor", "b4_sources_of_monetary_or_material_support", "e12_meddra_classification"),
        *("d38_imp_identification_details", "g4_investigator_networks"),
    )
)


def flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record by section as a flat record; a flat one as it is."""
    if not any(_SECTION.match(name) for name in record):
        return dict(record)
    found: dict[str, Any] = {}
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    for name, value in record.items():
        for question, answer in (value if isinstance(value, dict) else {name: value}).items():
            if question in _HEAD:
                found.setdefault(_HEAD[question], answer)
            elif (parts := _QUESTION.match(question)) and (parts[2] is None or parts[2] in _ROWS):
                row = found if parts[2] is None else rows.setdefault((_ROWS[parts[2]], int(parts[3])), {})
                row.setdefault(_flat_key(parts[1], parts[4], parts[5]), answer)
    for (name, _), row in sorted(rows.items()):
        found.setdefault(name, []).append(row)
    return found


def _flat_key(section: str, number: str, words: str) -> str:
    code = section.lower() + number.replace(".", "")
    language = _LANGUAGE.search(words)
    if language is not None:
        return f"{code}_{language[1]}"
    # A MedDRA term has five answers under one number.
    return f"{code}_term" if words == "Term" else f"{code}_{words.lower()}" if code == "e12" else code


def keys_by_code(record: Mapping[str, Any]) -> dict[str, str]:
    """Return the key of each question, by its number: ``a31``. The answers in other languages have longer keys."""
    found: dict[str, str] = {}
    for key in sorted(record, key=len):
        code = _CODE.match(key)
        if code is not None and key not in _REPEATED:
            found.setdefault(code[0], key)
    return found
