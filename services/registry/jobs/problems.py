"""Problems of jobs."""

from shared.values.problems import ConflictError, ForbiddenError
from shared.values.wire import Label


class LostJobError(ConflictError):
    """Another process has taken over a job that this one runs."""

    code = "lost_job"
    title = Label(fr="Un autre processus a repris cette tâche", en="Another process has taken over this job")


class TooManyJobsError(ConflictError):
    code = "too_many_jobs"
    title = Label(
        fr="Trop de tâches de cette source attendent : attendez la fin de la première, ou annulez-en une",
        en="Too many jobs of this source wait: wait until the first one has ended, or cancel one",
    )


class NotOwnSourceError(ForbiddenError):
    title = Label(
        fr="Un réseau n'envoie que les essais de sa propre source",
        en="A network sends only the trials of its own source",
    )


class NotUndoableError(ConflictError):
    code = "not_undoable"
    title = Label(
        fr="Seul un envoi terminé, qui n'est pas un essai à blanc, peut être annulé",
        en="Only a push that has ended and is no dry run can be undone",
    )
