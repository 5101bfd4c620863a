"""Problems of a match."""

from shared.values.problems import GoneError
from shared.values.wire import Label


class OutdatedCursorError(GoneError):
    """The trials have changed, so the next page could skip or repeat one."""

    code = "cursor_outdated"
    title = Label(
        fr="Les essais ont changé depuis la première page ; reprenez sans `cursor`",
        en="The trials have changed since the first page; start again without `cursor`",
    )
