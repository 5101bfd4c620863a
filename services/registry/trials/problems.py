"""Problems of trials."""

from shared.values.problems import ConflictError, ForbiddenError, InvalidBodyError, InvalidParameterError, Problem
from shared.values.wire import Label


class OutOfScopeError(Problem):
    code, status = "out_of_scope", 422
    title = Label(
        fr="Hors du champ du réseau : médicaments de thérapie innovante, hors cancérologie",
        en="Outside the network's scope: advanced therapies, outside oncology",
    )


class IdentifierTakenError(ConflictError):
    code = "identifier_taken"
    title = Label(
        fr="L'un de ces identifiants est déjà celui d'un autre essai",
        en="One of these identifiers already belongs to another trial",
    )


class IdentifierMismatchError(InvalidBodyError):
    code = "identifier_mismatch"
    title = Label(
        fr="L'identifiant de l'adresse n'est pas un identifiant de l'essai envoyé",
        en="The identifier in the path is not one of the identifiers of the trial sent",
    )


class PersonNeededError(ForbiddenError):
    code = "person_needed"
    title = Label(
        fr="Cette décision demande deux personnes, et une clé ou un programme n'en est pas une : se connecter",
        en="This decision takes two people, and a key or program is none: sign in",
    )
    detail = Label(
        fr="Obtenir un jeton par cleio login, ou par un autre logiciel qui fait se connecter une personne.",
        en="Get a token with cleio login, or with another program that lets a person sign in.",
    )


class UnknownCentreError(InvalidBodyError):
    code = "unknown_centre"
    title = Label(fr="Centre inconnu", en="Unknown centre")


class UnknownCohortError(InvalidBodyError):
    code = "unknown_cohort"
    title = Label(fr="Cette cohorte n'existe pas dans cet essai", en="This trial has no such cohort")


class CriteriaRefusedError(InvalidBodyError):
    code = "criteria_refused"
    title = Label(fr="Les critères contiennent des erreurs", en="The criteria contain errors")


class WrongStateError(ConflictError):
    code = "wrong_state"
    title = Label(fr="L'état de l'essai ne le permet pas", en="The state of the trial does not allow this")


class UnknownFilterError(InvalidParameterError):
    code = "unknown_filter_value"
    title = Label(fr="Valeur de filtre inconnue", en="Unknown filter value")


class ReservedFilterError(InvalidParameterError):
    code = "reserved_filter"
    title = Label(fr="Filtre réservé", en="Reserved filter")


class IndexStartingError(Problem):
    code, status = "search_starting", 503
    title = Label(fr="La recherche démarre", en="The search is starting")
    detail = Label(
        fr="Réessayez dans quelques secondes ; la liste complète et chaque essai se lisent déjà.",
        en="Retry in a few seconds; the whole list and single trials can be read already.",
    )

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "2"})
