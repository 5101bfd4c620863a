"""What can be wrong with a source's record as a whole."""

from shared.values.problems import Fault, Problem
from shared.values.wire import Label


class InvalidStudyError(Problem):
    """The record is no study: not an object, or without a usable number of its registry."""

    code, status = "invalid_study", 422
    title = Label(fr="Ceci n'est pas une fiche d'essai", en="This is not a study record")

    @classmethod
    def at(cls, pointer: str, code: str, fr: str, en: str) -> "InvalidStudyError":
        """The problem with its one fault."""
        return cls(errors=[Fault(pointer=pointer, code=code, detail=Label(fr=fr, en=en))])
