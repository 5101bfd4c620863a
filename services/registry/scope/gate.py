"""The scope gate: is this a trial of an advanced therapy medicinal product outside oncology?

The indication decides, never the product, the ward, the conditioning or the exclusion text. There are three answers,
each with its reasons; what the rules cannot decide goes to a person for review.
"""

from dataclasses import dataclass
from typing import Final

from services.registry.model.trial import ScopeAnswer, ScopeReason, ScopeVerdict, TrialInput
from services.registry.scope import diseases, products
from services.registry.scope.diseases import DiseaseReading
from services.registry.scope.products import ProductReading
from services.registry.terminology.terminology import Terminology
from shared.values.wire import Label

# Increase it when the code decides differently for the same tables, so that unchanged records are judged again.
GATE_VERSION: Final = 4
# The code of a reason: no product is named and nothing shows an advanced therapy. Importers set such records aside.
NO_SIGN: Final = "no_sign"


@dataclass(frozen=True, slots=True)
class _Finding:
    """A part of the answer and its reason."""

    weighs: ScopeVerdict
    reason: ScopeReason


def rules_version() -> str:
    """Return the version of the gate's rules. It changes with the sign tables and with the code of the gate."""
    return f"{GATE_VERSION}-{products.table().version}-{diseases.table().version}"


def judge(trial: TrialInput, terminology: Terminology) -> ScopeAnswer:
    """Judge the scope of a trial.

    Out of scope beats unclear, which beats in scope; only the deciding reasons are returned.
    """
    findings = [*_indication(trial, terminology), *_product(trial)]
    for answer in ("out_of_scope", "scope_unclear"):
        deciding = [finding.reason for finding in findings if finding.weighs == answer]
        if deciding:
            return ScopeAnswer(answer=answer, reasons=deciding)
    return ScopeAnswer(answer="in_scope", reasons=[finding.reason for finding in findings])


def _reason(code: str, pointer: str, fr: str, en: str) -> ScopeReason:
    return ScopeReason(code=code, pointer=pointer, detail=Label(fr=fr, en=en))


@dataclass(frozen=True, slots=True)
class _Wording:
    """A reason without its place."""

    code: str
    fr: str
    en: str

    def at(self, pointer: str) -> ScopeReason:
        return _reason(self.code, pointer, self.fr, self.en)


_NOT_MALIGNANT: Final = _Wording(
    "indication_not_malignant",
    "l'indication n'est pas une maladie maligne",
    "the indication is not a malignant disease",
)
_MALIGNANT_AMONG_OTHERS: Final = _Wording(
    "malignant_among_others",
    "à examiner : l'une des indications est une maladie maligne",
    "for review: one of several indications is a malignant disease",
)
_NOT_RECOGNISED: Final = _Wording(
    "indication_unknown",
    "à examiner : aucune maladie connue n'est reconnue dans cette indication",
    "for review: no known disease is recognised in this condition",
)
_UNKNOWN: Final = _Wording(
    "indication_unknown",
    "à examiner : l'indication n'est pas donnée ou n'est pas reconnue",
    "for review: no indication is given or recognised",
)


def _titles(trial: TrialInput) -> list[tuple[str, str]]:
    given = [("/titles/fr", trial.titles.fr), ("/titles/en", trial.titles.en)]
    return [(pointer, text) for pointer, text in given if text is not None]


def _indication(trial: TrialInput, terminology: Terminology) -> list[_Finding]:
    signs = diseases.table()
    read = [
        (f"/conditions/{place}", condition.text, signs.read_coded(condition.text, condition.code, terminology))
        for place, condition in enumerate(trial.conditions)
        # A disease inferred from the title says no more than the title, which may name a cancer too.
        if condition.role == "target" and condition.inferred != "title" and signs.is_condition(condition.text)
    ]
    known = [(pointer, reading) for pointer, _, reading in read if reading.verdict not in diseases.NOT_RECOGNISED]
    unread = [
        (pointer, reading)
        for pointer, text, reading in read
        if reading.verdict in diseases.NOT_RECOGNISED and not (known and text.strip() in signs.acronyms_beside_others)
    ]
    # Words that the tables do not know may name another indication; a bare acronym beside a cancer's name does not
    # save a trial.
    only_acronyms = all(reading.verdict == "acronym" for _, reading in unread)
    malignant = [(pointer, reading) for pointer, reading in known if reading.verdict == "malignant"]
    if malignant and len(malignant) == len(known) and only_acronyms:
        return [_malignant(pointer, reading) for pointer, reading in malignant]
    if malignant:
        return [_Finding("scope_unclear", _MALIGNANT_AMONG_OTHERS.at(pointer)) for pointer, _ in malignant]
    review = [_review(pointer, reading) for pointer, reading in known if reading.verdict == "review"]
    if review:
        return review
    if unread:
        # A title may refuse a trial whose conditions name no recognised disease; it never accepts one.
        by_title = _indication_of_titles(trial, terminology) if only_acronyms and not known else []
        if any(finding.weighs == "out_of_scope" for finding in by_title):
            return by_title
        return [_Finding("scope_unclear", _NOT_RECOGNISED.at(pointer)) for pointer, _ in unread]
    if known:
        return [_Finding("in_scope", _NOT_MALIGNANT.at(known[0][0]))]
    return _indication_of_titles(trial, terminology)


def _indication_of_titles(trial: TrialInput, terminology: Terminology) -> list[_Finding]:
    """Judge the titles of a trial whose conditions name no recognised disease; the reason says so."""
    read = [(pointer, diseases.table().read(text, terminology)) for pointer, text in _titles(trial)]
    for verdict in ("malignant", "review"):
        for pointer, reading in read:
            if reading.verdict == verdict:
                return [
                    _from_title(_malignant(pointer, reading) if verdict == "malignant" else _review(pointer, reading))
                ]
    for pointer, reading in read:
        if reading.verdict == "not_malignant":
            return [_from_title(_Finding("in_scope", _NOT_MALIGNANT.at(pointer)))]
    return [_Finding("scope_unclear", _UNKNOWN.at("/conditions"))]


