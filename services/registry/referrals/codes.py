"""The coded lists of referrals (``codes.json``, reviewed data): labels in both languages, by list and code."""

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from shared.values.wire import Label


def _read() -> dict[str, dict[str, Label]]:
    lists = json.loads((resources.files(__package__) / "codes.json").read_text("utf-8"))
    return {name: {code: Label(**label) for code, label in codes.items()} for name, codes in lists.items()}


CODES: Final[Mapping[str, Mapping[str, Label]]] = _read()
# The list of the reasons of each action that has one.
REASONS: Final = {
    "declined": "decline_reasons",
    "not_now": "not_now_reasons",
    "pre_screen_failure": "failure_reasons",
    "screen_failure": "failure_reasons",
    "treatment_withdrawn": "withdrawal_reasons",
    "manufacturing_failed": "manufacturing_reasons",
}


class Coded:
    """Marks a text as a code of these lists: ``Annotated[str, Coded("asked_items")]``."""

    def __init__(self, *lists: str) -> None:
        self.codes = list(dict.fromkeys(code for name in lists for code in CODES[name]))

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.literal_schema(self.codes)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "enum": self.codes}
