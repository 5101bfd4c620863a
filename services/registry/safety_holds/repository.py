"""SQL for safety holds."""

from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.safety_holds.model import Hold


class HoldRepository:
    """Safety holds in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def in_force(self, trial_key: str) -> list[Hold]:
        """Return the holds in force that may concern a trial: `Hold.covers` says which do.

        Those on a product of the same owner are among them, also when they were imposed on another trial.
        """
        raise NotImplementedError
