"""What every expression of the eligibility language is: a node, and a leaf about the patient's facts."""

from collections.abc import Mapping

from pydantic import ConfigDict, Field

from shared.values.wire import ApiModel


class Node(ApiModel):
    """Any expression. JSON keys that are Python keywords have a trailing underscore here."""

    model_config = ConfigDict(serialize_by_alias=True)

    def operands(self) -> Mapping[str, "Node"]:
        """Return the expressions directly inside this one, by their JSON Pointer relative to it."""
        return {}


class Leaf(Node):
    """An expression about the patient's facts."""

    type: str = Field(description="The kind of leaf.")
