"""The names by which a trial is found."""

from collections.abc import Iterable

from services.registry.model.trial import Identifier
from shared.vocabulary.identifiers import alias_of, is_trial_id


def aliases_of(identifiers: Iterable[Identifier]) -> dict[str, bool]:
    """Return the forms by which these numbers find their trial, and whether each is unique worldwide.

    Two sponsors may use the same code.
    """
    found: dict[str, bool] = {}
    for one in identifiers:
        alias, is_public = alias_of(one.value), one.type != "sponsor"
        if is_public or not is_trial_id(alias):
            found[alias] = found.get(alias, False) or is_public
    return found
