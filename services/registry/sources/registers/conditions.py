"""Says the conditions of a record; where only its titles name them, they are a supposition."""

from collections.abc import Callable, Iterable, Sequence

from services.registry.model.trial import Condition
from services.registry.sources.record_conditions import record_conditions
from services.registry.sources.registers.statements import Member, Statements
from services.registry.terminology.terminology import Terminology


def say_conditions(
    said: Statements,
    texts: Iterable[str | None],
    titles: Sequence[str],
    terminology: Terminology,
    *members: Member,
    change: Callable[[list[Condition]], list[Condition]] = list,
) -> None:
    """Say the conditions of some texts, None being none.

    ``members``: where the record may have them. ``change``: adds what else the source says of them.
    """
    given = list(dict.fromkeys(text for text in texts if text is not None))
    found = change(record_conditions(given, (), titles, terminology))
    if any(one.inferred is None for one in found):
        said.say("conditions", lambda: found)
    else:
        said.say("conditions", list, *members)
        said.suppose("conditions", found)
