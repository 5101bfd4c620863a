"""Names of steps, groups and plots in French and English."""

from typing import Final

from shared.values.wire import Label

STEPS: Final = {
    "answer": Label(fr="réponse du centre", en="answer of the centre"),
    "visit": Label(fr="premier contact", en="first contact"),
    "consent": Label(fr="consentement", en="consent"),
    "inclusion": Label(fr="inclusion", en="inclusion"),
    "collection": Label(fr="prélèvement", en="collection"),
    "dosing": Label(fr="traitement", en="dosing"),
    "first_answer": Label(fr="première réponse", en="first answer"),
    "confidentiality": Label(fr="accord de confidentialité", en="confidentiality agreement"),
    "contract": Label(fr="contrat", en="contract"),
    "activation": Label(fr="ouverture du site", en="opening of the site"),
    "first_patient": Label(fr="premier patient", en="first patient"),
    "hold_lifted": Label(fr="levée de la suspension", en="hold lifted"),
    "green_light": Label(fr="feu vert", en="green light"),
    "first_consent": Label(fr="premier consentement", en="first consent"),
    "first_inclusion": Label(fr="première inclusion", en="first inclusion"),
}
PLOTS: Final = {
    "access": Label(
        fr="Accès à l'essai : incidence cumulée de chaque étape", en="Access to trials: cumulative incidence by stage"
    ),
    "access_in_vivo": Label(
        fr="Accès, produits administrés in vivo : incidence cumulée",
        en="Access, in vivo products: cumulative incidence",
    ),
    "access_ex_vivo": Label(
        fr="Accès, produits ex vivo : incidence cumulée", en="Access, ex vivo products: cumulative incidence"
    ),
    "access_child": Label(fr="Accès des mineurs : incidence cumulée", en="Access of minors: cumulative incidence"),
    "access_adult": Label(fr="Accès des adultes : incidence cumulée", en="Access of adults: cumulative incidence"),
    "opening": Label(
        fr="Ouverture des sites : de l'autorisation au feu vert, du feu vert au premier patient",
        en="Opening of sites: from authorisation to green light, from green light to first patient",
    ),
    "institutions": Label(
        fr="Délais des institutions : part des dossiers", en="Clocks of institutions: share of the cases"
    ),
}
DAYS: Final = {
    "days": Label(fr="jours après l'envoi de la demande", en="days after the referral was sent"),
    "working_days": Label(fr="jours ouvrés", en="working days"),
}
DESCRIPTION: Final = Label(
    fr="Part des cas qui ont franchi chaque étape, selon le jour. Les cas en cours comptent jusqu'à aujourd'hui ; les"
    " autres issues sont des événements concurrents. Les données sont dans le fichier CSV de même adresse.",
    en="Share of the cases that have reached each step, by day. Open cases count until today; other ends are competing"
    " events. The data are in the CSV file at the same address.",
)
