"""Problems of capabilities."""

from typing import Final

from shared.values.problems import InvalidBodyError
from shared.values.wire import Label

IN_THE_PAST: Final = Label(fr="ne peut être dans le passé", en="cannot be in the past")
EVIDENCE_NEEDED: Final = Label(
    fr="requis : ce code demande une autorisation ou une accréditation",
    en="required: this code needs an authorisation or an accreditation",
)


class CapabilityRefusedError(InvalidBodyError):
    code = "capability_refused"
    title = Label(fr="Capacité refusée", en="Capability refused")
