"""Choice of the language: French by default, English on request. Codes are the same in both."""

from typing import Literal

Language = Literal["fr", "en"]


def negotiate(accept_language: str | None) -> Language:
    """Choose for an `Accept-Language` header; French if it names neither language."""
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
