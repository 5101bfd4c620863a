"""Sentences of the leaves that combine several facts, each as a noun that an exclusion can name too. Pure."""

from collections.abc import Sequence
from typing import Final

from shared.criteria import expressions
from shared.criteria.formulas import FORMULAS
from shared.criteria.scores import SCORES
from shared.criteria.words import (
    NOTHING,
    Labels,
    Words,
    and_more,
    comparison,
    duration,
    joined,
    named,
    names,
    quantity,
    window,
)

_AGO: Final = {
    "<": Words("datant de moins de {}", "less than {} ago"),
    "<=": Words("datant d'au plus {}", "at most {} ago"),
    ">": Words("datant de plus de {}", "more than {} ago"),
    ">=": Words("datant d'au moins {}", "at least {} ago"),
}
_VOWELS: Final = tuple("aàâeéèêëhiîïoôœuùûüy")
_RISE, _FALL = Words("hausse", "rise"), Words("baisse", "fall")


def derived_sentence(leaf: expressions.Leaf, labels: Labels) -> Words:
    """Return what a leaf of `derived_leaves` asks."""
    match leaf:
        case expressions.Washout():
            return _washout(leaf, labels)
        case expressions.Since():
            ago, lasted = _AGO[leaf.op], duration(leaf.value)
            return _in_brackets(Words("première survenue", "first occurrence"), named(leaf.codes, labels)) + Words(
                f" {ago.fr.format(lasted.fr)}", f" {ago.en.format(lasted.en)}"
            )
        case expressions.Delta():
            return _delta(leaf, labels)
        case expressions.Computed():
            formula = FORMULAS[leaf.formula]
            words = Words(formula.label.fr, formula.label.en) + comparison(leaf.op, leaf.value, formula.unit)
            return words + window(leaf.within)
        case expressions.Ratio():
            above, below = (_operand(codes, labels) for codes in (leaf.numerator, leaf.denominator))
            words = Words("rapport ", "ratio ") + joined((above, below), Words(" / ", " / "))
            return words + comparison(leaf.op, leaf.value, None) + window(leaf.within)
        case expressions.Score():
            label = SCORES[leaf.set].label
            points = comparison(leaf.op, leaf.value, None)
            return _in_brackets(Words("score", "score") + points, Words(label.fr, label.en))
    raise AssertionError(leaf)


def _washout(leaf: expressions.Washout, labels: Labels) -> Words:
    times = [] if leaf.for_ is None else [duration(leaf.for_)]
    if leaf.half_lives is not None:
        few, one = leaf.half_lives < 2, leaf.half_lives == 1
        half_lives = Words(" demi-vie" if few else " demi-vies", " half-life" if one else " half-lives")
        times.append(quantity(leaf.half_lives, None) + half_lives)
    listed = joined(times, Words(" ou ", " or "))
    longer = Words(" (le plus long des deux)", " (whichever is longer)") if len(times) == 2 else NOTHING
    medicines = joined((_of(one) for one in names(leaf.codes, labels)), Words(" ou ", " or ")) + and_more(leaf.codes)
    return (
        Words("dernière prise éventuelle ", "last dose, if any, of ")
        + medicines
        + Words(f" remontant à au moins {listed.fr}", f" at least {listed.en} ago")
        + longer
    )


def _of(medicine: Words) -> Words:
    """Return a medicine after "de", which only French needs to write. Its first letter is small in a sentence."""
    fr, en = (name[:1].lower() + name[1:] if name[1:2].islower() else name for name in medicine)
    return Words(f"d'{fr}" if fr.lower().startswith(_VOWELS) else f"de {fr}", en)


def _delta(leaf: expressions.Delta, labels: Labels) -> Words:
    """Return a rise or a fall that is asked, or the one that must not be where no change at all satisfies the leaf."""
    upwards, strict = leaf.op in (">", ">="), leaf.op in (">", "<")
    asked = leaf.value > 0 if upwards else leaf.value < 0
    asked = asked or (strict and leaf.value == 0)
    rises = upwards == asked
    amount = quantity(abs(leaf.value), None if leaf.unit == "%" else leaf.unit)
    if leaf.basis == "relative":
        amount += Words(" % en valeur relative", " % in relative terms")
    elif leaf.unit == "%":
        amount += Words(" points de pourcentage", " percentage points")
    direction = _RISE if rises else _FALL
    if leaf.value == 0:
        size = NOTHING
    elif asked != strict:
        size = Words(f" d'au moins {amount.fr}", f" of at least {amount.en}")
    else:
        size = Words(f" de plus de {amount.fr}", f" of more than {amount.en}")
    over = duration(leaf.over)
    words = named(leaf.codes, labels) + (Words(" en ", " with a ") if asked else Words(" sans ", " without a "))
    words += direction + size + Words(f" en {over.fr}", f" within {over.en}")
    if leaf.within:
        age = duration(leaf.within)
        words += Words(f" (dernière mesure datant d'au plus {age.fr})", f" (latest measurement at most {age.en} old)")
    return words


def _operand(codes: Sequence[str], labels: Labels) -> Words:
    words = named(codes, labels)
    return words if len(codes) == 1 else Words(f"({words.fr})", f"({words.en})")


def _in_brackets(head: Words, inner: Words) -> Words:
    return Words(f"{head.fr} ({inner.fr})", f"{head.en} ({inner.en})")
