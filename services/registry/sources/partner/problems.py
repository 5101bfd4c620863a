"""Problems of a partner's file as a whole."""

from services.registry.sources.partner.columns import columns
from shared.values.problems import InvalidBodyError, TooLargeError
from shared.values.wire import Label

MAX_TRIALS = 10_000


class NotUtf8Error(InvalidBodyError):
    code = "not_utf8"
    title = Label(
        fr="Le fichier n'est pas en UTF-8 : enregistrez-le au format « CSV UTF-8 », ou déclarez son codage avec"
        " « Content-Type: text/csv; charset=windows-1252 »",
        en="The file is not in UTF-8: save it as “CSV UTF-8”, or declare its encoding with"
        " “Content-Type: text/csv; charset=windows-1252”",
    )


class NotASpreadsheetError(InvalidBodyError):
    code = "not_a_spreadsheet"
    title = Label(
        fr="Ce n'est pas un classeur .xlsx lisible : enregistrez-le au format « Classeur Excel (.xlsx) », sans mot de"
        " passe",
        en="This is no readable .xlsx workbook: save it as “Excel Workbook (.xlsx)”, without a password",
    )


class SpreadsheetTooLargeError(TooLargeError):
    code = "spreadsheet_too_large"
    title = Label(
        fr="Le contenu décompressé du classeur est trop volumineux (au plus 128 Mio)",
        en="The decompressed content of the workbook is too large (at most 128 MiB)",
    )


class TooManyTrialsError(TooLargeError):
    code = "too_many_trials"
    title = Label(fr=f"Au plus {MAX_TRIALS} essais par envoi", en=f"At most {MAX_TRIALS} trials in a request")


class NoTrialsError(InvalidBodyError):
    code = "no_trials"
    title = Label(fr="Le fichier ne contient aucun essai", en="The file contains no trial")


class NoNumberColumnError(InvalidBodyError):
    code = "no_number_column"
    title = Label(
        fr="La première ligne doit contenir les titres des colonnes, dont « numéro »",
        en="The first line must have the headings of the columns, “number” among them",
    )

    def __init__(self) -> None:
        known = columns().values()
        super().__init__(
            Label(
                fr=f"Titres possibles : {', '.join(one.label.fr for one in known)}.",
                en=f"Possible headings: {', '.join(one.label.en for one in known)}.",
            )
        )
