"""Problems of the review queue."""

from shared.values.problems import ConflictError, InvalidBodyError
from shared.values.wire import Label


class ClaimedError(ConflictError):
    code = "claimed"
    title = Label(fr="Une autre personne traite cet élément", en="Another person works on this item")


class NotDecidableError(ConflictError):
    code = "not_decidable"
    title = Label(fr="Cet élément ne se décide pas ici", en="This item is not decided here")


class NothingToUndoError(ConflictError):
    code = "nothing_to_undo"
    title = Label(fr="Aucune décision n'est en vigueur", en="No decision is in force")


class WrongAnswerError(InvalidBodyError):
    code = "wrong_answer"
    title = Label(fr="Cette réponse ne convient pas à cet élément", en="This answer does not fit this item")
