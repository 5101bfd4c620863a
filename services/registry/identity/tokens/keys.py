"""The issuer's signing keys: one is active, the next one is already published, and a retired one verifies until its
last token expires.
"""

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

# A retired key stays published for the lifetime of its last token, and as long again for caches.
RETIRED_PUBLISHED = timedelta(seconds=2 * LIFETIME)
# Minimum time between publishing a signing key and its first use: services refresh their copy of the key set when they
# see an unknown kid, but not more often than `PACE.renewed_after`. Twice that, for the clocks of two replicas.
PUBLISHED_BEFORE_USE = timedelta(seconds=2 * PACE.renewed_after)


class SigningKeys:
    """The keys in the registry's database, encrypted with the key of the installation."""

    def __init__(self, database: Database, key: bytes) -> None:
        self._database = database
        self._seal = Seal(key, "registry/signing-keys")

    async def ensure(self) -> None:
        """Create missing keys, and replace those that the installation's key no longer decrypts.

        Several replicas may do so at the same time.
        """
        async with self._database.read(as_service=True) as connection:
            current = {key.state: key for key in await _published(connection) if key.state != "retired"}
        lost = [key.kid for key in current.values() if not self._decrypts(key)]
        missing = {"active", "next"} - {state for state, key in current.items() if key.kid not in lost}
        if not missing:
            return
        if lost:
            logger.error("signing_keys_under_another_key", extra={"count": len(lost)})
        async with self._database.transaction(as_service=True) as connection:
            repository, now = IssuerRepository(connection), datetime.now(UTC)
            await repository.retire(lost, now)
            for state in missing:
                await repository.add_key(self._new(state), now)

    def _decrypts(self, key: SealedKey) -> bool:
        try:
            self._seal.open(key.kid, key.sealed)
        except InvalidTag:
            return False
        return True

    async def rotate(self) -> list[str]:
        """Activate the next key and publish another; return the published kids.

        :raises KeyTooNewError: 409, the next key was published too recently to be known everywhere.
        """
        async with self._database.transaction(as_service=True) as connection:
            repository, now = IssuerRepository(connection), datetime.now(UTC)
            published_at = await repository.next_published_at()
            if published_at is None or published_at > now - PUBLISHED_BEFORE_USE:
                raise KeyTooNewError(int(PUBLISHED_BEFORE_USE.total_seconds()))
            if await repository.activate_next(now):
                await repository.add_key(self._new("next"), now)
            return [key.kid for key in await _published(connection)]

    async def replace(self) -> list[str]:
        """Delete all keys and create two; tokens of the deleted ones are refused. Return the published kids."""
        async with self._database.transaction(as_service=True) as connection:
            repository, now = IssuerRepository(connection), datetime.now(UTC)
            await repository.delete_keys()
            for state in ("active", "next"):
                await repository.add_key(self._new(state), now)
            return [key.kid for key in await _published(connection)]

    async def public(self) -> list[dict[str, Any]]:
        """Return the published keys as JWKs."""
        async with self._database.read(as_service=True) as connection:
            return [key.public for key in await _published(connection)]

    async def active(self, connection: Any) -> "ECKey":
        """Return the private key that signs now."""
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
    return await IssuerRepository(connection).keys(datetime.now(UTC) - RETIRED_PUBLISHED)
