"""The `traceparent` header of W3C Trace Context, so that OpenTelemetry is needed only for the export. Pure."""

import os
import re
from dataclasses import dataclass
from typing import Self

_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class TraceContext:
    """The ids of a span. ``sampled``: it is exported. `tracestate` and baggage are neither read nor forwarded."""

    trace: str
    span: str
    sampled: bool = False

    @classmethod
    def read(cls, header: object) -> Self | None:
        """Parse a `traceparent` of version 00; None for anything else."""
        found = _TRACEPARENT.fullmatch(header) if isinstance(header, str) else None
        return cls(found[1], found[2], bool(int(found[3], 16) & 1)) if found else None

    @classmethod
    def after(cls, parent: "TraceContext | None") -> Self:
        """A new span of the parent's trace, or of a new trace."""
        if parent is None:
            random = os.urandom(24).hex()
            return cls(random[:32], random[32:])
        return cls(parent.trace, os.urandom(8).hex(), parent.sampled)

    def write(self) -> str:
        """Format as a `traceparent`."""
        return f"00-{self.trace}-{self.span}-{'01' if self.sampled else '00'}"
