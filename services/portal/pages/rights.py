"""Which right a refused visitor lacks, from the access policy. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from shared.access.policy import TABLE, Action, scope_of
from shared.access.principal import ORGANISATION_KINDS

# The API names the right in the explanation of a refusal, as in every language: `submission.write`.
_RIGHT = re.compile(r"\b([a-z_]+)\.(read|write|execute)\b")


@dataclass(frozen=True, slots=True)
class MissingRight:
    """A right that the visitor lacks.

    ``roles``: one of them gives it, empty: no role of this organisation does; ``kinds``: of organisations that have it.
    """

    right: str
    roles: Sequence[str]
    kinds: Sequence[str]


def missing_right(explanation: str, kind: str) -> MissingRight | None:
    """Return the right that a refusal names. ``kind``: of the visitor's organisation. None: it names none."""
    found = _RIGHT.search(explanation)
    if found is None:
        return None
    resource, action = found[1], cast("Action", found[2])
    grants = TABLE.get((resource, action), {})
    roles = sorted(grants[kind].roles) if kind in grants else ()
    return MissingRight(scope_of(resource, action), roles, [one for one in ORGANISATION_KINDS if one in grants])
