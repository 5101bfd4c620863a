"""Errors about subscriptions."""

from shared.clients.outbound import OutboundError
from shared.values.problems import ConflictError, Fault, InvalidBodyError
from shared.values.wire import Label

_REASONS = {
    "url_refused": Label(
        fr="une adresse https sans identifiants, sans port 0 et sans fragment est attendue",
        en="an https URL without credentials, port 0 or fragment is expected",
    ),
    "address_refused": Label(
        fr="ce nom correspond à une adresse qui n'est pas publique", en="this host has an address that is not public"
    ),
    "unresolved": Label(fr="ce nom d'hôte est introuvable dans le DNS", en="this host name is not found in DNS"),
}


class TooManySubscriptionsError(ConflictError):
    code = "too_many_subscriptions"
    title = Label(
        fr="Votre organisation a atteint son nombre maximal d'abonnements : supprimez-en un, ou élargissez un filtre",
        en="Your organisation has reached its maximum number of subscriptions: delete one, or widen a filter",
    )


class SubscriptionDisabledError(ConflictError):
    code = "subscription_disabled"
    title = Label(fr="Cet abonnement est désactivé", en="This subscription is disabled")


def refused_url(error: OutboundError) -> InvalidBodyError:
    """Return the 422 for a webhook URL that may not be called, with the reason as code."""
    detail = _REASONS.get(error.code, Label(fr="adresse refusée", en="URL refused"))
    return InvalidBodyError(errors=[Fault(pointer="/channel/url", code=error.code, detail=detail)])
