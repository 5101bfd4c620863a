"""Problems of an address that a caller chose and that is not accepted."""

from shared.clients.outbound import OutboundError
from shared.values.problems import Fault, InvalidBodyError
from shared.values.wire import Label

_REASONS = {
    "url_refused": Label(
        fr="une adresse https sans identifiants, port 0 ni fragment est attendue",
        en="an https URL without credentials, port 0 or fragment is expected",
    ),
    "address_refused": Label(fr="cette adresse n'est pas publique", en="this address is not public"),
    "unresolved": Label(fr="ce nom n'a pas d'adresse", en="this name has no address"),
}
_OTHER = Label(fr="adresse refusée", en="URL refused")


def refused_url(error: OutboundError, pointer: str) -> InvalidBodyError:
    """A 422 with the place of the URL in the body (a JSON pointer) and the reason."""
    fault = Fault(pointer=pointer, code=error.code, detail=_REASONS.get(error.code, _OTHER))
    return InvalidBodyError(errors=[fault])
