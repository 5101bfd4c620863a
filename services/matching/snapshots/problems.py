"""Problems of a service that has no copy of the registry yet."""

from shared.values.problems import Problem
from shared.values.wire import Label


class SnapshotMissingError(Problem):
    code, status = "snapshot_missing", 503
    title = Label(
        fr="Les essais ne sont pas encore chargés ; réessayez dans quelques secondes",
        en="The trials are not loaded yet; try again in a few seconds",
    )

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "2"})
