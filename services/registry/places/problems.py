"""Problems of the table of places."""

from shared.values.problems import InvalidBodyError
from shared.values.wire import Label


class UnknownFacilityError(InvalidBodyError):
    code = "unknown_facility"
    title = Label(
        fr="Aucun essai n'a ce lieu : donner facility, et city si elle est connue",
        en="No trial has this facility: give facility, and city if it is known",
    )
