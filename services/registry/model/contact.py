"""The public contacts of trials and centres: a function of an organisation, never a person."""

import re
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from shared.values.forms import described
from shared.values.wire import ApiModel, Label

# What the mailbox of a function is called; that of a person is called after the person.
_MAILBOX: Final = re.compile(
    r"clinic|trial|stud(y|ies)|essai|etude|recherche|research|therap|patient|medical|contact"
    r"|(^|[._-])(info|cic|drci|urc|promotion)([._-]|$)"
)
_PERSON: Final = re.compile(
    r"\b(Dr|Pr|Prof|Professeur|Professor|Docteur|Doctor|Mme|Mlle|Mr|Mrs|Ms|M\.)(?!\w)|@|\d(\W?\d){5}"
)

Email = Annotated[
    str,
    StringConstraints(
        max_length=200,
        pattern=described(
            r"^[a-z0-9._+-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+$",
            fr="une adresse électronique en minuscules",
            en="an e-mail address in lower case",
        ),
    ),
]
Page = Annotated[
    str,
    StringConstraints(
        max_length=300, pattern=described(r"^https://[^\s<>\"]+$", fr="une adresse https", en="an https address")
    ),
]

Phone = Annotated[
    str,
    StringConstraints(
        max_length=30,
        pattern=described(
            r"^\+[1-9]( ?[0-9]){6,14}$",
            fr="un numéro de téléphone international, p. ex. +33 1 99 00 12 34",
            en="an international telephone number, e.g. +33 1 99 00 12 34",
        ),
    ),
]


def _of_a_function(email: str) -> str:
    """Return a mailbox that is called after a function; one called after a person is refused."""
    if _MAILBOX.search(email.partition("@")[0]) is None:
        raise PydanticCustomError(
            "contact_mailbox",
            "give the mailbox of a function, such as essais-cliniques@ or clinical.trials@",
            {"fr": "donnez la boîte d'une fonction, p. ex. essais-cliniques@ ou recherche.clinique@"},
        )
    return email


Mailbox = Annotated[Email, AfterValidator(_of_a_function)]


class Contact(ApiModel):
    """The public contacts of trials and centres: a function of an organisation, never a person."""

    function: Label = Field(description="The function, such as a clinical trials unit; never a name of a person.")
    organisation: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        default=None, description="The organisation; null: that of the sponsor, or not known."
    )
    email: Mailbox | None = Field(default=None, description="The mailbox of the function; never that of a person.")
    url: Page | None = Field(default=None, description="A page with the contact.")

    @model_validator(mode="after")
    def _names_no_person(self) -> Self:
        _refuse_person(self.function, self.organisation)
        return self


class CentreContact(ApiModel):
    """The public contact of a centre: a function, never a person, with at least one way to reach it."""

    function: Label = Field(description="The function, such as a clinical trials unit; never a name of a person.")
    email: Mailbox | None = Field(default=None, description="The mailbox of the function; never that of a person.")
    phone: Phone | None = Field(default=None, description="Its telephone number, in international form.")
    url: Page | None = Field(default=None, description="A page with the contact.")

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        _refuse_person(self.function, None)
        if self.email is None and self.phone is None and self.url is None:
            raise PydanticCustomError(
                "contact_empty",
                "give a mailbox, a telephone number or a page",
                {"fr": "donnez une adresse électronique, un numéro de téléphone ou une page"},
            )
        return self


def _refuse_person(function: Label, organisation: str | None) -> None:
    if _PERSON.search(f"{function.fr}\n{function.en}\n{organisation or ''}"):
        raise PydanticCustomError(
            "contact_person",
            "name a function and an organisation, not a person",
            {"fr": "nommez une fonction et une organisation, pas une personne"},
        )
