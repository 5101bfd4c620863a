"""What a dossier says of its study: the trial in the form of this registry, and what the register needs beside it."""

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from services.registry.model.contact import Contact
from services.registry.model.design import WebAddress
from services.registry.model.texts import MAX_ITEMS, ImpersonalLine
from services.registry.model.trial import Identifier, TrialFields
from shared.values.json_pointer import escape
from shared.values.personal_identifiers import shape_of
from shared.values.problems import Fault
from shared.values.wire import ApiModel, Day, Label, PartialDate
from shared.vocabulary.identifiers import recognise_identifier

Regulation = Literal["REG536", "REG745", "REG746", "JARDE"]
# Items of the WHO data set of which a study may truly have nothing.
Nothing = Literal["secondary_numbers", "secondary_sponsors", "secondary_outcomes", "summary_results"]

_FORBIDDEN: Final = Label(
    fr="ce texte contient ce qui ressemble à un identifiant ou à une coordonnée d'une personne : retirez-le",
    en="this text contains what looks like an identifier or contact of a person: remove it",
)
# The mailbox and the page of a function, whose models refuse those of persons.
_OF_FUNCTIONS: Final = frozenset({"email", "url"})


class SubmissionTrial(TrialFields):
    """A trial of which anything may still be missing."""

    identifiers: Annotated[list[Identifier], Field(max_length=100)] = Field(
        default_factory=list, description="The numbers of the trial, as far as it has any."
    )


class SubmissionAttachment(ApiModel):
    """A document of the dossier, by reference: files are never sent here."""

    title: ImpersonalLine = Field(description="What it is.")
    reference: ImpersonalLine | None = Field(default=None, description="Its number in the files of the sponsor.")
    url: WebAddress | None = Field(default=None, description="Where it is.")
    version: ImpersonalLine | None = Field(default=None, description="Its version.")
    date: Day | None = Field(default=None, description="Its date.")


class SubmissionEthics(ApiModel):
    """The ethics review."""

    status: Literal["approved", "submitted", "not_required", "refused"] = Field(description="Where it stands.")
    committee: ImpersonalLine | None = Field(default=None, description="The committee.")
    on: Day | None = Field(default=None, description="The day of the approval.")


class SubmissionDataSharing(ApiModel):
    """What becomes of the data of participants."""

    plan: Literal["yes", "no", "undecided"] = Field(description="Whether data of participants will be shared.")
    text: ImpersonalLine | None = Field(default=None, description="What, with whom, and when.")


class SubmissionRegistration(ApiModel):
    """What the WHO registration data set asks beside the trial itself."""

    registered_on: PartialDate | None = Field(default=None, description="When its primary register registered it.")
    funding: Annotated[list[ImpersonalLine], Field(max_length=50)] = Field(
        default_factory=list, description="Who gives money or material."
    )
    scientific_contact: Contact | None = Field(default=None, description="The function for scientific questions.")
    ethics: SubmissionEthics | None = Field(default=None, description="The ethics review.")
    results_url: WebAddress | None = Field(default=None, description="Where the summary of results is.")
    data_sharing: SubmissionDataSharing | None = Field(
        default=None, description="What becomes of the data of participants."
    )
    nothing: Annotated[list[Nothing], Field(max_length=4)] = Field(
        default_factory=list, description="Items of which there truly is nothing."
    )


class SubmissionContent(ApiModel):
    """The content of a dossier. Everything may be missing while it is a draft."""

    title: ImpersonalLine | None = Field(default=None, description="The title of the dossier.")
    protocol_code: ImpersonalLine | None = Field(default=None, description="The sponsor's code of the protocol.")
    regulation: Regulation | None = Field(
        default=None,
        description="The law that applies: Regulation (EU) 536/2014 (clinical trials), 2017/745, 2017/746 (devices), "
        "or the French law on research (`JARDE`).",
    )
    first_in_human: bool | None = Field(
        default=None, description="Whether the product is given to people for the first time."
    )
    trial: SubmissionTrial = Field(default=SubmissionTrial(), description="The trial, in the form of this registry.")
    registration: SubmissionRegistration = Field(
        default=SubmissionRegistration(), description="What registers need beside the trial."
    )
    attachments: Annotated[list[SubmissionAttachment], Field(max_length=MAX_ITEMS)] = Field(
        default_factory=list, description="Documents, by reference: no files, and no documents about patients."
    )

    def dump(self) -> str:
        """Write what it says as JSON, without what is left open."""
        return self.model_dump_json(exclude_defaults=True)


def trial_document(content: SubmissionContent) -> dict[str, Any]:
    """Return the trial of a dossier as JSON, without what is left open, with the code of the protocol as a number."""
    document = content.trial.model_dump(mode="json", exclude_defaults=True)
    # Only the registry itself loads a sample.
    document.pop("sample", None)
    code, numbers = content.protocol_code, list(document.get("identifiers", ()))
    if code is not None and len(code) <= 100:
        kind, value = recognise_identifier(code) or ("sponsor", code)
        if all(one["value"] != value for one in numbers):
            document["identifiers"] = [*numbers, {"type": kind, "value": value}]
    return document


def without_personal_texts(trial: SubmissionTrial) -> SubmissionTrial:
    """Return a trial without the fields that contain what looks like an identifier or contact of a person."""
    document = trial.model_dump(mode="json", exclude_defaults=True)
    named = {pointer.split("/")[1] for pointer, text in _texts(document, "") if shape_of(text) is not None}
    return SubmissionTrial.model_validate({name: value for name, value in document.items() if name not in named})


def personal_faults(content: SubmissionContent) -> list[Fault]:
    """Return the texts of the trial that contain what looks like an identifier or contact of a person, at most 50."""
    found = []
    for pointer, text in _texts(content.trial.model_dump(mode="json", exclude_defaults=True), "/trial"):
        if (shape := shape_of(text)) is not None:
            found.append(Fault(pointer=pointer, code=f"identifier_{shape}", detail=_FORBIDDEN))
    return found[:50]


def _texts(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _texts(item, f"{pointer}/{place}")
    elif isinstance(value, dict):
        for name, item in value.items():
            if name not in _OF_FUNCTIONS or isinstance(item, dict | list):
                yield from _texts(item, f"{pointer}/{escape(name)}")
