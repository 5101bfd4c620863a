"""Answers that are given from a snapshot, and the headers that name it."""

from datetime import UTC, datetime

from fastapi import Request, Response

from services.matching.snapshots.model import Snapshot
from services.matching.snapshots.store import SnapshotStore


def current_snapshot(request: Request) -> Snapshot:
    """Return the snapshot to answer from.

    :raises SnapshotMissingError: 503, nothing is loaded yet.
    """
    store: SnapshotStore = request.app.state.snapshots
    return store.current


def snapshot_response(snapshot: Snapshot, content: bytes) -> Response:
    """Return JSON with the id of the snapshot, and the seconds since it was known to be current."""
    age = max(0, int((datetime.now(UTC) - snapshot.current_at).total_seconds()))
    headers = {"Snapshot": snapshot.id, "Snapshot-Age": str(age), "Cache-Control": "no-store"}
    return Response(content, media_type="application/json", headers=headers)
