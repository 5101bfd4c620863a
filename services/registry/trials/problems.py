"""What can be wrong with a trial."""

from shared.values.problems import ConflictError, InvalidBodyError, Problem
from shared.values.wire import Label


class OutOfScopeError(Problem):
    code, status = "out_of_scope", 422
    title = Label(
        fr="Hors du champ du réseau : thérapies innovantes, hors cancérologie",
        en="Outside the network's scope: advanced therapies, outside oncology",
    )


class IdentifierTakenError(ConflictError):
    code = "identifier_taken"
    title = Label(
        fr="Un de ces identifiants désigne déjà un autre essai",
        en="One of these identifiers already names another trial",
    )


class IdentifierMismatchError(InvalidBodyError):
    code = "identifier_mismatch"
    title = Label(
        fr="L'adresse ne nomme aucun des identifiants de l'essai",
        en="The address names none of the trial's identifiers",
    )


class UnknownCentreError(InvalidBodyError):
    code = "unknown_centre"
    title = Label(fr="Centre inconnu", en="Unknown centre")


class UnknownCohortError(InvalidBodyError):
    code = "unknown_cohort"
    title = Label(fr="Cohorte inconnue de cet essai", en="No such cohort in this trial")


class CriteriaRefusedError(InvalidBodyError):
    code = "criteria_refused"
    title = Label(fr="Les critères contiennent des erreurs", en="The criteria contain errors")
