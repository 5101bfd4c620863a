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
    return Response(content, media_type="application/json", headers=snapshot_headers(snapshot))


def snapshot_headers(snapshot: Snapshot) -> dict[str, str]:
    """Return the headers of an answer from a snapshot, which must not be stored."""
    age = max(0, int((datetime.now(UTC) - snapshot.current_at).total_seconds()))
    return {"Snapshot": snapshot.id, "Snapshot-Age": str(age), "Cache-Control": "no-store"}
