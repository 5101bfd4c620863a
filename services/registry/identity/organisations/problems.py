"""Errors about organisations."""

from shared.values.problems import ConflictError
from shared.values.wire import Label


class KindFixedError(ConflictError):
    code = "kind_fixed"
    title = Label(fr="Le type d'une organisation ne peut pas changer", en="The kind of an organisation cannot change")


class OwnOrganisationError(ConflictError):
    code = "own_organisation"
    title = Label(
        fr="Vous ne pouvez pas suspendre votre propre organisation", en="You cannot suspend your own organisation"
    )


class SuspendedError(ConflictError):
    code = "organisation_suspended"
    title = Label(fr="Cette organisation est suspendue", en="This organisation is suspended")
