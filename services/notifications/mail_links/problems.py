"""Errors about links in messages."""

from shared.values.problems import GoneError
from shared.values.wire import Label


class LinkExpiredError(GoneError):
    code = "link_expired"
    title = Label(fr="Ce lien n'est plus valable", en="This link is no longer valid")
    detail = Label(
        fr="Il l'était sept jours. Demandez un nouvel abonnement à votre organisation.",
        en="It was for seven days. Ask your organisation for a new subscription.",
    )
