"""Problems of reports."""

from shared.values.problems import InvalidParameterError, Problem
from shared.values.wire import Label


class NoMoreQuestionsError(Problem):
    code, status = "no_more_questions", 429
    title = Label(
        fr="Le nombre de questions différentes de la journée est atteint",
        en="The number of different questions of the day is reached",
    )
    detail = Label(
        fr="Une question déjà posée aujourd'hui garde sa réponse. De nouvelles questions sont possibles demain (UTC).",
        en="A question that was asked today keeps its answer. New questions are possible tomorrow (UTC).",
    )

    def __init__(self, seconds: int) -> None:
        super().__init__(headers={"Retry-After": str(seconds)})


class WrongViewError(InvalidParameterError):
    code = "wrong_view"
    title = Label(
        fr="Ce rapport demande centre=…, et lui seul le demande",
        en="The view centre needs centre=…, and no other view takes it",
    )


class YearNeededError(InvalidParameterError):
    code = "year_needed"
    title = Label(
        fr="Ce rapport, où les petits effectifs sont masqués, demande year=…",
        en="This report, where small counts are hidden, needs year=…",
    )
