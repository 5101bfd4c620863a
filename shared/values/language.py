"""French by default, English on request: `Accept-Language` decides the words, never the codes."""

from typing import Literal

Language = Literal["fr", "en"]


def negotiate(accept_language: str | None) -> Language:
    """The better of the two languages for an `Accept-Language` header; French where it says nothing usable."""
    weights: dict[str, float] = {}
    for part in (accept_language or "")[:200].split(","):
        tag, _, parameter = part.strip().partition(";")
        primary = tag.split("-")[0].strip().lower()
        if primary in {"fr", "en"}:
            try:
                weight = float(parameter.partition("=")[2]) if parameter else 1.0
            except ValueError:
                continue
            weights[primary] = max(weights.get(primary, 0.0), weight)
    return "en" if weights.get("en", 0.0) > weights.get("fr", 0.0) else "fr"
