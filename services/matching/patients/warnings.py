"""Warnings: what of a patient was not understood or not used, where it stands, and why. Pure; no value is repeated."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

from shared.values.wire import Label

MOST = 500

MESSAGES: Mapping[str, Label] = {
    "after_as_of": Label(fr="postérieur au jour de l'évaluation", en="after the day of evaluation"),
    "age_of_undated_record": Label(
        fr="âge sans date : le patient a au moins cet âge", en="age without a date: the patient is at least this old"
    ),
    "conflict": Label(
        fr="la date de naissance et l'âge se contredisent", en="the birth date and the age contradict each other"
    ),
    "deceased": Label(fr="le patient est décédé", en="the patient has died"),
    "dose_not_understood": Label(
        fr="dose par jour non calculable ; indiquez la dose et sa fréquence",
        en="no dose per day can be computed; give the dose and its frequency",
    ),
    "ends_before_start": Label(
        fr="la fin précède le début ; la fin est considérée comme inconnue",
        en="the end is before the start; the end counts as unknown",
    ),
    "entered_in_error": Label(fr="saisi par erreur", en="entered in error"),
    "hgvs_not_understood": Label(
        fr="expression HGVS non comprise, p. ex. c.6292C>T", en="HGVS expression not understood, e.g. c.6292C>T"
    ),
    "identity_dropped": Label(
        fr="des données d'identité ont été écartées sans être lues",
        en="identifying data was dropped without being read",
    ),
    "incomplete_page": Label(
        fr="résultats d'une recherche : d'autres pages peuvent manquer ; rien n'est considéré comme complet",
        en="results of a search: other pages may be missing; nothing counts as complete",
    ),
    "more_warnings": Label(fr="d'autres avertissements ne sont pas affichés", en="further warnings are not shown"),
    "no_age": Label(fr="aucun âge en années, mois ou jours", en="no age in years, months or days"),
    "no_code": Label(fr="sans code", en="without a code"),
    "no_date": Label(fr="aucune date ne peut en être déduite", en="no date follows from it"),
    "no_gene": Label(fr="variant sans gène (symbole HGNC)", en="variant without a gene (HGNC symbol)"),
    "no_value": Label(fr="résultat sans valeur", en="result without a value"),
    "no_variant": Label(fr="interprétation sans variant", en="interpretation without a variant"),
    "not_read": Label(fr="cet élément n'est pas utilisé", en="this element is not used"),
    "not_this_patient": Label(
        fr="concerne une autre personne que le patient", en="about another person than the patient"
    ),
    "placeholder": Label(
        fr="valeur de remplacement d'une donnée inconnue (p. ex. 1900-01-01, -99) ; laissez le champ vide",
        en="stands for data that is not known (e.g. 1900-01-01, -99); leave the field out",
    ),
    "range_not_understood": Label(
        fr="intervalle de référence non compris, ou pour un autre âge ou sexe",
        en="reference range not understood, or for another age or sex",
    ),
    "resource_not_read": Label(fr="type de ressource non utilisé", en="resource type that is not used"),
    "status_not_understood": Label(
        fr="statut non compris ; ni présent ni absent", en="status not understood; neither present nor absent"
    ),
    "unknown_code": Label(
        fr="code inconnu de la terminologie ; vérifiez-le ou envoyez un code ORPHA, CIM-10, ATC, LOINC ou HPO",
        en="the terminology does not know this code; check it, or send an ORPHA, ICD-10, ATC, LOINC or HPO code",
    ),
    "unknown_member": Label(fr="champ inconnu de ce format", en="this format has no such member"),
    "unknown_system": Label(fr="système de codes inconnu", en="unknown code system"),
    "unknown_unit": Label(
        fr="unité non comprise ; envoyez une unité UCUM, p. ex. U/L",
        en="unit not understood; send a UCUM unit, e.g. U/L",
    ),
    "unreadable_date": Label(
        fr="date illisible ; forme attendue : AAAA, AAAA-MM ou AAAA-MM-JJ",
        en="unreadable date; expected form: YYYY, YYYY-MM or YYYY-MM-DD",
    ),
    "value_not_understood": Label(fr="valeur non comprise", en="value not understood"),
    "variant_rejected": Label(fr="variant rejeté par le laboratoire", en="variant rejected by the laboratory"),
}


class Warnings:
    """The warnings of one patient, in the order in which they were found.

    Warnings that are alike (the same unknown code in several places) are one, with the first place and their number.
    """

    def __init__(self) -> None:
        self._found: dict[Hashable, tuple[str, str]] = {}
        self._counts: dict[Hashable, int] = {}

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Return pointer and reason of each."""
        return iter(self._found.values())

    def add(self, pointer: str, reason: str, alike: Hashable = None) -> None:
        """Add a warning. ``alike``: what it shares with others of its reason; None: nothing."""
        assert reason in MESSAGES
        key = (reason, pointer if alike is None else (alike,))
        self._found.setdefault(key, (pointer, reason))
        self._counts[key] = self._counts.get(key, 0) + 1

    def answer(self) -> list[dict[str, Any]]:
        """Return at most `MOST` as `answers.schemas.WarningAnswer`."""
        shown = [
            _answer(pointer, reason, self._counts[key]) for key, (pointer, reason) in list(self._found.items())[:MOST]
        ]
        if len(self._found) > MOST:
            shown.append(_answer("", "more_warnings", len(self._found) - MOST))
        return shown


def _answer(pointer: str, reason: str, count: int) -> dict[str, Any]:
    message = MESSAGES[reason]
    return {"pointer": pointer, "reason": reason, "count": count, "message": {"fr": message.fr, "en": message.en}}
