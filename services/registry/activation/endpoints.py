"""Authorisation and opening of sites over HTTP."""

from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from services.registry.activation.checklist import ITEMS
from services.registry.activation.model import ItemName, PathStep
from services.registry.activation.path import CLOCKS
from services.registry.activation.schemas import (
    Checklist,
    ChecklistItem,
    DeclarationDocument,
    DeclarationInput,
    EntryInput,
    Finding,
    ItemInput,
    PathStepDocument,
    RegulatoryPath,
)
from services.registry.activation.service import ActivationService, SiteChecklist, TrialPath
from services.registry.centres.repository import CentreRepository
from services.registry.preparation.answers import answer, precondition_of
from services.registry.preparation.model import Party, Stated
from services.registry.preparation.repository import PreparationRepository
from services.registry.preparation.service import PreparationService
from services.registry.trials.repository import TrialRepository
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.route import ApiRoute, accepts
from shared.http.versions import IfMatch, etag
from shared.persistence import Reading, Writing
from shared.vocabulary.identifiers import CentreId

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["activation"])


def _reading_service(connection: Reading) -> ActivationService:
    repository = PreparationRepository(connection)
    preparation = PreparationService(repository, TrialRepository(connection), datetime.now(UTC))
    return ActivationService(preparation, CentreRepository(connection))


def _writing_service(connection: Writing) -> ActivationService:
    repository = PreparationRepository(connection)
    preparation = PreparationService(repository, TrialRepository(connection), datetime.now(UTC))
    return ActivationService(preparation, CentreRepository(connection))


Reads = Annotated[ActivationService, Depends(_reading_service)]
Writes = Annotated[ActivationService, Depends(_writing_service)]
Reader = Annotated[Access, Depends(allow("activation", "read"))]
Writer = Annotated[Access, Depends(allow("activation", "write"))]
Identifier = Annotated[str, Path(max_length=100, description="The `id` of the trial, or any of its numbers.")]
Centre = Annotated[CentreId, Path(description="The id of the centre, such as `fr-lille`.")]
Step = Annotated[PathStep, Path(description="The step.")]
Item = Annotated[ItemName, Path(description="The item.")]


@router.get(
    "/trials/{identifier}/gmo-declaration", response_model=DeclarationDocument, summary="Read the GMO declaration"
)
async def read_gmo_declaration(service: Reads, access: Reader, identifier: Identifier) -> Response:
    """Return the declaration of a GMO by the sponsor, with its list of sites, to the parties of the trial."""
    return _declaration(*await service.declaration(identifier, access))


@router.put(
    "/trials/{identifier}/gmo-declaration",
    response_model=DeclarationDocument,
    responses={201: {"model": DeclarationDocument}},
    summary="State the GMO declaration",
)
@accepts()
async def write_gmo_declaration(
    if_match: IfMatch, given: DeclarationInput, service: Writes, access: Writer, identifier: Identifier
) -> Response:
    """State the declaration (`If-None-Match: *`) or replace a version (`If-Match`): the sponsor or the coordination."""
    expected = precondition_of(if_match)
    return _declaration(*await service.declare(identifier, given, access, expected), created=expected.creates)


@router.get("/trials/{identifier}/regulatory-path", summary="Read the regulatory path of a trial")
async def read_regulatory_path(service: Reads, access: Reader, identifier: Identifier) -> RegulatoryPath:
    """Return the steps with their days, what blocks the opening of sites and what to do about it.

    Days that were not entered are estimated: by the clocks of EU Regulation 536/2014, Regulation 1182/71 and the winter
    stop of CTIS.
    """
    return _path(await service.path(identifier, access))


@router.put(
    "/trials/{identifier}/regulatory-path/{step}",
    response_model=RegulatoryPath,
    responses={201: {"model": RegulatoryPath}},
    summary="Enter a step of the regulatory path",
)
@accepts()
async def write_regulatory_step(
    if_match: IfMatch, given: EntryInput, service: Writes, access: Writer, identifier: Identifier, step: Step
) -> Response:
    """Enter a step (`If-None-Match: *`) or replace its version (`If-Match`): the sponsor or the coordination."""
    expected = precondition_of(if_match)
    found = await service.enter(identifier, step, given, access, expected)
    return answer(_path(found), found.entries[step][1], created=expected.creates)


