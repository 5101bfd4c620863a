"""What the lint can remark on: the code, the severity and the sentence of each finding."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from shared.values.wire import Label


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark on the document, with its JSON Pointer. A document can have thousands of them."""

    pointer: str
    code: str
    severity: Literal["error", "warning"]
    detail: Label


class _Rule(NamedTuple):
    severity: Literal["error", "warning"]
    detail: Label


_RULES = {
    "bounds_contradictory": _Rule(
        "error",
        Label(
            fr="Les bornes se contredisent : aucune valeur ne peut les respecter.",
            en="The bounds contradict each other: no value can satisfy both.",
        ),
    ),
    "code_unknown": _Rule(
        "error", Label(fr="Ce code ne figure pas dans la terminologie.", en="This code is not in the terminology.")
    ),
    "unit_unknown": _Rule(
        "error",
        Label(
            fr="Unité inconnue : donner une unité UCUM, par exemple g/L ou 10*9/L.",
            en="Unknown unit: give a UCUM unit, for example g/L or 10*9/L.",
        ),
    ),
    "unit_unfit": _Rule(
        "error", Label(fr="Cette unité ne convient pas à cet analyte.", en="This unit does not fit this analyte.")
    ),
    "bound_without_effect": _Rule(
        "error",
        Label(
            fr="Toute valeur possible respecte cette borne, ou aucune : vérifier la borne, l'opérateur et l'unité.",
            en="Every possible value satisfies this bound, or none: check the bound, the operator and the unit.",
        ),
    ),
    "change_not_asked": _Rule(
        "warning",
        Label(
            fr="Une mesure inchangée suffit : pour une hausse, donner une borne positive ; pour une baisse, négative.",
            en="An unchanged measurement is enough: for a rise, give a bound above zero; for a fall, one below zero.",
        ),
    ),
    "half_life_unknown": _Rule(
        "warning",
        Label(
            fr="Aucune demi-vie n'est connue pour ce médicament ou cette classe : le résultat restera longtemps "
            "inconnu. Nommer des médicaments, ou n'exiger qu'une durée (for).",
            en="No half-life is known for this medicine or class: the result will stay unknown for long. Name "
            "medicines, or ask for a duration (for) alone.",
        ),
    ),
    "washout_excluded": _Rule(
        "warning",
        Label(
            fr="Cette exclusion écarte les patients dont le sevrage est terminé : l'écrire comme une inclusion.",
            en="This exclusion rejects the patients whose washout is over: write it as an inclusion.",
        ),
    ),
    "first_event_unknown": _Rule(
        "warning",
        Label(
            fr="Le premier de ces événements ne sera connu que si tous sont renseignés : indiquer le domaine (domain) "
            "dont l'exhaustivité le prouve.",
            en="The first of these events is known only where all of them are recorded: give the domain whose "
            "completeness shows it.",
        ),
    ),
    "corrected_late": _Rule(
        "warning",
        Label(
            fr="L'âge corrigé s'emploie jusqu'à deux ans environ : une limite au-delà de trois ans est-elle voulue ?",
            en="Corrected ages are used up to about two years: is a limit beyond three years meant?",
        ),
    ),
    "ratio_of_itself": _Rule(
        "error",
        Label(
            fr="La même mesure figure au numérateur et au dénominateur.",
            en="The same measurement is numerator and denominator.",
        ),
    ),
    "ratio_not_comparable": _Rule(
        "warning",
        Label(
            fr="Les unités usuelles de ces mesures ne se convertissent pas l'une dans l'autre : le rapport restera "
            "inconnu.",
            en="The usual units of these measurements do not convert into each other: the ratio will stay unknown.",
        ),
    ),
    "skipping_without_deletion": _Rule(
        "error",
        Label(
            fr="Le saut d'un exon n'est défini que pour une délétion : ajouter « deletion » à types.",
            en="Exon skipping is defined for a deletion only: add deletion to types.",
        ),
    ),
    "lead_time_missing": _Rule(
        "error",
        Label(
            fr="Un âge à l'administration nécessite le délai « lead_time ».", en="An age at dosing needs a lead_time."
        ),
    ),
    "anchor_undeclared": _Rule(
        "warning",
        Label(
            fr="L'ancre « dosing » n'est pas déclarée dans anchors.", en="The anchor dosing is not declared in anchors."
        ),
    ),
    "evidence_window_missing": _Rule(
        "error",
        Label(
            fr="Cet état peut survenir après un test négatif : indiquer l'ancienneté admise d'un résultat négatif "
            "(evidence_within).",
            en="This state can begin after a negative test: say how old a negative result may be (evidence_within).",
        ),
    ),
    "evidence_window_advised": _Rule(
        "warning",
        Label(
            fr="Un résultat négatif ancien suffirait : indiquer l'ancienneté admise (evidence_within).",
            en="An old negative result would be enough: say how old it may be (evidence_within).",
        ),
    ),
    "dose_of_class": _Rule(
        "error",
        Label(
            fr="Les médicaments de cette classe n'ont pas le même dosage : nommer un médicament, ou demander "
            "l'équivalent en prednisone (equivalent).",
            en="The medicines of this class differ in strength: name one medicine, or ask for the equivalent in "
            "prednisone (equivalent).",
        ),
    ),
    "criterion_duplicate": _Rule(
        "warning", Label(fr="Ce critère est le même qu'un autre.", en="This criterion is the same as another.")
    ),
    "exclusion_as_inclusion": _Rule(
        "warning",
        Label(
            fr="Le texte est négatif alors que le critère est une inclusion : s'agit-il d'une exclusion ?",
            en="The text is negative but the criterion is an inclusion: is it an exclusion?",
        ),
    ),
    "negation_doubled": _Rule(
        "warning",
        Label(
            fr="Une exclusion dont l'expression est une négation : l'écrire comme une inclusion.",
            en="An exclusion with a negated expression: write it as an inclusion.",
        ),
    ),
    "cohort_without_criteria": _Rule(
        "warning",
        Label(
            fr="Aucun critère ne s'applique à cette cohorte.",
            en="No criterion applies to this cohort.",
        ),
    ),
    "age_mismatch": _Rule(
        "warning", Label(fr="L'âge diffère de celui du registre.", en="The age differs from the registry's.")
    ),
    "sex_mismatch": _Rule(
        "warning", Label(fr="Le sexe diffère de celui du registre.", en="The sex differs from the registry's.")
    ),
    "text_missing": _Rule("warning", Label(fr="Le critère n'a pas de texte.", en="The criterion has no text.")),
    "indication_missing": _Rule(
        "warning",
        Label(fr="Aucun critère n'a le rôle « indication ».", en="No criterion has the role indication."),
    ),
    "unsigned": _Rule(
        "warning",
        Label(
            fr="Les critères ne sont pas signés : le résultat sera au mieux « possible ».",
            en='The criteria are not signed: the result is at best "possible".',
        ),
    ),
}


def finding(pointer: str, code: str) -> Finding:
    """Return the remark ``code`` at a place (JSON Pointer)."""
    rule = _RULES[code]
    return Finding(pointer, code, rule.severity, rule.detail)
