"""Problems of merges and assignments."""

from shared.values.problems import ConflictError
from shared.values.wire import Label


class SameTrialError(ConflictError):
    code = "same_trial"
    title = Label(fr="C'est déjà le même essai", en="This is the same trial already")


class NotMergeableError(ConflictError):
    code = "not_mergeable"
    title = Label(
        fr="Un essai de démonstration ne peut être réuni à un essai réel",
        en="A demonstration trial cannot be merged with a real one",
    )


class NotMergedError(ConflictError):
    code = "not_merged"
    title = Label(fr="Cet essai n'est réuni à aucun autre", en="This trial is not merged into another one")
    detail = Label(
        fr="Nommer l'essai à séparer par son propre identifiant ou l'un de ses propres numéros.",
        en="Name the trial to be separated by its own id or one of its own numbers.",
    )


class LastRecordError(ConflictError):
    code = "last_record"
    title = Label(
        fr="C'est tout ce que l'on sait de cet essai : réunir les essais",
        en="This is all that is known of this trial: merge the trials instead",
    )


class NoAssignmentError(ConflictError):
    code = "nothing_to_undo"
    title = Label(fr="Aucune décision sur cette notice n'est en vigueur", en="No decision on this record is in force")


class ChangedSinceError(ConflictError):
    code = "changed_since"
    title = Label(
        fr="L'essai a changé depuis : défaire d'abord les décisions plus récentes",
        en="The trial has changed since: undo the later decisions first",
    )
