"""A plain sentence in French and English for every expression, so that text and expression cannot disagree. Pure.

A code is written with its label, or as it is where it has none. The sentence says what the expression asks, never what
is known of a patient.
"""

from collections.abc import Mapping
from typing import Final

from shared.criteria import expressions
from shared.criteria.derived_sentences import derived_sentence
from shared.criteria.model import Criterion, leaves
from shared.criteria.parts import Where
from shared.criteria.scales import SCALES
from shared.criteria.words import (
    MAX_NAMES,
    NOTHING,
    SIGNS,
    Labels,
    Words,
    and_more,
    comparison,
    duration,
    joined,
    named,
    quantity,
    window,
)

_BASES: Final = {
    "absolute": NOTHING,
    "xULN": Words(" fois la limite supérieure de la normale", " times the upper limit of normal"),
    "xLLN": Words(" fois la limite inférieure de la normale", " times the lower limit of normal"),
    "pct_predicted": Words(" % de la valeur théorique", " % of the predicted value"),
}
_RELATIVES: Final = {
    "mother": Words("chez la mère : ", "in the mother: "),
    "father": Words("chez le père : ", "in the father: "),
    "sibling": Words("chez un frère ou une sœur : ", "in a brother or sister: "),
    "child": Words("chez un enfant : ", "in a child: "),
    "other": Words("chez un autre parent : ", "in another relative: "),
}
_TYPES: Final = {
    "deletion": Words("délétion", "deletion"),
    "duplication": Words("duplication", "duplication"),
    "insertion": Words("insertion", "insertion"),
    "nonsense": Words("variant non-sens", "nonsense variant"),
    "frameshift": Words("décalage du cadre de lecture", "frameshift"),
    "missense": Words("variant faux-sens", "missense variant"),
    "splice": Words("variant d'épissage", "splice variant"),
    "copy_number": Words("variation du nombre de copies", "copy number change"),
    "other": Words("autre variant", "other variant"),
}
_ZYGOSITIES: Final = {
    "homozygous": Words("homozygote", "homozygous"),
    "heterozygous": Words("hétérozygote", "heterozygous"),
    "compound_heterozygous": Words("hétérozygote composite", "compound heterozygous"),
    "hemizygous": Words("hémizygote", "hemizygous"),
    "mosaic": Words("en mosaïque", "mosaic"),
}
_FRAMES: Final = {
    "in": Words("cadre de lecture conservé", "in frame"),
    "out": Words("cadre de lecture rompu", "out of frame"),
}
_PICKS: Final = {
    "latest": NOTHING,
    "any": Words(" (au moins une mesure)", " (at least one measurement)"),
    "all": Words(" (toutes les mesures)", " (all measurements)"),
}


def criterion_sentence(criterion: Criterion, labels: Labels) -> Words:
    """Return what a criterion asks, as one sentence; of an exclusion, what must not be so."""
    asked = sentence(criterion.expr, _with_questions(criterion, labels))
    return Words(_capital(asked.fr), _capital(asked.en)) if criterion.kind == "include" else _negated(asked)


def question_words(criterion: Criterion) -> dict[str, Mapping[str, str]]:
    """Return words for each question to a person, by its code: what the author asks, else the criterion's text.

    The text is not repeated for several questions: they have no words of their own.
    """
    asked = {leaf.question for _, leaf in leaves(criterion.expr) if isinstance(leaf, expressions.Human)}
    words: dict[str, Mapping[str, str]] = {}
    ask, text = criterion.ask, criterion.text
    if ask is not None:
        is_only = text is None or isinstance(criterion.expr, expressions.Human)
        words = {one: {"fr": ask.fr, "en": ask.en} for one in asked if is_only or one == ask.code}
    others = asked - words.keys()
    if text is not None and len(others) == 1:
        words[others.pop()] = {"fr": text.fr.rstrip("."), "en": text.en.rstrip(".")}
    return words


def _with_questions(criterion: Criterion, labels: Labels) -> Labels:
    """Return the labels with words for each question to a person."""
    words = question_words(criterion)
    for _, leaf in leaves(criterion.expr):
        if isinstance(leaf, expressions.Human) and (one := leaf.question) not in words:
            words[one] = {"fr": f"{one} (voir le texte du critère)", "en": f"{one} (see the text of the criterion)"}
    return lambda code: words.get(code) or labels(code)


