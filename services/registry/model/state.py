"""Where a trial stands, and what people do about it (`docs/registry.md`)."""

from typing import Literal

TrialState = Literal["draft", "in_review", "published", "withdrawn", "archived"]
# Set by people; it holds whatever the sources and the scope gate say.
Hold = Literal["draft", "withdrawn", "archived"]
StateAction = Literal["publish", "withdraw", "archive", "restore"]
