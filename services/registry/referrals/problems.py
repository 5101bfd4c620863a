"""Problems of referrals."""

from shared.values.problems import ConflictError, InvalidBodyError
from shared.values.wire import Label


class NotReferableError(ConflictError):
    code = "not_referable"
    title = Label(
        fr="Aucun patient ne peut être adressé à cet essai dans ce centre",
        en="No patient can be referred to this trial at this centre",
    )


class AgreementRequiredError(InvalidBodyError):
    code = "agreement_required"
    title = Label(fr="L'accord du patient est requis", en="The patient's agreement is required")


class BothHoldersRequiredError(InvalidBodyError):
    code = "both_holders_required"
    title = Label(
        fr="Le consentement d'un mineur demande les deux titulaires de l'autorité parentale",
        en="The consent of a minor needs both holders of parental authority",
    )
    detail = Label(
        fr="Envoyez by: both_holders, ou sole_authority avec le motif codé pour lequel un seul titulaire consent.",
        en="Send by: both_holders, or sole_authority with the coded ground on which one holder consents alone.",
    )


class OwnConsentDueError(ConflictError):
    code = "own_consent_due"
    title = Label(
        fr="Le patient est devenu majeur : son propre consentement est requis",
        en="The patient has come of age: the patient's own consent is required",
    )
    detail = Label(
        fr="Enregistrez d'abord l'action own_consent avec sa date.",
        en="Record the action own_consent with its date first.",
    )


class ActiveHoldError(ConflictError):
    code = "active_hold"
    title = Label(
        fr="Une place est déjà retenue pour ce patient par une autre demande",
        en="Another referral already holds a place for this patient",
    )


class UnknownReferralError(InvalidBodyError):
    code = "unknown_referral"
    title = Label(
        fr="Aucune demande de cette organisation n'a cette référence",
        en="No referral of this organisation has this reference",
    )
