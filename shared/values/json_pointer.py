"""JSON Pointers (RFC 6901)."""


def escape(part: str | int) -> str:
    """Return one reference token of a JSON Pointer."""
    return str(part).replace("~", "~0").replace("/", "~1")
