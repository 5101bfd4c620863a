"""Problems of steps."""

from collections.abc import Sequence

from shared.values.problems import ConflictError
from shared.values.wire import Label


class WrongStepError(ConflictError):
    code = "wrong_step"
    title = Label(fr="L'état actuel ne permet pas cette action", en="The current state does not allow this action")

    def __init__(self, state: str, action: str, possible: Sequence[str]) -> None:
        names = ", ".join(possible)
        super().__init__(
            Label(
                fr=f"Dans l'état {state}, {action} n'est pas possible. "
                + (f"Actions possibles : {names}." if names else "Aucune action n'est possible."),
                en=f"In the state {state}, {action} is not possible. "
                + (f"Possible actions: {names}." if names else "No action is possible."),
            )
        )
