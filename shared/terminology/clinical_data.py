"""Clinical knowledge that the engine reads beside the codes; each entry of a file names its source.

The files are in `data/`: tests that show a concept, what falsifies a result, reference transcripts of genes, doses of
glucocorticoids, half-lives, and the lengths of the exons of DMD.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from importlib import resources
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class ShownConcept:
    """A concept that a test is about. ``present``, ``absent``: whether a positive, a negative result shows it."""

    concept: str
    present: bool
    absent: bool


@dataclass(frozen=True, slots=True)
class Invalidation:
    """Results that do not count.

    ``name_fr``, ``name_en``: which results after what. ``results``: their codes; ``variants``: whether genetic results
    are meant too; ``positive_only``: whether negative ones stay valid. They do not count after one of the causes
    ``after``, for ``within`` (ISO duration; None: for ever), or before the age ``younger_than``.
    """

    name_fr: str
    name_en: str
    results: frozenset[str]
    variants: bool
    positive_only: bool
    after: frozenset[str]
    within: str | None
    younger_than: str | None


def _read(name: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = json.loads(resources.files(__package__).joinpath("data", name).read_text("utf-8"))
    return found


def _tests() -> dict[str, tuple[ShownConcept, ...]]:
    found: dict[str, tuple[ShownConcept, ...]] = {}
    for one in _read("tests.json"):
        for code in one["tests"]:
            shown = ShownConcept(one["concept"], one["shows_present"], one["shows_absent"])
            found[code] = (*found.get(code, ()), shown)
    return found


TESTS: Final[Mapping[str, tuple[ShownConcept, ...]]] = _tests()
"""What each test shows, by its code."""

INVALIDATIONS: Final = tuple(
    Invalidation(
        one["name"]["fr"],
        one["name"]["en"],
        frozenset(one.get("results", ())),
        one.get("variants", False),
        one.get("positive_only", False),
        frozenset(one.get("after", ())),
        one.get("within"),
        one.get("younger_than"),
    )
    for one in _read("invalidated_results.json")
)

AGE_DEPENDENT: Final = frozenset(code for one in INVALIDATIONS if one.younger_than for code in one.results)
"""Results that count only from some age on."""

REFERENCE_TRANSCRIPTS: Final[Mapping[str, str]] = {
    one["gene"]: one["transcript"] for one in _read("reference_transcripts.json")
}
"""The reference transcript of each gene, without its version."""

PREDNISONE_EQUIVALENTS: Final[Mapping[str, Fraction]] = {
    one["code"]: Fraction(5) / Fraction(str(one["mg"]))
    for one in _read("glucocorticoid_equivalents.json")
    if one.get("mg") is not None and not one.get("possible_replacement")
}
"""The factor from a dose to that of prednisone, by the ATC code; without those that have no agreed equivalent."""

HALF_LIVES: Final[Mapping[str, Fraction]] = {
    one["code"]: Fraction(str(one["days"])) for one in _read("half_lives.json")
}
"""The elimination half-life of each medicine in days, by its ATC code."""

DMD_EXON_LENGTHS: Final[Mapping[int, int]] = {one["exon"]: one["length"] for one in _read("dmd_exons.json")}
"""The coding length of each exon of the dystrophin gene in nucleotides; without exon 79, which ends the gene."""
