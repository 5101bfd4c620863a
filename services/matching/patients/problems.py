"""Reasons to refuse a patient."""

from shared.values.problems import Problem
from shared.values.wire import Label


class IdentifierForbiddenError(Problem):
    code, status = "identifier_forbidden", 422
    title = Label(
        fr="N'envoyez que des faits codés : ni nom, ni coordonnées, ni identifiant, ni texte libre",
        en="Send coded facts only: no name, contact, identifier or free text",
    )


class FormatNotSupportedError(Problem):
    code, status = "format_not_supported", 422
    title = Label(
        fr="Ce format n'est pas encore accepté ; envoyez le patient natif ou un Phenopacket v2",
        en="This format is not accepted yet; send the native patient or a Phenopacket v2",
    )
