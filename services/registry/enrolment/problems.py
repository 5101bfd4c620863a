"""Problems of places."""

from shared.values.problems import ConflictError, InvalidBodyError
from shared.values.wire import Label


class NoPlaceError(ConflictError):
    code = "no_place"
    title = Label(
        fr="Aucune place n'est proposée ou libre dans cette cohorte de ce centre",
        en="No place is offered or free in this cohort at this centre",
    )


class NoSlotError(ConflictError):
    code = "no_manufacturing_slot"
    title = Label(
        fr="Aucun créneau de fabrication n'est libre dans cette cohorte",
        en="No manufacturing slot is free in this cohort",
    )


class ClosedCohortError(NoPlaceError):
    code = "cohort_closed"
    title = Label(
        fr="La cohorte est fermée jusqu'à l'intervalle et à la décision qui suivent la dernière administration",
        en="The cohort is closed until the interval and the decision after the last dosing",
    )


class BelowTakenError(InvalidBodyError):
    code = "below_taken"
    title = Label(fr="Plus de places ou de créneaux sont déjà pris", en="More places or slots are taken already")


class ReasonRequiredError(InvalidBodyError):
    code = "reason_required"
    title = Label(
        fr="Un autre patient est avant celui-ci dans la liste d'attente : donner la raison",
        en="Another patient comes first in the waiting list: give the reason",
    )


class DecisionDueError(ConflictError):
    code = "decision_due"
    title = Label(
        fr="Une décision est attendue sur cette place : nouveau recueil, libération hors spécifications ou retrait",
        en="A decision on this place is due: recollect, out-of-specification release, or withdraw",
    )


class NotStaggeredError(ConflictError):
    code = "not_staggered"
    title = Label(
        fr="Aucune décision n'est attendue : la cohorte n'a pas d'administrations espacées",
        en="No decision is awaited: the dosings of this cohort are not staggered",
    )
