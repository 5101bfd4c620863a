"""Problems of a geography that is not there, or cannot be read."""

from shared.values.problems import ConflictError, Fault, InvalidBodyError
from shared.values.wire import Label

HOW_TO_LOAD = Label(
    fr="Aucune géographie n'est chargée. L'exploitant charge les communes, départements et régions :"
    " cleio geo load communes.csv departements.json regions.json",
    en="No geography is loaded. The operator loads communes, départements and regions:"
    " cleio geo load communes.csv departements.json regions.json",
)


class GeographyMissingError(ConflictError):
    """No geography is loaded."""

    code = "geography_missing"
    title = Label(fr="Aucune géographie n'est chargée", en="No geography is loaded")

    def __init__(self) -> None:
        super().__init__(HOW_TO_LOAD)


class UnreadableFileError(InvalidBodyError):
    """A file of a geography cannot be read."""

    def __init__(self, pointer: str) -> None:
        detail = Label(fr="contenu illisible : relancez la commande", en="unreadable content: run the command again")
        super().__init__(errors=[Fault(pointer=pointer, code="unreadable", detail=detail)])
