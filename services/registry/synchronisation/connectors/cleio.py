"""Another CLEIO installation: its export, then its feed from the position that the export names.

The export is kept in a temporary file while its pages are imported. Another replica, or this one after a restart, loads
it again: what it imported before is unchanged.
"""

import json
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, BinaryIO, Final

from services.registry.sources.registers.cleio import PREFIX, is_foreign, record_of_trial
from services.registry.synchronisation.connectors.fetching import Fetcher, line, members, parsed
from services.registry.synchronisation.model import Item, Page, Position, SourceError

API: Final = "/registry/v1"
PAGE_LINES: Final = 100
PAGE_EVENTS: Final = 100
MAX_EXPORT: Final = 4 * 1024**3
# Less than a claim lasts.
EXPORT_SECONDS: Final = 240.0
MAX_LINE: Final = 16 * 1024 * 1024
_NEXT: Final = re.compile(r'<(/registry/v1/feed\?[^>\s]{1,1000})>; rel="next"')
_FEED: Final = re.compile(r"/registry/v1/feed\?[^\s<>#]{1,1000}")
_GONE, _NOT_FOUND = 410, 404


@dataclass(slots=True)
class _Export:
    """An export that was loaded. ``following``: the path of the feed after it. ``begin``: of its lines in the file."""

    following: str
    begin: int
    file: BinaryIO


@dataclass(slots=True)
class CleioConnector:
    """A position is in the export (``offset`` in it; null: not loaded) or in the feed (``feed``: a path)."""

    source: str
    fetcher: Fetcher
    _export: _Export | None = field(default=None)

    def first(self, cursor: str | None, today: date) -> Position:  # noqa: ARG002 - a feed has no days
        """Return where reading begins: in the feed, or without a cursor in the export."""
        return {"whole": cursor is None, "feed": cursor, "following": None, "offset": 0}

    def listed(self, position: Position) -> bool:
        """Return whether everything is listed: the export, and the feed after it."""
        return bool(position["whole"])

    async def fetch(self, position: Position, *, singly: bool = False) -> Page:  # noqa: ARG002 - trials are read singly
        """Fetch trials from the export, or those that the feed names."""
        return await (self._of_export(position) if position["feed"] is None else self._of_feed(position))

    async def record(self, source_id: str) -> Item | None:
        """Fetch one trial, unless it came from another installation."""
        found = await self._trial(source_id.rpartition("/")[2])
        return None if found is None else _item(self.source, *found)

    async def _of_export(self, position: Position) -> Page:
        export, offset = self._export, position["offset"]
        if export is None or export.following != position["following"]:
            self._export = export = await self._load()
            offset = export.begin
        export.file.seek(offset)
        items: list[Item] = []
        for _ in range(PAGE_LINES):
            text = export.file.readline(MAX_LINE)
            found = json.loads(text)
            if found["kind"] == "end":
                export.file.close()
                self._export = None
                return Page(items, {"whole": True, "feed": export.following, "following": None, "offset": 0})
            if found["kind"] == "trial":
                provenance = {path: [one[0] for one in origins] for path, origins in found["provenance"].items()}
                items += _taken(_item(self.source, found["trial"], provenance))
        at = {"whole": True, "feed": None, "following": export.following, "offset": export.file.tell()}
        return Page(items, at)

    async def _load(self) -> _Export:
        """Load the export into a temporary file, and check that it is whole.

        :raises SourceError: it is not.
        """
        if self._export is not None:
            self._export.file.close()
        file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - closed at its end, or by the next one
        await self.fetcher.download(f"{API}/export", file, most=MAX_EXPORT, seconds=EXPORT_SECONDS)
        file.seek(0)
        header, kinds, end = parsed(file.readline(MAX_LINE)), 0, None
        while text := file.readline(MAX_LINE):
            end = parsed(text)
            kinds += 1
        following = header.get("following") if isinstance(header, dict) else None
        if not isinstance(following, str) or not _FEED.fullmatch(following):
            raise SourceError("unexpected_answer", "no header in the export")
        if not isinstance(end, dict) or end != {"kind": "end", "count": kinds - 1}:
            raise SourceError("truncated", "the export has no end")
        file.seek(0)
        return _Export(following, len(file.readline()), file)

    async def _of_feed(self, position: Position) -> Page:
        path = position["feed"]
        answer = await self.fetcher.answer(
            path if "limit=" in path else f"{path}&limit={PAGE_EVENTS}",
            accept="application/cloudevents-batch+json, application/json",
            passed=frozenset({_GONE}),
        )
        if answer.status == _GONE:
            # The history of the feed began anew: what was fetched is compared with a new export.
            return Page([], self.first(None, date.min))
        link = _NEXT.search(answer.headers.get("Link", ""))
        if link is None:
            raise SourceError("unexpected_answer", "no link to the next batch")
        events, following = members({"events": parsed(answer.body)}, "events"), link[1]
        items, gone = await self._read(_trials(events))
        if not events and following == path:
            return Page(items, None, gone=gone, cursor=following)
        return Page(items, {**position, "feed": following}, gone=gone)

    async def _read(self, numbers: Iterable[str]) -> tuple[list[Item], list[str]]:
        """Read trials that changed; return them, and the ids of those that are gone."""
        items: list[Item] = []
        gone: list[str] = []
        for number in numbers:
            found = await self._trial(number)
            # A trial that was merged into another one answers with that one.
            if found is None or found[0].get("id") != number:
                gone.append(f"{self.source.removeprefix(PREFIX)}/{number}")
            if found is not None:
                items += _taken(_item(self.source, *found))
        return items, gone

    async def _trial(self, number: str) -> tuple[dict[str, Any], dict[str, list[str]]] | None:
        """Return a trial and the sources of its fields; None: it cannot be read there."""
        passed = frozenset({_NOT_FOUND})
        answer = await self.fetcher.answer(f"{API}/trials/{number}", passed=passed)
        origins = await self.fetcher.answer(f"{API}/trials/{number}/provenance", passed=passed)
        if _NOT_FOUND in {answer.status, origins.status}:
            return None
        trial = parsed(answer.body)
        provenance: dict[str, list[str]] = {}
        for one in members(parsed(origins.body), "items"):
            provenance.setdefault(str(one["path"]), []).append(str(one["source"]))
        if not isinstance(trial, dict):
            raise SourceError("unexpected_answer", "no trial")
        return trial, provenance


def _item(source: str, trial: Any, provenance: Mapping[str, Sequence[str]]) -> Item | None:
    """Return the record of a trial; None for one that came from another installation, or is fictitious."""
    if not isinstance(trial, dict) or not is_foreign(provenance) or trial.get("sample") == "demo":
        return None
    return Item(f"{source.removeprefix(PREFIX)}/{trial.get('id')}", line(record_of_trial(source, trial, provenance)))


def _taken(item: Item | None) -> list[Item]:
    return [] if item is None else [item]


def _trials(events: Iterable[Any]) -> list[str]:
    """Return the ids of the trials that events concern, each once, in the order of the events."""
    found: dict[str, None] = {}
    for event in events:
        parts = str(event.get("subject") if isinstance(event, dict) else "").split("/")
        if parts[0] in {"trial", "site"} and len(parts) > 1 and re.fullmatch(r"CL[0-9]{1,12}", parts[1]):
            found[parts[1]] = None
    return list(found)
