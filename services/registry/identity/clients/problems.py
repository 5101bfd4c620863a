"""What can be wrong with a client."""

from shared.values.problems import ConflictError, InvalidBodyError
from shared.values.wire import Label


class ScopeBeyondError(InvalidBodyError):
    code = "scope_beyond"
    title = Label(
        fr="Un droit que ce type d'organisation n'a pas, ou que l'appelant n'a pas lui-même",
        en="A right that this kind of organisation does not have, or that the caller does not have itself",
    )


class OneSourceError(InvalidBodyError):
    code = "one_source"
    title = Label(
        fr="Un client private_key_jwt donne soit jwks soit jwks_url, un client api_key aucun des deux",
        en="A private_key_jwt client gives either jwks or jwks_url, an api_key client neither",
    )


class ClientRevokedError(ConflictError):
    code = "client_revoked"
    title = Label(fr="Ce client est révoqué", en="This client is revoked")


class NoKeyError(ConflictError):
    code = "client_has_no_key"
    title = Label(
        fr="Ce client signe avec ses propres clés : remplacez jwks ou jwks_url",
        en="This client signs with keys of its own: replace jwks or jwks_url",
    )
