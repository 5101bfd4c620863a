"""Problems of feasibility."""

from shared.values.problems import ConflictError, ForbiddenError, InvalidBodyError
from shared.values.wire import Label


class ConfidentialityGateError(ConflictError):
    """Something that needs a signed confidentiality agreement in force."""

    code = "confidentiality_gate"
    title = Label(fr="L'accord de confidentialité n'est pas en vigueur", en="No confidentiality agreement is in force")
    detail = Label(
        fr="L'entité juridique du centre doit d'abord signer l'accord, ou le renouveler s'il est échu.",
        en="The legal entity of the centre must sign the agreement first, or renew it if it has expired.",
    )


class DossierNotOpenError(ConflictError):
    code = "dossier_not_open"
    title = Label(fr="Ce dossier n'est pas ouvert à la faisabilité", en="This dossier is not open for feasibility")
    detail = Label(
        fr="La coordination interroge des centres après l'examen du dossier, et avant son retrait.",
        en="Centres are asked after the coordination has screened the dossier, and before it is withdrawn.",
    )


class NoCentreError(InvalidBodyError):
    code = "no_centre"
    title = Label(fr="Aucun centre à interroger", en="There is no centre to ask")
    detail = Label(
        fr="Aucun centre ne correspond, ou tous ceux qui correspondent sont déjà interrogés.",
        en="No centre matches, or all that match have been asked already.",
    )


class TooFewCentresError(InvalidBodyError):
    code = "too_few_centres"
    title = Label(fr="Trop peu de centres à interroger", en="There are too few centres to ask")
    detail = Label(
        fr="Un promoteur interroge au moins trois centres à la fois : la coordination interroge ceux-ci.",
        en="A sponsor asks at least three centres at a time: the coordination asks these.",
    )


class NoLegalEntityError(ConflictError):
    code = "no_legal_entity"
    title = Label(fr="L'entité juridique du centre n'est pas connue", en="The legal entity of the centre is not known")
    detail = Label(fr="La coordination l'enregistre d'abord.", en="The coordination records it first.")


class IncompleteAnswersError(InvalidBodyError):
    code = "incomplete_answers"
    title = Label(fr="Des réponses manquent", en="Answers are missing")


class CoordinationOnlyError(ForbiddenError):
    code = "coordination_only"
    title = Label(fr="Réservé à la coordination du réseau", en="For the coordination of the network only")
