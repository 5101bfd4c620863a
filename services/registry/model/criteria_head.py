"""What a trial says of its criteria in force."""

from typing import Annotated, Literal

from pydantic import Field

from shared.values.wire import ApiModel

Grade = Literal["signed", "registry"]


class CriteriaHead(ApiModel):
    """Version and grade of the criteria in force. The criteria themselves: `/trials/{id}/criteria`."""

    version: Annotated[int, Field(ge=1)] = Field(description="The version of the criteria.")
    grade: Grade = Field(
        description="`signed`: encoded by one person and signed by another. `registry`: derived from the public "
        "record (age, sex, conditions)."
    )
    source_hash: str | None = Field(
        default=None,
        description="A hash of the source's eligibility that they were written from; null: it gave none.",
    )
    outdated: bool = Field(
        default=False,
        description="Whether the source's eligibility has changed since they were signed: they are unconfirmed.",
    )
    illustrative: bool = Field(
        default=False, description="Whether author and signer are invented, for demonstration: never for care."
    )
