"""Problems of states and owners."""

from shared.values.problems import InvalidBodyError
from shared.values.wire import Label


class UnknownOwnerError(InvalidBodyError):
    code = "unknown_organisation"
    title = Label(fr="Organisation inconnue ou suspendue", en="Unknown or suspended organisation")