def sentence(expression: expressions.Node, labels: Labels) -> Words:
    """Return what an expression asks, in words that can stand inside a longer sentence."""

    def inner(operand: expressions.Node) -> Words:
        words = sentence(operand, labels)
        return Words(f"({words.fr})", f"({words.en})") if _is_list(operand) else words

    match expression:
        case expressions.AllOf():
            return joined(map(inner, expression.all_), Words(" et ", " and "))
        case expressions.AnyOf():
            return joined(map(inner, expression.any_), Words(" ou ", " or "))
        case expressions.AtLeast():
            count = expression.at_least
            head = Words(f"au moins {count} de : ", f"at least {count} of: ")
            return head + joined(map(inner, expression.of), Words(" ; ", "; "))
        case expressions.Not(not_=expressions.Sex() as sex):
            return Words("sexe autre que ", "sex other than ") + (
                Words("masculin", "male") if sex.value == "male" else Words("féminin", "female")
            )
        case expressions.Not():
            return Words("pas : ", "not: ") + inner(expression.not_)
        case expressions.If():
            words = Words("si ", "if ") + inner(expression.if_) + Words(", alors ", ", then ") + inner(expression.then)
            return words + (Words(", sinon ", ", else ") + inner(expression.else_) if expression.else_ else NOTHING)
        case expressions.Leaf():
            return _leaf(expression, labels)
    raise AssertionError(expression)


def _leaf(leaf: expressions.Leaf, labels: Labels) -> Words:
    match leaf:
        case expressions.Age():
            return _age(leaf)
        case expressions.Sex():
            return Words("sexe masculin", "male sex") if leaf.value == "male" else Words("sexe féminin", "female sex")
        case expressions.Has():
            return _has(leaf, labels)
        case expressions.Variant():
            return _variant(leaf)
        case expressions.Value():
            bound = comparison(leaf.op, leaf.value, None if leaf.basis == "pct_predicted" else leaf.unit)
            words = named(leaf.codes, labels) + bound + _BASES[leaf.basis] + _PICKS[leaf.pick] + window(leaf.within)
            for event in leaf.not_after:
                since = Words(f" (sans {named(event.codes, labels).fr} dans les ", " (no ")
                after = Words(
                    f"{duration(event.for_).fr} avant la mesure)",
                    f"{named(event.codes, labels).en} within {duration(event.for_).en} before it)",
                )
                words += since + after
            return words
        case expressions.Titre():
            dilution = Words(f" {SIGNS[leaf.op]} 1:{quantity(leaf.reciprocal, None).fr}", "")
            assay = Words(f" (méthode : {leaf.assay})", f" (assay: {leaf.assay})") if leaf.assay else NOTHING
            return named(leaf.codes, labels) + Words(dilution.fr, dilution.fr) + assay + window(leaf.within)
        case expressions.Ordinal():
            return _ordinal(leaf)
        case expressions.Count():
            return _count(leaf, labels)
        case expressions.Stable():
            return _stable(leaf, labels)
        case expressions.Human():
            role = (
                Words("l'investigateur", "the investigator")
                if leaf.role == "investigator"
                else Words("un clinicien", "a clinician")
            )
            asked = labels(leaf.question) or {}
            question = Words(asked.get("fr", leaf.question), asked.get("en", leaf.question))
            answered = Words(" répond oui à la question « ", ' answers yes to the question "')
            return role + answered + question + Words(" »", '"') + window(leaf.within)
    return derived_sentence(leaf, labels)


def _age(leaf: expressions.Age) -> Words:
    parts = []
    if leaf.min is not None:
        least = duration(leaf.min)
        parts.append(
            Words(f"au moins {least.fr}", f"at least {least.en}")
            if leaf.min_inclusive
            else Words(f"plus de {least.fr}", f"over {least.en}")
        )
    if leaf.max is not None:
        most = duration(leaf.max)
        parts.append(
            Words(f"au plus {most.fr} révolus", f"at most {most.en} to the day")
            if leaf.max_inclusive
            else Words(f"moins de {most.fr}", f"under {most.en}")
        )
    at = Words(" à l'administration", " at dosing") if leaf.at == "dosing" else NOTHING
    age = Words("âge corrigé : ", "corrected age: ") if leaf.corrected else Words("âge : ", "age: ")
    return age + joined(parts, Words(" et ", " and ")) + at


