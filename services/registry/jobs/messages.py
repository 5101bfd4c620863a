"""What is reported of a line, in the columns of the partner."""

from collections.abc import Mapping
from typing import Final

from services.registry.jobs.model import Message
from services.registry.sources.partner.columns import columns
from services.registry.sources.partner.faults import TEXTS
from services.registry.sources.partner.files import Item
from services.registry.sources.schemas import LineResult
from shared.values.language import Language
from shared.values.problems import FieldError, Problem
from shared.values.wire import Label

# The columns of fields of a trial: reasons name these.
_COLUMNS: Final[Mapping[str, str]] = {
    "identifiers/0": "number",
    "identifiers": "registry_numbers",
    "titles/en": "title_en",
    "titles": "title_fr",
    "locations": "centres",
    "sites": "centres",
    "eligibility": "inclusion",
    "dates": "start",
}
_SEEN_AGAIN: Final = Label(
    fr="cet essai manquait au dernier fichier complet : il est de nouveau présent",
    en="this trial was missing from the last complete file: it is present again",
)
_CHANGED_SINCE: Final = Label(
    fr="la fiche a changé depuis cet envoi : elle n'est pas rétablie ; annulez d'abord l'envoi qui l'a changée",
    en="the record has changed since that push: it is not put back; first undo the push that changed it",
)
_UNREADABLE: Final = Label(
    fr="le registre n'a pas pu lire cette ligne : le journal en dit plus, merci de signaler le défaut",
    en="the registry could not read this line: see its log, and report the fault",
)


def line_messages(item: Item, result: LineResult | None, language: Language) -> tuple[Message, ...]:
    """Return what is to be known about a line. ``result``: of its import, if there was one."""
    found = [Message(one.column, one.code, getattr(TEXTS[one.code], language)) for one in item.faults]
    if result is not None:
        found += [_message(one) for one in (*result.errors, *result.reasons)]
    return tuple(dict.fromkeys(found))


def seen_again(language: Language) -> Message:
    return Message("", "seen_again", getattr(_SEEN_AGAIN, language))


def changed_since(language: Language) -> Message:
    return Message("", "changed_since", getattr(_CHANGED_SINCE, language))


def unreadable(language: Language) -> Message:
    return Message("", "unreadable_record", getattr(_UNREADABLE, language))


def not_put_back(problem: Problem, language: Language) -> Message:
    return Message("", problem.code, getattr(problem.explanation, language))


def _message(fault: FieldError) -> Message:
    return Message(column_of(fault.pointer), fault.code, fault.detail)


def column_of(pointer: str) -> str:
    """Return the column of a pointer into a record or into its trial; empty: none."""
    parts = pointer.strip("/").split("/")
    for name in ("/".join(parts[:2]), parts[1] if len(parts) > 1 else "", parts[0]):
        if name in columns():
            return name
        if name in _COLUMNS:
            return _COLUMNS[name]
    return ""
