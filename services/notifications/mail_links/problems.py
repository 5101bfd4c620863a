"""Errors about links in messages."""

from shared.values.problems import GoneError
from shared.values.wire import Label


class LinkExpiredError(GoneError):
    code = "link_expired"
    title = Label(fr="Ce lien n'est plus valable", en="This link is no longer valid")
    detail = Label(
        fr="Il l'était sept jours. Demandez un nouvel abonnement.",
        en="It was for seven days. Ask for a new subscription.",
    )
