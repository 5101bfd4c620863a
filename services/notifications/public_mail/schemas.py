"""Request and response bodies about e-mail for anyone."""

from typing import Literal

from pydantic import Field

from services.notifications.mail.schemas import Address
from shared.values.language import Language
from shared.values.wire import ApiModel, Code
from shared.vocabulary.geography import Departement


class PublicMailRequest(ApiModel):
    """What a person without an account wants to be informed of."""

    address: Address = Field(description="The address. It gets one message that asks for its consent.")
    language: Language = Field(default="fr", description="The language of the messages.")
    condition: Code = Field(description="The code of a disease, such as `ORPHA:98896`; narrower ones are included.")
    departement: Departement | None = Field(
        default=None, description="Only what concerns centres of this département; null: of all."
    )


class PublicMailState(ApiModel):
    """Whether e-mail can be asked for."""

    available: bool = Field(description="Whether this installation sends e-mail.")


class PublicMailAnswer(ApiModel):
    """The same for every address, and so does not show who is subscribed."""

    status: Literal["asked"] = Field(default="asked", description="The address is asked, unless it was lately.")
    valid_days: int = Field(description="How long the link in the message is valid, in days.")
