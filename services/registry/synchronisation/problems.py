"""Problems of synchronisation."""

from shared.values.problems import InvalidBodyError
from shared.values.wire import Label


class NoDayError(InvalidBodyError):
    """A feed is followed from a cursor, not from a day."""

    code = "no_day"
    title = Label(
        fr="Un flux se lit depuis un curseur : demander `full` pour tout relire",
        en="A feed is read from a cursor: ask for `full` to read everything again",
    )
