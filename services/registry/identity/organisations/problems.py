"""What can be wrong with an organisation."""

from shared.values.problems import ConflictError
from shared.values.wire import Label


class KindFixedError(ConflictError):
    code = "kind_fixed"
    title = Label(fr="Le type d'une organisation ne change pas", en="The kind of an organisation does not change")


class OwnOrganisationError(ConflictError):
    code = "own_organisation"
    title = Label(fr="On ne suspend pas sa propre organisation", en="One does not suspend one's own organisation")


class SuspendedError(ConflictError):
    code = "organisation_suspended"
    title = Label(fr="Cette organisation est suspendue", en="This organisation is suspended")
