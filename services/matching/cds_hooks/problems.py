"""Problems of CDS Hooks."""

from shared.values.problems import Problem
from shared.values.wire import Label


class PrefetchMissingError(Problem):
    """CDS Hooks asks for this status where the prefetch is missing and cannot be fetched."""

    code, status = "prefetch_missing", 412
    title = Label(
        fr="Le prefetch `patient` manque ; ce service ne le cherche pas dans le serveur FHIR",
        en="The prefetch `patient` is missing; this service does not fetch it from the FHIR server",
    )
