"""Reads the registry with the internal token: its export, its feed and single resources."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from services.matching.clients.documents import (
    Centre,
    Document,
    Site,
    Trial,
    TrialRecord,
    UnreadableDocumentError,
)
from shared.clients.feed import FeedTail
from shared.clients.internal import InternalClient

BASE = "/registry/v1"
# Feed entries in one batch.
BATCH = 500
# The registry builds the export when it is wanted; with many trials on a busy machine this takes a while.
EXPORT_SECONDS = 60.0


class CutExportError(ConnectionError):
    """The export has no end line, or not as many records as that line says."""


class RegistryRefusedError(ConnectionError):
    """The registry answered with an unexpected status."""


@dataclass(frozen=True, slots=True)
class Export:
    """Everything published at one position of the feed.

    ``next_feed_path``: the path of the feed from that position on. ``unreadable``: how many records could not be read.
    """

    next_feed_path: str
    terminology: str
    trials: list[TrialRecord]
    centres: list[Centre]
    unreadable: int


class RegistryClient:
    """A client of the registry. Transport failures, refusals and cut answers raise ``OSError``."""

    def __init__(self, client: InternalClient, feed_wait: int) -> None:
        self._client = client
        self.feed = FeedTail(client, f"{BASE}/feed?limit={BATCH}", wait=feed_wait)

    async def close(self) -> None:
        await self._client.close()

    async def export(self) -> Export:
        """Read the whole export.

        :raises CutExportError: it is not complete.
        """
        header: Document | None = None
        trials: list[TrialRecord] = []
        centres: list[Centre] = []
        count = unreadable = 0
        async with self._lines(f"{BASE}/export") as lines:
            async for line in lines:
                document = _parsed(line)
                kind = document.get("kind")
                if kind == "header":
                    header = document
                elif kind == "end":
                    if header is None or document.get("count") != count:
                        raise CutExportError
                    return Export(
                        f"{header['following']}&limit={BATCH}", header["terminology"], trials, centres, unreadable
                    )
                else:
                    count += 1
                    try:
                        if kind == "trial":
                            trials.append(TrialRecord.read(document))
                        elif kind == "centre":
                            centres.append(Centre.read(document.get("centre") or {}))
                    except UnreadableDocumentError:
                        unreadable += 1
                    if count % 200 == 0:
                        await asyncio.sleep(0)
        raise CutExportError

    async def trial(self, identifier: str) -> TrialRecord | None:
        """Read a trial by any of its identifiers, with its criteria and sites; None where there is none."""
        path = f"{BASE}/trials/{quote(identifier, safe='')}"
        document = await self._get(path)
        if document is None:
            return None
        trial = Trial.read(document)
        criteria = (
            None
            if trial.criteria_version is None
            else await self._get(f"{path}/criteria?version={trial.criteria_version}")
        )
        return TrialRecord.read(
            {"trial": document, "criteria": criteria, "sites": ((await self._get(f"{path}/sites")) or {}).get("items")}
        )

    async def sites(self, identifier: str) -> tuple[Site, ...] | None:
        """Read the sites of a trial; None where there is no such trial."""
        document = await self._get(f"{BASE}/trials/{quote(identifier, safe='')}/sites")
        return (
            None
            if document is None
            else tuple(sorted((Site.read(site) for site in document["items"]), key=lambda site: site.centre))
        )

    async def centre(self, identifier: str) -> Centre | None:
        document = await self._get(f"{BASE}/centres/{quote(identifier, safe='')}")
        return None if document is None else Centre.read(document)

    async def terminology(self, current: str | None = None) -> bytes | None:
        """Read the terminology document; None where its version is still ``current``."""
        response = await self._client.get(
            f"{BASE}/terminology/document",
            headers={"If-None-Match": f'"{current}"'} if current else {},
            seconds=EXPORT_SECONDS,
        )
        if response.status_code == httpx.codes.NOT_MODIFIED:
            return None
        if response.status_code != httpx.codes.OK:
            raise RegistryRefusedError
        return response.content

    async def _get(self, path: str) -> dict[str, Any] | None:
        response = await self._client.get(path)
        return None if response.status_code == httpx.codes.NOT_FOUND else _document(response)

    @asynccontextmanager
    async def _lines(self, path: str) -> AsyncIterator[AsyncIterator[bytes]]:
        async with self._client.stream(path, seconds=EXPORT_SECONDS) as response:
            if response.status_code != httpx.codes.OK:
                raise RegistryRefusedError
            yield _split(response.aiter_bytes())


async def _split(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Split NDJSON at line feeds only, for texts may contain other line separators. Drop an unfinished last line."""
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line


def _document(response: httpx.Response) -> dict[str, Any]:
    if response.status_code != httpx.codes.OK:
        raise RegistryRefusedError
    return _parsed(response.content)


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        raise CutExportError from None
    if not isinstance(document, dict):
        raise CutExportError
    return document
