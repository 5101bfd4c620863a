"""Worklists on the wire."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from services.registry.worklists.model import KINDS, Item
from shared.values.wire import ApiModel, Day, Label


class _Kind:
    """Marks a text as the kind of an item."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.literal_schema(list(KINDS))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "enum": list(KINDS)}


class WorklistItem(ApiModel):
    """Something that waits."""

    kind: Annotated[str, _Kind()] = Field(description="What it is.")
    label: Label = Field(description="The kind in words.")
    subject: str = Field(description="The subject, as in the feed: `referral/REF-7K2M-Q9XT-4HWD`.")
    due: Day | None = Field(description="When it is due; null: no day is set.")
    overdue: bool = Field(description="Whether that day has passed.")
    since: Day = Field(description="The day from which it waits.")
    trial: str | None = Field(description="The preferred public number of the trial.")
    centre: str | None = Field(description="The id of the centre.")
    count: int | None = Field(description="How many there are, where they are counted and not listed.")
    links: list[str] = Field(description="What to read: paths of this API.")

    @classmethod
    def of(cls, item: Item, today: date, trials: Mapping[str, str]) -> "WorklistItem":
        """Return an item as readers get it. ``trials``: preferred numbers by key."""
        return cls(
            kind=item.kind,
            label=KINDS[item.kind],
            subject=item.subject,
            due=item.due,
            overdue=item.due is not None and item.due < today,
            since=item.since,
            trial=trials.get(item.trial, item.trial) if item.trial else None,
            centre=item.centre,
            count=item.count,
            links=[item.link],
        )


class Worklist(ApiModel):
    """What waits for the caller."""

    day: Day = Field(description="The day in France.")
    items: list[WorklistItem] = Field(description="The items: what is due first comes first.")
