"""What can be wrong with a subscription."""

from shared.clients.outbound import OutboundError
from shared.values.problems import ConflictError, Fault, InvalidBodyError
from shared.values.wire import Label

_REASONS = {
    "url_refused": Label(
        fr="une adresse https sans identifiants, port 0 ni fragment est attendue",
        en="an https URL without credentials, port 0 or fragment is expected",
    ),
    "address_refused": Label(fr="cette adresse n'est pas publique", en="this address is not public"),
    "unresolved": Label(fr="ce nom n'a pas d'adresse", en="this name has no address"),
}


class SubscriptionDisabledError(ConflictError):
    code = "subscription_disabled"
    title = Label(fr="Cet abonnement est désactivé", en="This subscription is disabled")


def refused_url(error: OutboundError) -> InvalidBodyError:
    """422 with the place and the reason."""
    detail = _REASONS.get(error.code, Label(fr="adresse refusée", en="URL refused"))
    return InvalidBodyError(errors=[Fault(pointer="/channel/url", code=error.code, detail=detail)])
