"""Errors about subscriptions."""

from shared.values.problems import ConflictError
from shared.values.wire import Label


class SubscriptionDisabledError(ConflictError):
    code = "subscription_disabled"
    title = Label(fr="Cet abonnement est désactivé", en="This subscription is disabled")
