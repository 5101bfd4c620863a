"""Problems of the match over FHIR."""

from shared.values.problems import Problem
from shared.values.wire import Label


class RegistryUnavailableError(Problem):
    """The registry, which maps trials to FHIR, did not answer. The native match needs it for no call."""

    code, status = "registry_unavailable", 503
    title = Label(
        fr="Le registre ne répond pas ; réessayez, ou utilisez /matching/v1/match",
        en="The registry does not answer; try again, or use /matching/v1/match",
    )

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "2"})