def _from_title(finding: _Finding) -> _Finding:
    reason = finding.reason
    return _Finding(
        finding.weighs,
        _reason(
            f"{reason.code}_by_title",
            reason.pointer,
            f"aucune maladie n'est indiquée ; d'après le titre, {reason.detail.fr}",
            f"no condition names a disease; judging by the title, {reason.detail.en}",
        ),
    )


def _malignant(pointer: str, reading: DiseaseReading) -> _Finding:
    assert reading.sign is not None
    return _Finding(
        "out_of_scope",
        _reason(
            "malignant_indication",
            pointer,
            "l'indication est une maladie maligne",
            "the indication is a malignant disease",
        ),
    )


def _review(pointer: str, reading: DiseaseReading) -> _Finding:
    assert reading.sign is not None
    return _Finding(
        "scope_unclear",
        _reason(reading.sign.code, pointer, f"à examiner : {reading.sign.fr}", f"for review: {reading.sign.en}"),
    )


def _product(trial: TrialInput) -> list[_Finding]:
    table = products.table()
    texts = [("/product/name", trial.product.name)] if trial.product.name is not None else []
    read = [
        (pointer, products.conclude(table.read(text)))
        for pointer, text in [*texts, *_titles(trial)]
        if text is not None
    ]
    if _only_observes(trial) and any(reading.verdict == "atmp" for _, reading in read):
        return [_Finding("scope_unclear", _NOTHING_GIVEN.at("/study_type"))]
    typed = _typed(trial)
    contrary = next(
        ((pointer, reading) for pointer, reading in read if reading.verdict == "not_atmp" and _is_contrary(reading)),
        None,
    )
    if typed is not None and (contrary is None or trial.product.vector not in {None, "none"}):
        return [
            _Finding(
                "in_scope",
                _reason(
                    "advanced_therapy",
                    typed,
                    "le produit est un médicament de thérapie innovante",
                    "the product is an advanced therapy",
                ),
            )
        ]
    for verdict in ("atmp", "not_atmp", "no_product", "unsure"):
        for pointer, reading in read:
            if reading.verdict == verdict and (verdict != "no_product" or reading.shows_a_product):
                return [_by_sign(pointer, reading)]
    return [_without_sign(trial)]


_ONLY_IN_SUMMARY: Final = _Wording(
    "product_unknown",
    "à examiner : seul le résumé parle d'une thérapie innovante",
    "for review: only the summary speaks of an advanced therapy",
)
_ANOTHER_PRODUCT: Final = _Wording(
    "no_advanced_therapy",
    "aucun signe de cellules, de gènes ou de tissus dans le produit et les titres",
    "no sign of cells, genes or tissue in the product and the titles",
)
_NO_SIGN: Final = _Wording(
    NO_SIGN,
    "à examiner : le produit n'est pas nommé, et rien n'indique une thérapie innovante",
    "for review: no product is named, and nothing shows an advanced therapy",
)


_NOTHING_GIVEN: Final = _Wording(
    "no_product_given",
    "à examiner : étude observationnelle qui ne nomme pas de produit",
    "for review: observational study that names no product",
)


def _only_observes(trial: TrialInput) -> bool:
    """Return whether a study observes and names no product. The follow-up of treated patients belongs to its trial."""
    followed = any(products.table().is_follow_up(text) for _, text in _titles(trial))
    return trial.study_type == "observational" and trial.product.name is None and not followed


def _without_sign(trial: TrialInput) -> _Finding:
    """Judge a trial whose product and titles show nothing: a product that can be read is another one.

    A code of development ("XY-101") says nothing; neither does a trial without a product.
    """
    table, name = products.table(), trial.product.name
    if name is not None and table.can_be_read(name):
        return _Finding("out_of_scope", _ANOTHER_PRODUCT.at("/product/name"))
    summaries = [text for text in (trial.summary.fr, trial.summary.en) if text is not None]
    if any(products.conclude(table.read(text)).verdict == "atmp" for text in summaries):
        return _Finding("scope_unclear", _ONLY_IN_SUMMARY.at("/summary"))
    return _Finding("scope_unclear", _NO_SIGN.at("/product"))


def _typed(trial: TrialInput) -> str | None:
    if trial.product.atmp_class is not None:
        return "/product/atmp_class"
    return "/product/vector" if trial.product.vector not in {None, "none"} else None


# Products that a class entered by mistake does not make an advanced therapy.
_NEVER_CELLS: Final = frozenset(("oligonucleotide", "infection_vaccine", "cell_free_product", "device"))


def _is_contrary(reading: ProductReading) -> bool:
    return reading.sign is not None and reading.sign.code in _NEVER_CELLS


def _by_sign(pointer: str, reading: ProductReading) -> _Finding:
    sign = reading.sign
    assert sign is not None
    if reading.verdict == "atmp":
        return _Finding(
            "in_scope",
            _reason(
                "advanced_therapy",
                pointer,
                f"médicament de thérapie innovante : {sign.fr}",
                f"advanced therapy: {sign.en}",
            ),
        )
    if reading.verdict == "not_atmp":
        return _Finding(
            "out_of_scope",
            _reason(
                "not_an_advanced_therapy",
                pointer,
                f"pas un médicament de thérapie innovante : {sign.fr}",
                f"not an advanced therapy: {sign.en}",
            ),
        )
    return _Finding("scope_unclear", _reason(sign.code, pointer, f"à examiner : {sign.fr}", f"for review: {sign.en}"))
