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
        fr="Ce format n'est pas accepté ; envoyez le patient natif, un Bundle FHIR R4 ou un Phenopacket",
        en="This format is not accepted; send the native patient, a FHIR R4 Bundle or a Phenopacket",
    )
