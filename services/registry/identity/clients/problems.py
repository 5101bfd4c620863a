"""Errors about API clients."""

from shared.values.problems import ConflictError, InvalidBodyError
from shared.values.wire import Label


class OneSourceError(InvalidBodyError):
    code = "one_source"
    title = Label(
        fr="Un client private_key_jwt indique jwks ou jwks_url ; un client api_key n'indique ni l'un ni l'autre",
        en="A private_key_jwt client needs either jwks or jwks_url, an api_key client neither",
    )


class ClientRevokedError(ConflictError):
    code = "client_revoked"
    title = Label(fr="Ce client est révoqué", en="This client is revoked")


class NoKeyError(ConflictError):
    code = "client_has_no_key"
    title = Label(
        fr="Ce client n'a pas de clé d'API, il signe avec ses propres clés : remplacez jwks ou jwks_url",
        en="This client has no API key, it signs with its own keys: replace jwks or jwks_url",
    )
