"""What the links in messages answer."""

from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field

from shared.values.wire import ApiModel

Link = Annotated[str, Path(max_length=100, description="The end of the link in the message.")]


class MailLink(ApiModel):
    """What a link does, and whether that is done."""

    act: Literal["confirm", "unsubscribe"] = Field(description="What a POST to the link does.")
    done: bool = Field(description="Whether it is done.")
