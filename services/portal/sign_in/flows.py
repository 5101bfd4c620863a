"""A sign-in in progress at the OpenID provider: what its answer is compared with, sealed in a cookie of ten minutes."""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import time

from cryptography.exceptions import InvalidTag

from shared.values.encryption import Seal

FLOW_SECONDS = 600
_OWNER = "flow"


@dataclass(frozen=True, slots=True)
class Flow:
    """One sign-in. ``verifier``: the secret of PKCE; ``back``: the page to return to; ``until``: epoch seconds."""

    state: str
    nonce: str
    verifier: str
    back: str
    until: int

    @property
    def challenge(self) -> str:
        """The challenge of PKCE (S256)."""
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


def new_flow(back: str, now: float | None = None) -> Flow:
    """Begin a sign-in."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    return Flow(state, nonce, verifier, back, int(now or time()) + FLOW_SECONDS)


class Flows:
    """Seals sign-ins for the browser, and opens them again. ``key``: that of the installation."""

    def __init__(self, key: bytes, clock: Callable[[], float] = time) -> None:
        self._seal = Seal(key, "portal/sign-in")
        self._clock = clock

    def write(self, flow: Flow) -> str:
        """Return a flow as the value of a cookie."""
        sealed = self._seal.seal(_OWNER, json.dumps(asdict(flow)).encode())
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def read(self, text: str) -> Flow | None:
        """Return the flow of a cookie; None: this installation did not write it, or it is too old."""
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            flow = Flow(**json.loads(self._seal.open(_OWNER, sealed)))
        except (ValueError, InvalidTag):
            return None
        return flow if flow.until > self._clock() else None