@router.get("/trials/{identifier}/sites/{centre}/checklist", summary="Read the opening checklist of a site")
async def read_checklist(service: Reads, access: Reader, identifier: Identifier, centre: Centre) -> Checklist:
    """Return what must be done before the site opens, whose task it is, and what blocks it."""
    return _checklist(await service.checklist(identifier, centre, access), service.today)


@router.get("/trials/{identifier}/sites/{centre}/checklist/{item}", summary="Read an item of the opening checklist")
async def read_checklist_item(
    response: Response, service: Reads, access: Reader, identifier: Identifier, centre: Centre, item: Item
) -> ChecklistItem:
    """Return one item. It has an `ETag` once something was stated of it."""
    found = _item(await service.checklist(identifier, centre, access), item, service.today)
    if found.version is not None:
        response.headers["ETag"] = etag(found.version)
    return found


@router.put(
    "/trials/{identifier}/sites/{centre}/checklist/{item}",
    response_model=ChecklistItem,
    responses={201: {"model": ChecklistItem}},
    summary="State an item of the opening checklist",
)
@accepts()
async def write_checklist_item(
    if_match: IfMatch,
    given: ItemInput,
    service: Writes,
    access: Writer,
    identifier: Identifier,
    centre: Centre,
    item: Item,
) -> Response:
    """State an item (`If-None-Match: *`) or replace its version (`If-Match`): its owner or the coordination.

    The green light is refused while a required item is not done or something blocks the site.
    """
    expected = precondition_of(if_match)
    found = await service.check(identifier, centre, item, given, access, expected)
    return answer(_item(found, item, service.today), found.entries[item][1], created=expected.creates)


def _declaration(party: Party, stated: Stated, *, created: bool = False) -> Response:
    given = DeclarationInput.model_validate_json(stated.text)
    document = DeclarationDocument(
        **dict(given), trial=party.stored.trial.identifier, version=stated.version, at=stated.at
    )
    return answer(document, stated.version, created=created)


def _path(found: TrialPath) -> RegulatoryPath:
    steps = []
    for one in found.path.steps:
        entry, version = found.entries.get(one.step, (None, None))
        clock = CLOCKS.get(one.step)
        steps.append(
            PathStepDocument(
                step=one.step, label=clock.label if clock else None, basis=clock.basis if clock else None,
                required=one.required, state=entry.state if entry else None, on=entry.on if entry else None,
                reference=entry.reference if entry else None, earliest=one.earliest, latest=one.latest,
                estimated=one.estimated, version=version,
            )
        )  # fmt: skip
    return RegulatoryPath(
        trial=found.party.stored.trial.identifier,
        trial_id=found.party.stored.key,
        interventional=found.facts.interventional,
        gmo=found.facts.gmo,
        steps=steps,
        blockers=[Finding.of(one) for one in found.path.blockers],
        alarms=[Finding.of(one) for one in found.path.alarms],
        lapses_on=found.path.lapses_on,
    )


def _checklist(found: SiteChecklist, today: date) -> Checklist:
    return Checklist(
        trial=found.party.stored.trial.identifier,
        trial_id=found.party.stored.key,
        centre=found.centre,
        items=[_item(found, item, today) for item in ITEMS],
        missing=found.missing,
        blockers=[Finding.of(one) for one in found.blockers],
        green_light=found.green_light,
    )


def _item(found: SiteChecklist, item: ItemName, today: date) -> ChecklistItem:
    stated, version = found.entries.get(item, (ItemInput(), None))
    overdue = stated.due is not None and stated.due < today
    return ChecklistItem(
        item=item,
        label=ITEMS[item].label,
        owner=stated.owner or ITEMS[item].owner,
        required=item in found.required,
        state="done" if stated.done_on else "overdue" if overdue else "open",
        due=stated.due,
        done_on=stated.done_on,
        reference=stated.reference,
        version=version,
    )
