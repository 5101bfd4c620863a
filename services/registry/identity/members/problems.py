"""Errors about members."""

from shared.values.problems import ConflictError
from shared.values.wire import Label


class SubjectTakenError(ConflictError):
    code = "subject_taken"
    title = Label(
        fr="Cette personne agit déjà pour une organisation", en="This person already acts for an organisation"
    )


class MemberRevokedError(ConflictError):
    code = "member_revoked"
    title = Label(fr="Ce membre est révoqué", en="This member is revoked")
