"""Problems of idempotency keys."""

from shared.values.problems import ConflictError, Fault, InvalidBodyError, InvalidParameterError
from shared.values.wire import Label

_HEADER = "/header/idempotency-key"


class KeyRequiredError(InvalidParameterError):
    code = "idempotency_key_required"
    title = Label(fr="L'en-tête Idempotency-Key est requis", en="The Idempotency-Key header is required")

    def __init__(self) -> None:
        super().__init__(
            errors=[Fault(pointer=_HEADER, code="missing", detail=Label(fr="en-tête requis", en="header required"))]
        )


class InvalidKeyError(InvalidParameterError):
    code = "idempotency_key_invalid"
    title = Label(fr="L'en-tête Idempotency-Key est mal formé", en="The Idempotency-Key header is malformed")

    def __init__(self) -> None:
        detail = Label(
            fr="une seule clé, de 16 à 255 caractères parmi A-Z a-z 0-9 _ -",
            en="one key of 16 to 255 characters of A-Z a-z 0-9 _ -",
        )
        super().__init__(errors=[Fault(pointer=_HEADER, code="string_pattern_mismatch", detail=detail)])


class KeyReusedError(InvalidBodyError):
    code = "idempotency_key_reused"
    title = Label(fr="Cette clé a déjà servi à une autre requête", en="This key was used for another request")


class KeyInFlightError(ConflictError):
    code = "idempotency_key_in_flight"
    title = Label(fr="Une requête avec cette clé est en cours", en="A request with this key is in progress")

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})
