"""The query parameters and limits of every call that carries a patient, and who may make one."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, Query

from shared.access.policy import Access
from shared.criteria.durations import parse
from shared.http.guards import allow
from shared.values.problems import Fault, ForbiddenError, InvalidParameterError
from shared.values.strict_json import Limits
from shared.values.wire import Day, Duration, Label
from shared.vocabulary.durations import in_months

# A native patient; a Bundle or a Phenopacket, which carry much that is not read; many patients, one a line.
MATCH_BYTES = 256 * 1024
RECORD_BYTES = 4 * 1024 * 1024
BATCH_BYTES = 16 * 1024 * 1024
MATCH_SECONDS = 2.0
# A Phenopacket writes a long deletion base by base, a Bundle has pictures. What is read has limits of its own.
RECORD_LIMITS = Limits(string=RECORD_BYTES, array=20_000, nodes=200_000)
PARIS = ZoneInfo("Europe/Paris")
LONGEST_HORIZON = parse("P20Y")

Matcher = Annotated[Access, Depends(allow("match", "execute"))]
Horizon = Annotated[
    Duration, Query(description="The timeline contains the intervals that begin within this time; at most P20Y.")
]
DosingDate = Annotated[
    Day | None, Query(description="The planned day of dosing. Default: the lead time that each trial gives.")
]
AsOf = Annotated[
    Day | None,
    Query(description="The day of evaluation, for a Bundle or a Phenopacket. A native patient has a field for it."),
]
Synthetic = Annotated[
    bool,
    Query(description="Declares that the patient is invented. Required of callers that may not see real patients."),
]
_SYNTHETIC_ONLY = Label(
    fr="cet appelant ne peut envoyer qu'un patient inventé, avec synthetic=true",
    en="this caller may send an invented patient only, with synthetic=true",
)
_TOO_LONG = Label(fr="au plus P20Y", en="at most P20Y")
_IN_THE_PAST = Label(fr="pas avant le jour de l'évaluation", en="not before the day of evaluation")


@dataclass(frozen=True, slots=True)
class PatientParameters:
    """The query parameters of a call that carries a patient."""

    horizon: Horizon = "P2Y"
    dosing_date: DosingDate = None
    as_of: AsOf = None
    synthetic: Synthetic = False

    @property
    def today(self) -> date:
        """The present day in Paris, which is the day of evaluation where the caller gives none."""
        return datetime.now(PARIS).date()

    def check_access(self, access: Access) -> None:
        """Check that the caller may send this patient.

        :raises ForbiddenError: 403, a patient who is not declared as invented, from a caller who may see no other.
        """
        if access.rows == "synthetic" and not self.synthetic:
            raise ForbiddenError(_SYNTHETIC_ONLY)

    def check_days(self, as_of: date | None) -> None:
        """Check the parameters against the day of evaluation (None: today).

        :raises InvalidParameterError: 400, a horizon beyond 20 years, or a dosing before the day of evaluation.
        """
        horizon = parse(self.horizon)
        if in_months(horizon.months, horizon.days) > LONGEST_HORIZON.months:
            raise InvalidParameterError(
                errors=[Fault(pointer="/query/horizon", code="horizon_too_long", detail=_TOO_LONG)]
            )
        if self.dosing_date is not None and self.dosing_date < (as_of or self.today):
            raise InvalidParameterError(
                errors=[Fault(pointer="/query/dosing_date", code="dosing_in_the_past", detail=_IN_THE_PAST)]
            )


Parameters = Annotated[PatientParameters, Depends()]
