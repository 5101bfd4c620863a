"""Problems of the opening of sites."""

from collections.abc import Iterable
from typing import Final

from services.registry.activation.checklist import ITEMS, WORDS
from services.registry.activation.model import Found, ItemName
from shared.values.problems import ConflictError, Fault, InvalidBodyError
from shared.values.wire import Label

IN_THE_FUTURE: Final = Label(fr="ne peut être dans l'avenir", en="cannot be in the future")
OUT_OF_RANGE: Final = Label(
    fr="un jour depuis 2000 et au plus dans dix ans", en="a day since 2000 and at most ten years ahead"
)
OUT_OF_ORDER: Final = Label(
    fr="ne peut précéder l'étape d'avant ni suivre l'étape d'après",
    en="cannot be before the step before it nor after the step that follows it",
)
BEFORE_ITEMS: Final = Label(
    fr="le feu vert ne précède aucun élément fait", en="the green light is not before any item that is done"
)
UNKNOWN_CENTRE: Final = Label(
    fr="aucun centre du réseau n'a cet identifiant", en="no centre of the network has this id"
)


class ActivationRefusedError(InvalidBodyError):
    code = "activation_refused"
    title = Label(fr="Déclaration refusée", en="Statement refused")


class ChecklistIncompleteError(ConflictError):
    code = "checklist_incomplete"
    title = Label(fr="La liste d'ouverture n'est pas complète", en="The opening checklist is not complete")

    def __init__(self, missing: Iterable[ItemName]) -> None:
        super().__init__(errors=[Fault(pointer="/done_on", code=item, detail=ITEMS[item].label) for item in missing])


class OpeningBlockedError(ConflictError):
    code = "opening_blocked"
    title = Label(fr="Le centre ne peut pas ouvrir", en="The site cannot open")

    def __init__(self, blockers: Iterable[Found]) -> None:
        super().__init__(
            errors=[Fault(pointer="/done_on", code=one.code, detail=WORDS[one.code].detail) for one in blockers]
        )


class GreenLightGivenError(ConflictError):
    code = "green_light_given"
    title = Label(fr="Le feu vert est donné : le retirer d'abord", en="The green light is given: withdraw it first")
