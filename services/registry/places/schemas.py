"""The table of places on the wire."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.registry.model.texts import Line, ShortLine
from services.registry.trials.places.model import Assignment, Facility, PlaceKind
from shared.values.forms import described
from shared.values.wire import ApiModel, Instant
from shared.vocabulary.geography import Country
from shared.vocabulary.identifiers import CentreId
from shared.vocabulary.recruitment import RecruitmentStatus

FacilityKey = Annotated[
    str,
    StringConstraints(
        pattern=described(r"^[0-9a-f]{32}$", fr="32 chiffres hexadécimaux", en="32 hexadecimal digits"),
    ),
]
Finess = Annotated[
    str,
    StringConstraints(
        pattern=described(
            r"^[0-9][0-9A-Z][0-9]{7}$",
            fr="un numéro FINESS de neuf caractères, p. ex. 750100208",
            en="a FINESS number of nine characters, e.g. 750100208",
        )
    ),
]
_KEY = "The key of the facility text: the same whatever accents, case and signs."


class UnmatchedFacility(ApiModel):
    """A facility text of which nobody has said which place it is, and that no rule recognises."""

    key: FacilityKey = Field(description=_KEY)
    facility: str = Field(description="The name, as a record writes it.")
    city: str | None = Field(description="The city, as a record writes it.")
    country: Country | None = Field(description="The country.")
    trials: int = Field(description="The number of trials that have it.")


class UnmatchedPage(ApiModel):
    """A page of unmatched facility texts."""

    items: list[UnmatchedFacility] = Field(description="The French ones first, then those that most trials have.")
    next: str | None = Field(description="The `cursor` of the next page; null on the last page.")


class PlaceInput(ApiModel):
    """Which place a facility text is: a member centre, a hospital, or none of ours."""

    key: FacilityKey | None = Field(default=None, description="The key, as the list of unmatched texts gives it.")
    facility: Line | None = Field(default=None, description="Without a key: the name, as records write it.")
    city: ShortLine | None = Field(default=None, description="Without a key: the city, as records write it.")
    country: Country | None = Field(
        default="FR", description="Without a key: the country, as records write it; null: records give none."
    )
    centre: CentreId | None = Field(default=None, description="The id of the member centre.")
    finess: Finess | None = Field(default=None, description="The FINESS number of a hospital (FINESS ET).")
    none: bool = Field(default=False, description="Whether it is no place of ours, whatever the rules recognise.")
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500)] = Field(description="Why.")

    @model_validator(mode="after")
    def _names_one_text_and_one_place(self) -> Self:
        if (self.key is None) == (self.facility is None):
            raise PydanticCustomError("facility", "give either key or facility")
        if [self.centre is not None, self.finess is not None, self.none].count(True) != 1:
            raise PydanticCustomError("place", "give one of centre, finess and none")
        return self


class Place(ApiModel):
    """What a person said which place a facility text is."""

    key: FacilityKey = Field(description=_KEY)
    version: int = Field(description="The number of the assignment of this text, as in the `ETag`.")
    facility: str = Field(description="The name, as a record writes it.")
    city: str | None = Field(description="The city, as a record writes it.")
    country: Country | None = Field(description="The country.")
    kind: PlaceKind = Field(description="`centre`, `hospital`, or `none`: none of ours.")
    place: str | None = Field(description="The id of the centre, or the FINESS number; null: none of ours.")
    reason: str = Field(description="Why.")
    author: str = Field(description="Who said it: the organisation, and the member or client, by their ids.")
    at: Instant = Field(description="When it was said.")
    withdrawn_at: Instant | None = Field(description="When it was withdrawn or replaced; null: it is in force.")
    withdrawn_by: str | None = Field(description="Who withdrew or replaced it.")

    @classmethod
    def of(cls, one: Assignment) -> "Place":
        """Return an assignment as readers get it."""
        return cls(
            key=one.key, version=one.number, facility=one.facility, city=one.city, country=one.country, kind=one.kind,
            place=one.place, reason=one.reason, author=one.author, at=one.at, withdrawn_at=one.withdrawn_at,
            withdrawn_by=one.withdrawn_by,
        )  # fmt: skip


class PlacePage(ApiModel):
    """A page of the table."""

    items: list[Place] = Field(description="The assignments, by key and version.")
    next: str | None = Field(description="The `cursor` of the next page; null on the last page.")


class TrialFacility(ApiModel):
    """A facility of a trial, and the place that it is."""

    key: FacilityKey = Field(description=_KEY)
    version: int = Field(description="The version: each change raises it by one. It never restarts.")
    facility: str | None = Field(description="The name, as the record writes it; null: only the country is given.")
    city: str | None = Field(description="The city, as the record writes it.")
    country: Country | None = Field(description="The country.")
    kind: Literal["centre", "hospital", "text"] = Field(
        description="`centre`: a member centre. `hospital`: another one. `text`: not known which place it is."
    )
    place: str | None = Field(description="The id of the centre, or the FINESS number of the hospital.")
    named: bool = Field(description="Whether a record names it now: what none names any more stays.")
    source_status: RecruitmentStatus | None = Field(
        description="The recruitment status that the record gives for it; null: none."
    )

    @classmethod
    def of(cls, one: Facility, version: int) -> "TrialFacility":
        """Return a facility as readers get it."""
        return cls(
            key=one.key, version=version, facility=one.facility, city=one.city, country=one.country,
            kind="centre" if one.centre else "hospital" if one.finess else "text", place=one.centre or one.finess,
            named=one.named, source_status=one.source_status,
        )  # fmt: skip


class TrialFacilities(ApiModel):
    """The facilities of a trial."""

    items: list[TrialFacility] = Field(description="The facilities, the French ones first, then by country and name.")
