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
