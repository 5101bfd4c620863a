"""Problems of the export."""

from shared.values.problems import Problem
from shared.values.wire import Label


class ExportNotReadyError(Problem):
    code, status = "export_not_ready", 503
    title = Label(fr="L'export n'est pas encore prêt", en="The export is not ready yet")
    detail = Label(fr="Réessayez dans quelques secondes.", en="Retry in a few seconds.")

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "5"})
