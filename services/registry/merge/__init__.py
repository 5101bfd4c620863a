"""One trial from many hands: what each source record and each person says of it, merged by published rules. Pure."""

import hashlib
from functools import cache
from importlib import resources

# Increase it when the same records and statements would be merged differently.
_VERSION = 1


@cache
def rules_version() -> str:
    """Return a hash of the rules by which trials are merged."""
    data = [
        (resources.files(__package__) / name).read_bytes() for name in ("fields.json", "sources.json", "states.json")
    ]
    return hashlib.sha256(b"\n".join([str(_VERSION).encode(), *data])).hexdigest()
