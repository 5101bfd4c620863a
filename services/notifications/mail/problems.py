"""Errors about e-mail subscriptions."""

from shared.values.problems import ConflictError, Fault
from shared.values.wire import Label


class MailNotConfiguredError(ConflictError):
    code = "mail_not_configured"
    title = Label(fr="Cette installation n'envoie pas de courriels", en="This installation sends no e-mail")
    detail = Label(
        fr="Son exploitant doit d'abord indiquer un serveur de messagerie et l'adresse de l'expéditeur.",
        en="Its operator must first name a mail server and the address of the sender.",
    )


ADDRESS_FIXED = Fault(
    pointer="/channel/address",
    code="address_fixed",
    detail=Label(
        fr="l'adresse d'un abonnement ne change pas : supprimez-le et créez-en un autre, que la nouvelle adresse "
        "confirmera",
        en="the address of a subscription does not change: delete it and create another, which the new address will "
        "confirm",
    ),
)
