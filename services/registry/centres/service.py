"""Decides what becomes of a centre: its versions and their feed entries."""

from datetime import UTC, datetime
from typing import Final

from services.registry.centres.repository import CentreRepository
from services.registry.centres.schemas import Centre, CentreInput
from services.registry.model.precondition import Precondition
from services.registry.schema import FEED
from shared.access.policy import Access
from shared.feed.changes import NOT_VISIBLE, Change, Routing
from shared.values.problems import Fault, ForbiddenError, NotFoundError, StaleVersionError
from shared.values.wire import Label

# The network's verdict on a centre: not for the centre itself to change.
COORDINATION_FIELDS: Final = ("label", "member", "illustrative")
COORDINATION_ONLY: Final = Label(
    fr="seule la coordination peut modifier ce champ : renvoyer sa valeur actuelle",
    en="only the coordination may change this field: send its current value",
)


class CentreService:
    """Centres in one transaction."""

    def __init__(self, repository: CentreRepository) -> None:
        self.repository = repository

    async def find(self, centre: str) -> Centre:
        """:raises NotFoundError: 404."""
        found = await self.repository.get(centre)
        if found is None:
            raise NotFoundError
        return found

    async def put(self, centre: str, given: CentreInput, access: Access, expected: Precondition) -> Centre:
        """Create a centre or replace a version of one. A new centre has version 1.

        :raises ForbiddenError: 403, a centre writes another one, or what only the coordination decides.
        :raises NotFoundError: 404, it was to be replaced and does not exist.
        :raises StaleVersionError: 412, it was to be created and exists, or it has another version.
        """
        if access.rows == "own" and centre != access.principal.centre:
            raise ForbiddenError
        current = await self.repository.get(centre)
        if current is None and not expected.creates:
            raise NotFoundError
        if current is not None and (expected.creates or expected.version not in {None, current.version}):
            raise StaleVersionError
        if access.rows == "own":
            _check_own_fields(given, current)
        return await self.save(centre, given, current)

    async def save(self, centre: str, given: CentreInput, current: Centre | None) -> Centre:
        """Write a centre's next version and its feed entry.

        :raises StaleVersionError: 412, another writer came first.
        """
        version = current.version + 1 if current else 1
        updated = Centre(id=centre, version=version, updated_at=datetime.now(UTC), **dict(given))
        if not await self.repository.save(updated, current.version if current else None):
            raise StaleVersionError
        FEED.record(self.repository.connection, change_of_centre(current, updated))
        return updated


def _check_own_fields(given: CentreInput, current: Centre | None) -> None:
    """:raises ForbiddenError: 403, a centre changes fields of itself that only the coordination decides."""
    changed = [
        name for name in COORDINATION_FIELDS if current is None or getattr(given, name) != getattr(current, name)
    ]
    if changed:
        raise ForbiddenError(
            COORDINATION_ONLY,
            errors=[Fault(pointer=f"/{name}", code="coordination_only", detail=COORDINATION_ONLY) for name in changed],
        )


def change_of_centre(current: Centre | None, updated: Centre) -> Change:
    """Return the feed entry of a centre's new version."""
    changed = tuple(
        name for name in CentreInput.model_fields if current is None or getattr(current, name) != getattr(updated, name)
    )
    before = NOT_VISIBLE if current is None else _routing(current)
    return Change("centre.updated", f"centre/{updated.id}", updated.version, before, _routing(updated), changed)


def _routing(centre: Centre) -> Routing:
    return Routing(
        frozenset({"public"}), {"centre": frozenset({centre.id}), "departement": frozenset({centre.departement})}
    )
