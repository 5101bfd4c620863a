"""Errors about subscriptions."""

from shared.values.problems import ConflictError
from shared.values.wire import Label


class TooManySubscriptionsError(ConflictError):
    code = "too_many_subscriptions"
    title = Label(
        fr="Votre organisation a atteint son nombre maximal d'abonnements : supprimez-en un, ou élargissez un filtre",
        en="Your organisation has reached its maximum number of subscriptions: delete one, or widen a filter",
    )


class SubscriptionDisabledError(ConflictError):
    code = "subscription_disabled"
    title = Label(fr="Cet abonnement est désactivé", en="This subscription is disabled")
