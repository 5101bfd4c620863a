"""The manifest of a backup: written last, with a digest. A folder without one is not a backup."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

NAME = "manifest.json"
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,40}(\.db)?$")]


class UnreadableBackupError(RuntimeError):
    """It is not a complete backup; the message says what is wrong."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FeedPosition(_Part):
    """A position in a feed; see `shared.feed.log.Position`."""

    generation: int
    seq: int

    def after(self, other: "FeedPosition") -> bool:
        return (self.generation, self.seq) > (other.generation, other.seq)


class ServiceCopy(_Part):
    """The database of one service as a SQLite file.

    ``feed``: the head of its own feed. ``tails``: how far it had read the feeds of other services.
    """

    file: FileName
    engine: Literal["sqlite", "postgresql"]
    bytes: int
    sha256: Digest
    schema_head: str
    rows: dict[str, int]
    feed: FeedPosition | None
    tails: dict[str, FeedPosition]


class Manifest(_Part):
    """``secrets``: the secret files in the backup, with their digests; empty unless asked for.

    ``key_check``: a digest that shows whether an installation has the keys that the data are encrypted with.
    """

    form: Literal[1] = 1
    made_at: datetime
    program: str
    services: dict[str, ServiceCopy]
    rebuilt: list[str] = Field(description="Services without a copy: they load their data from the registry.")
    secrets: dict[FileName, Digest]
    key_check: str

    def write(self, folder: Path) -> None:
        document = self.model_dump(mode="json")
        (folder / NAME).write_text(json.dumps({**document, "seal": _seal(document)}, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """:raises UnreadableBackupError: there is no manifest, or it was changed."""
        try:
            document = json.loads((folder / NAME).read_bytes())
            seal = document.pop("seal")
            found = cls.model_validate(document)
        except OSError:
            raise UnreadableBackupError(f"no backup at {folder}: it has no {NAME}") from None
        except (ValueError, KeyError, AttributeError, TypeError, ValidationError):
            raise UnreadableBackupError(f"{folder / NAME} is not a manifest that this program can read") from None
        if seal != _seal(document):
            raise UnreadableBackupError(f"{folder / NAME} was changed after the backup")
        return found


def check_of(key: bytes) -> str:
    """Return a digest that identifies a key without revealing it."""
    return hashlib.sha256(b"cleio backup key check" + key).hexdigest()[:16]


def stamp(at: datetime) -> str:
    """Write an instant, to the millisecond, as part of a file name: names sort by time."""
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%S") + f".{at.microsecond // 1000:03}Z"


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _seal(document: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
