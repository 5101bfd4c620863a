"""Signed checkpoints in ``<data_dir>/audit/<service>.checkpoints.ndjson``. Operators keep copies of them elsewhere."""

import os
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.audit.chain import Checkpoint, began, read_checkpoint

PUBLIC_KEY = "public-key.pem"


class CheckpointFile:
    """The checkpoints of one service; lines are only appended."""

    def __init__(self, folder: Path, service: str) -> None:
        self.service = service
        self.path = folder / f"{service}.checkpoints.ndjson"

    def publish(self, key: Ed25519PrivateKey) -> None:
        """Write the public key beside the checkpoints."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        file = self.path.parent / PUBLIC_KEY
        if not file.exists() or file.read_bytes() != pem:
            file.write_bytes(pem)

    def begin(self, key: Ed25519PrivateKey) -> Checkpoint:
        """State that an empty log begins now, so that a log that was removed later is missed."""
        first = began(self.service, datetime.now(UTC)).signed(key)
        self.append([first])
        return first

    def append(self, checkpoints: list[Checkpoint]) -> None:
        """Append and flush to disk. A line that a crash cut short stays as it is and is ignored."""
        if not checkpoints:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab+") as file:
            if file.tell() and os.pread(file.fileno(), 1, file.tell() - 1) != b"\n":
                file.write(b"\n")
            file.write("".join(f"{checkpoint.write()}\n" for checkpoint in checkpoints).encode())
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> tuple[list[Checkpoint], int]:
        """The checkpoints in order, and the number of other lines."""
        if not self.path.is_file():
            return [], 0
        checkpoints, others = [], 0
        for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                checkpoints.append(read_checkpoint(line))
            except ValueError:
                others += 1
        return checkpoints, others

    def last(self) -> Checkpoint | None:
        """The newest checkpoint, of any kind."""
        checkpoints, _ = self.read()
        return checkpoints[-1] if checkpoints else None


def signing_key(seed: bytes) -> Ed25519PrivateKey:
    """The installation's private key, from the 32 bytes of its secret."""
    return Ed25519PrivateKey.from_private_bytes(seed)


def public_key_of(seed: bytes) -> Ed25519PublicKey:
    return signing_key(seed).public_key()
