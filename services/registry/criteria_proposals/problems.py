"""Problems of proposed criteria."""

from shared.values.problems import ConflictError, ForbiddenError
from shared.values.wire import Label


class EndedProposalError(ConflictError):
    code = "proposal_ended"
    title = Label(fr="Cette proposition est déjà signée ou retirée", en="This proposal is signed or withdrawn already")


class AuthorCannotSignError(ForbiddenError):
    code = "signed_by_author"
    title = Label(
        fr="L'auteur d'une proposition ne la signe pas : une autre personne la relit et la signe",
        en="The author of a proposal does not sign it: another person checks and signs it",
    )
