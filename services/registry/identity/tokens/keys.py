"""The issuer's signing keys: two are always published, so that a rotation surprises nobody; a retired one verifies until its last token ends."""

import json
import logging
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag

from services.registry.identity.tokens.problems import KeyTooNewError
from services.registry.identity.tokens.repository import IssuerRepository, SealedKey
from shared.access.directory import PACE
from shared.access.tokens import ALGORITHM, LIFETIME
from shared.persistence import Database
from shared.values.encryption import Seal

if TYPE_CHECKING:
    from joserfc.jwk import ECKey

logger = logging.getLogger(__name__)

# A retired key is published for its last token's life, and as long again for who caches.
KEPT_RETIRED = timedelta(seconds=2 * LIFETIME)
# No key signs sooner after it was announced: by then whoever has not seen it may look again. Twice that, for clocks of two replicas.
ANNOUNCED = timedelta(seconds=2 * PACE.renewed_after)


class SigningKeys:
    """The keys in the registry's database, sealed under the installation's own key."""

    def __init__(self, database: Database, key: bytes) -> None:
        self._database = database
        self._seal = Seal(key, "registry/signing-keys")

    async def ensure(self) -> None:
        """Make what is missing, or cannot be opened under this installation's key any more; another replica may do so at the same time."""
        async with self._database.read(as_service=True) as connection:
            held = {key.state: key for key in await _published(connection) if key.state != "retired"}
        lost = [key.kid for key in held.values() if not self._opens(key)]
        missing = {"active", "next"} - {state for state, key in held.items() if key.kid not in lost}
        if not missing:
            return
        if lost:
            logger.error("signing_keys_under_another_key", extra={"count": len(lost)})
        async with self._database.transaction(as_service=True) as connection:
            repository, now = IssuerRepository(connection), datetime.now(UTC)
            await repository.retire(lost, now)
            for state in missing:
                await repository.add_key(self._new(state), now)

    def _opens(self, key: SealedKey) -> bool:
        try:
            self._seal.open(key.kid, key.sealed)
        except InvalidTag:
            return False
        return True

    async def rotate(self, connection: Any) -> list[str]:
        """The announced key signs from now on, and another is announced; the kids that are published now.

        :raises KeyTooNewError: 409, somebody could not know it yet.
        """
        repository, now = IssuerRepository(connection), datetime.now(UTC)
        announced_at = await repository.announced_at()
        if announced_at is None or announced_at > now - ANNOUNCED:
            raise KeyTooNewError(int(ANNOUNCED.total_seconds()))
        if await repository.turn(now):
            await repository.add_key(self._new("next"), now)
        return [key.kid for key in await _published(connection)]

    async def replace(self, connection: Any) -> list[str]:
        """Two new keys; what the others signed is believed no more. The kids that are published now."""
        repository, now = IssuerRepository(connection), datetime.now(UTC)
        await repository.drop_keys()
        for state in ("active", "next"):
            await repository.add_key(self._new(state), now)
        return [key.kid for key in await _published(connection)]

    async def public(self) -> list[dict[str, Any]]:
        """The published keys, as JWKs."""
        async with self._database.read(as_service=True) as connection:
            return [key.public for key in await _published(connection)]

    async def active(self, connection: Any) -> "ECKey":
        """The key that signs now."""
        from joserfc.jwk import ECKey

        key = next(key for key in await _published(connection) if key.state == "active")
        return ECKey.import_key(json.loads(self._seal.open(key.kid, key.sealed)))

    def _new(self, state: str) -> SealedKey:
        from joserfc.jwk import ECKey

        kid = uuid.uuid4().hex
        key = ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": ALGORITHM})
        return SealedKey(
            kid, state, self._seal.seal(kid, json.dumps(key.as_dict(private=True)).encode()), key.as_dict(private=False)
        )


async def _published(connection: Any) -> list[SealedKey]:
    return await IssuerRepository(connection).keys(datetime.now(UTC) - KEPT_RETIRED)
