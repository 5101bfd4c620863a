"""Problems of safety holds."""

from shared.values.problems import ConflictError, ForbiddenError, InvalidBodyError
from shared.values.wire import Label


class HeldTrialError(ConflictError):
    code = "safety_hold"
    title = Label(
        fr="Une suspension de sécurité interdit toute nouvelle demande, place ou inclusion",
        en="A safety hold forbids new requests, places and inclusions",
    )


class LiftedHoldError(ConflictError):
    code = "hold_lifted"
    title = Label(fr="Cette suspension est déjà levée", en="This hold is lifted already")


class OtherReferenceError(ConflictError):
    code = "other_reference"
    title = Label(
        fr="L'autre organisation a donné une autre référence : les deux doivent nommer la même",
        en="The other organisation gave another reference: both must name the same one",
    )


class ImposerCannotLiftError(ForbiddenError):
    code = "two_organisations_needed"
    title = Label(
        fr="La levée demande deux personnes de deux organisations, dont aucune n'a imposé la suspension",
        en="To lift a hold takes two people of two organisations, neither of whom imposed it",
    )


class UnknownTargetError(InvalidBodyError):
    code = "unknown_target"
    title = Label(
        fr="L'essai n'a pas ce pays, ce site, cette cohorte ou ce produit",
        en="The trial has no such country, site, cohort or product",
    )
