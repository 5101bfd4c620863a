"""Problems of dossiers."""

from collections.abc import Sequence

from shared.values.problems import ConflictError, Fault, InvalidBodyError
from shared.values.wire import Label


class NotStorableError(InvalidBodyError):
    code = "dossier_not_storable"
    title = Label(
        fr="Le dossier ne peut pas être soumis tant que ces champs ne sont pas corrigés",
        en="The dossier cannot be submitted until these fields are corrected",
    )


class FieldRefusedError(InvalidBodyError):
    """A field of the request is refused, for a reason of its own."""

    code = "invalid_body"
    title = Label(fr="Contenu refusé", en="Content refused")

    @classmethod
    def at(cls, pointer: str, code: str, fr: str, en: str) -> "FieldRefusedError":
        """Return the problem with one fault."""
        return cls(errors=[Fault(pointer=pointer, code=code, detail=Label(fr=fr, en=en))])


class NotADraftError(ConflictError):
    code = "not_a_draft"
    title = Label(
        fr="Le contenu ne change que dans l'état draft : une version soumise reste telle quelle",
        en="The content changes in the state draft only: a submitted version stays as it is",
    )


class FeasibilityRequiredError(ConflictError):
    code = "feasibility_required"
    title = Label(
        fr="Il faut d'abord interroger les centres (open_feasibility), sauf pour une modification qui ne touche pas"
        " aux critères",
        en="The centres must be asked first (open_feasibility), unless this is an amendment that changes no criteria",
    )


class ConsentMissingError(ConflictError):
    code = "consent_missing"
    title = Label(
        fr="Le promoteur doit d'abord consentir à la publication de cette version (consent)",
        en="The sponsor must first consent to the publication of this version (consent)",
    )


class NotAcceptedError(ConflictError):
    code = "not_accepted"
    title = Label(
        fr="La dernière décision n'accepte pas le dossier", en="The last decision does not accept the dossier"
    )


class SecondPersonRequiredError(ConflictError):
    code = "second_person_required"
    title = Label(
        fr="Vous avez déjà demandé cette publication : une deuxième personne de la coordination doit la demander aussi",
        en="You have already asked for this publication: a second person of the coordination must ask for it too",
    )


class NotPublishableError(ConflictError):
    """The registry refuses to make a trial of the dossier; the faults say why."""

    code = "not_publishable"
    title = Label(
        fr="Le registre ne peut pas faire un essai de ce dossier", en="The registry cannot make a trial of this dossier"
    )

    def __init__(self, faults: Sequence[Fault] = (), detail: Label | None = None) -> None:
        super().__init__(detail, errors=faults)


class OtherOwnerError(ConflictError):
    code = "trial_of_another_owner"
    title = Label(
        fr="Cet essai appartient à une autre organisation : faites-le d'abord transférer",
        en="This trial belongs to another organisation: have it transferred first",
    )


class UnknownSponsorError(InvalidBodyError):
    code = "unknown_organisation"
    title = Label(
        fr="Aucune organisation active de type sponsor n'a cet identifiant",
        en="No active organisation of the kind sponsor has this id",
    )
