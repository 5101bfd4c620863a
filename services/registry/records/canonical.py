"""Hash of a source record's content."""

import hashlib
import json
import unicodedata
from typing import Any


def _normalised(value: Any) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, dict):
        return {unicodedata.normalize("NFC", str(key)): _normalised(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_normalised(item) for item in value]
    return value


def canonical_hash(record: Any) -> str:
    """Return the SHA-256 (hex) of a JSON value.

    The order of keys and the Unicode normal form of texts do not matter.
    """
    text = json.dumps(_normalised(record), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