def _has(leaf: expressions.Has, labels: Labels) -> Words:
    words = (_RELATIVES[leaf.relative] if leaf.relative else NOTHING) + named(leaf.codes, labels)
    where = leaf.where or Where()
    for name, values in (
        (Words("issue", "outcome"), where.outcome),
        (Words("site", "site"), where.body_site),
        (Words("sévérité", "severity"), where.severity),
    ):
        if values:
            listed = Words(" ou ".join(values), " or ".join(values))
            words += Words(f" ({name.fr} : {listed.fr})", f" ({name.en}: {listed.en})")
    if where.duration:
        lasted = duration(where.duration)
        words += Words(f" pendant au moins {lasted.fr}", f" for at least {lasted.en}")
    words += window(leaf.within)
    if leaf.evidence_within:
        valid = duration(leaf.evidence_within)
        words += Words(f" (un résultat négatif vaut {valid.fr})", f" (a negative result counts for {valid.en})")
    return words


def _variant(leaf: expressions.Variant) -> Words:
    either = Words(" ou ", " or ")
    kind = (
        joined((_TYPES[one] for one in leaf.types), either)
        if leaf.types
        else Words("variant causal", "causal variant")
        if leaf.amenable_to is None
        else _TYPES["deletion"]
    )
    words = kind + Words(f" du gène {leaf.gene}", f" of the gene {leaf.gene}")
    if leaf.amenable_to:
        exon = leaf.amenable_to.skip
        words += Words(f" accessible au saut de l'exon {exon}", f" amenable to skipping of exon {exon}")
    if leaf.exons and leaf.exons.within:
        first, last = leaf.exons.within
        words += Words(f", dans les exons {first} à {last}", f", within exons {first} to {last}")
    if leaf.exons and leaf.exons.overlaps:
        spans = [Words(f"{first} à {last}", f"{first} to {last}") for first, last in leaf.exons.overlaps]
        words += Words(", touchant les exons ", ", overlapping exons ") + joined(spans, either)
    if leaf.zygosity:
        words += Words(", ", ", ") + joined((_ZYGOSITIES[one] for one in leaf.zygosity), either)
    if leaf.copies:
        count = f"{SIGNS[leaf.copies.op]} {leaf.copies.value}"
        words += Words(f", nombre de copies {count}", f", number of copies {count}")
    if leaf.frame:
        words += Words(", ", ", ") + _FRAMES[leaf.frame]
    if leaf.hgvs:
        listed = leaf.hgvs[:MAX_NAMES]
        words += Words(" : ", ": ") + Words(" ou ".join(listed), " or ".join(listed)) + and_more(leaf.hgvs)
    return words + (Words(", somatique", ", somatic") if leaf.origin == "somatic" else NOTHING)


def _ordinal(leaf: expressions.Ordinal) -> Words:
    scale = SCALES[leaf.scale]
    words = Words(f"{scale.label.fr} : ", f"{scale.label.en}: ")
    if leaf.in_:
        return words + Words(" ou ".join(leaf.in_), " or ".join(leaf.in_)) + window(leaf.within)
    bounds = [Words(f"au moins {leaf.min}", f"at least {leaf.min}")] if leaf.min else []
    bounds += [Words(f"au plus {leaf.max}", f"at most {leaf.max}")] if leaf.max else []
    return words + joined(bounds, Words(" et ", " and ")) + window(leaf.within)


def _count(leaf: expressions.Count, labels: Labels) -> Words:
    words = named(leaf.codes, labels) + Words(" : nombre de jours", ": number of days")
    words += comparison(leaf.op, leaf.value, None)
    if leaf.each:
        each = duration(leaf.each)
        words += Words(f" par période de {each.fr}", f" in each period of {each.en}")
    return words + window(leaf.within)


def _stable(leaf: expressions.Stable, labels: Labels) -> Words:
    lasting = duration(leaf.for_)
    words = named(leaf.codes, labels)
    words += Words(
        f", traitement en cours et inchangé depuis au moins {lasting.fr}",
        f", ongoing and unchanged for at least {lasting.en}",
    )
    kilo = Words(" par kg", " per kg") if leaf.per_kg else NOTHING
    if leaf.equivalent:
        kilo += Words(" d'équivalent prednisone", " of prednisone equivalent")
    bounds = [(">=", leaf.min), ("<=", leaf.max)]
    doses = [comparison(op, bound, leaf.unit) + kilo for op, bound in bounds if bound is not None]
    return words + (Words(", dose", ", dose") + joined(doses, Words(" et", " and")) if doses else NOTHING)


def _is_list(operand: expressions.Node) -> bool:
    return isinstance(
        operand, expressions.AllOf | expressions.AnyOf | expressions.AtLeast | expressions.If | expressions.Not
    )


def _negated(asked: Words) -> Words:
    return Words(f"Exclut : {asked.fr}", f"Excludes: {asked.en}")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
