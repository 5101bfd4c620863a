"""An example of an answer for the OpenAPI document. The patient is invented."""

from typing import Any

ANSWER: dict[str, Any] = {}
