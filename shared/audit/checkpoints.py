"""The signed seals as lines of ``<data_dir>/audit/<service>.checkpoints.ndjson``: what an operator keeps elsewhere, out of this machine's reach."""

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.audit.chain import Seal, read_seal

PUBLIC_KEY = "public-key.pem"


class CheckpointFile:
    """One service's checkpoints; appended to, never rewritten."""

    def __init__(self, folder: Path, service: str) -> None:
        self.path = folder / f"{service}.checkpoints.ndjson"

    def publish(self, key: Ed25519PrivateKey) -> None:
        """Lay the public key beside the checkpoints."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        file = self.path.parent / PUBLIC_KEY
        if not file.exists() or file.read_bytes() != pem:
            file.write_bytes(pem)

    def append(self, seals: list[Seal]) -> None:
        """On the disk when this returns. A line that a crash cut short is ended first: it stays for the eye, and counts for nothing."""
        if not seals:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab+") as file:
            if file.tell() and os.pread(file.fileno(), 1, file.tell() - 1) != b"\n":
                file.write(b"\n")
            file.write("".join(f"{seal.write()}\n" for seal in seals).encode())
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> tuple[list[Seal], int]:
        """The seals in order, and how many lines are none."""
        if not self.path.is_file():
            return [], 0
        seals, others = [], 0
        for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                seals.append(read_seal(line))
            except ValueError:
                others += 1
        return seals, others

    def last(self) -> Seal | None:
        """The newest; of kind ``restored`` when the record began again from a backup."""
        seals, _ = self.read()
        return seals[-1] if seals else None


def signing_key(seed: bytes) -> Ed25519PrivateKey:
    """The installation's key, from the 32 bytes of its secret."""
    return Ed25519PrivateKey.from_private_bytes(seed)


def public_key_of(seed: bytes) -> Ed25519PublicKey:
    return signing_key(seed).public_key()
