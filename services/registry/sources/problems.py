"""Problems of a source record as a whole."""

from shared.values.problems import Fault, Problem
from shared.values.wire import Label


class InvalidStudyError(Problem):
    """The record is not an object, or has no valid number of its registry."""

    code, status = "invalid_study", 422
    title = Label(fr="Ceci n'est pas une fiche d'essai", en="This is not a study record")

    @classmethod
    def at(cls, pointer: str, code: str, fr: str, en: str) -> "InvalidStudyError":
        """Return the problem with one fault."""
        return cls(errors=[Fault(pointer=pointer, code=code, detail=Label(fr=fr, en=en))])


class DamagedRecordError(Problem):
    """The stored bytes of a record are damaged."""

    code, status = "damaged_record", 422
    title = Label(
        fr="La fiche conservée est endommagée : la reprendre d'une sauvegarde",
        en="The stored record is damaged: restore it from a backup",
    )


class LineTooLongError(Problem):
    """A line of an import is too long. Results are not read and can be left out."""

    code, status = "line_too_long", 413
    title = Label(
        fr="Fiche de plus de 1 Mio : l'envoyer sans ses résultats, qui ne sont pas lus",
        en="Record over 1 MiB: send it without its results, which are not read",
    )


class UnreadableRecordError(Problem):
    """The reader of the source failed at a record."""

    code, status = "unreadable_record", 422
    title = Label(
        fr="Fiche illisible : le journal du registre en dit plus, merci de signaler le défaut",
        en="The record cannot be read: see the log of the registry, and report the fault",
    )
