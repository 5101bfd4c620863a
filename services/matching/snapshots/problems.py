"""What cannot be answered without a copy of the registry."""

from shared.values.problems import Problem
from shared.values.wire import Label


class SnapshotMissingError(Problem):
    code, status = "snapshot_missing", 503
    title = Label(
        fr="Les essais n'ont pas encore été chargés : réessayez dans quelques secondes",
        en="The trials have not been loaded yet: try again in a few seconds",
    )

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "2"})
