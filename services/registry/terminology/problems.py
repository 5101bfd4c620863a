"""Problems of loading a terminology."""

from shared.values.problems import Fault, InvalidBodyError
from shared.values.wire import Label


class UnreadableStatementsError(InvalidBodyError):
    """The statements of a release cannot be read."""

    def __init__(self, pointer: str) -> None:
        detail = Label(fr="contenu illisible : relancez la commande", en="unreadable content: run the command again")
        super().__init__(errors=[Fault(pointer=pointer, code="unreadable", detail=detail)])
