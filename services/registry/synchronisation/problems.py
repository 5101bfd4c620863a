"""Problems of synchronisation."""

from shared.values.problems import ConflictError, InvalidBodyError
from shared.values.wire import Label


class NoDayError(InvalidBodyError):
    """A feed is followed from a cursor, not from a day."""

    code = "no_day"
    title = Label(
        fr="Un flux se lit depuis un curseur : demander `full` pour tout relire",
        en="A feed is read from a cursor: ask for `full` to read everything again",
    )


class SourceOffError(ConflictError):
    """The operator did not name the source in the settings: nothing is fetched from it."""

    code = "source_off"
    title = Label(
        fr="Cette source n'est pas activée : l'exploitant la nomme dans CLEIO_REGISTRY_SYNC",
        en="This source is off: the operator names it in CLEIO_REGISTRY_SYNC",
    )
