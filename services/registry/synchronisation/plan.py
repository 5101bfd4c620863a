"""How a source is synchronised: the setting ``CLEIO_REGISTRY_SYNC``."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

CLEIO: Final = "cleio:"
REGISTERS: Final = ("ctgov", "eclaire", "ctis", "isrctn", "euctr")
_PEER: Final = re.compile(r"cleio:[a-z][a-z0-9-]{0,29}")


class SyncPlan(BaseModel):
    """When and how one source is fetched. Without ``hours`` it is fetched on request only; without a plan, never."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hours: float | None = Field(default=None, gt=0, le=24 * 366, description="Hours between the starts of two runs.")
    url: str = Field(default="", max_length=1000, description="Base address; default: the public one of the register.")
    query: str = Field(default="", max_length=4000, description="What to ask for; default: advanced therapies.")
    token: SecretStr = Field(default=SecretStr(""), description="API key at another CLEIO installation.")
    overlap_days: int = Field(
        default=7, ge=0, le=365, description="Records changed so many days before the last run are fetched again."
    )
    full_days: int = Field(default=7, ge=1, le=366, description="Days between two complete listings.")
    pause_seconds: float = Field(default=1.0, ge=0, le=60, description="Pause between two requests.")
    retry_seconds: float = Field(default=5.0, gt=0, le=3600, description="Wait after a first fault; it doubles to 1 h.")


def _checked(plans: dict[str, SyncPlan]) -> dict[str, SyncPlan]:
    for name, plan in plans.items():
        if name not in REGISTERS and not _PEER.fullmatch(name):
            raise ValueError(f"{name!r} is no source: {', '.join(REGISTERS)} or cleio:<name> is expected")
        if name.startswith(CLEIO) and not plan.url:
            raise ValueError(f"{name} needs a url")
    return plans


Plans = Annotated[dict[str, SyncPlan], AfterValidator(_checked)]
