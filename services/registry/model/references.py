"""References that this registry gives to dossiers and referrals: random, so that they say nothing of their subject."""

import secrets
from typing import Annotated, Final

from pydantic import StringConstraints

from shared.values.forms import described

# Letters and digits that are not taken for one another when they are read aloud.
_SIGNS: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_FORM: Final = "[2-9A-HJKMNP-TV-Z]"
_GROUPS, _EACH = 3, 4


def new_reference(prefix: str) -> str:
    """Return a new reference such as ``REF-7K2M-Q9XT-4HWD``: 58 random bits."""
    groups = ("".join(secrets.choice(_SIGNS) for _ in range(_EACH)) for _ in range(_GROUPS))
    return "-".join([prefix, *groups])


def reference_pattern(prefix: str) -> StringConstraints:
    """Return the form of the references with a prefix."""
    return StringConstraints(
        pattern=described(
            f"^{prefix}(-{_FORM}{{{_EACH}}}){{{_GROUPS}}}$",
            fr=f"une référence que ce registre a donnée, p. ex. {prefix}-7K2M-Q9XT-4HWD",
            en=f"a reference that this registry gave, e.g. {prefix}-7K2M-Q9XT-4HWD",
        )
    )


SubmissionReference = Annotated[str, reference_pattern("SUB")]
ReferralReference = Annotated[str, reference_pattern("REF")]
HoldReference = Annotated[str, reference_pattern("HLD")]
