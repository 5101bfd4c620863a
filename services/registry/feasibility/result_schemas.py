"""The result of a feasibility on the wire: numbers of the network for the sponsor, a table for the coordination."""

from typing import Annotated

from pydantic import Field

from services.registry.feasibility.buckets import Bucket
from services.registry.feasibility.gate import VisibleField
from services.registry.feasibility.network_result import NetworkResult
from services.registry.feasibility.schemas import FeasibilitySummary
from services.registry.model.references import SubmissionReference
from shared.values.wire import ApiModel

_COUNT = "`<11`, `11–20`, `21–50`, `51–100`, `101–250` or `>250`"


class MonthRange(ApiModel):
    """A range of months."""

    lowest: int = Field(description="The lowest number of months that a centre expects.")
    highest: int = Field(description="The highest one.")


class ExpectedRecruitment(ApiModel):
    """What the centres that can conduct the study expect together."""

    able: int = Field(description="The number of centres that can conduct it, also under conditions.")
    total: Bucket = Field(description=f"The patients that they would include in all: {_COUNT}.")
    per_year: Bucket = Field(description=f"The patients that they would include each year: {_COUNT}.")
    exact_total: int | None = Field(description="The exact number; null unless the caller is the coordination.")
    months: MonthRange | None = Field(description="The time to recruit them; null with fewer than three such centres.")


class FeasibilityResult(ApiModel):
    """The result over all centres: never the answer of one of them."""

    asked: int = Field(description="The number of centres that were asked.")
    answered: int = Field(description="The number of centres that answered.")
    declined: int = Field(description="The number of centres that declined.")
    selected: int = Field(description="The number of centres that were selected.")
    expected: ExpectedRecruitment | None = Field(description="What they expect; null with fewer than three answers.")

    @classmethod
    def of(cls, result: NetworkResult, *, exact: bool) -> "FeasibilityResult":
        """Return the result as readers get it. ``exact``: also exact numbers of patients."""
        found = result.expected
        expected = None
        if found is not None:
            total, per_year = found.buckets
            months = MonthRange(lowest=found.months[0], highest=found.months[1]) if found.months else None
            expected = ExpectedRecruitment(
                able=found.able,
                total=total,
                per_year=per_year,
                exact_total=found.total if exact else None,
                months=months,
            )
        return cls(
            asked=result.asked,
            answered=result.answered,
            declined=result.declined,
            selected=result.selected,
            expected=expected,
        )


class FeasibilityOverview(ApiModel):
    """The feasibility of a dossier."""

    submission: SubmissionReference = Field(description="The reference of the dossier.")
    result: FeasibilityResult = Field(description="The result over all centres.")
    requests: list[FeasibilitySummary] = Field(
        description="By centre: for the coordination all requests; for the sponsor those of centres that consented to "
        "be named or were selected."
    )


class VisibleFieldsInput(ApiModel):
    """What centres see of a dossier before a confidentiality agreement, beyond what every centre sees."""

    visible: Annotated[list[VisibleField], Field(max_length=20)] = Field(
        description="Fields of the trial. Without any, a centre sees the diseases, the phase, the age bands, the "
        "number of countries and the deadline."
    )


class VisibleFieldsDocument(VisibleFieldsInput):
    """The fields that are shown."""

    version: int = Field(description="The version, as in the `ETag`; 0: the sponsor has chosen none.")
