"""What the reader of each source provides. Readers are pure: no clock, no database, no network."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from services.registry.merge.reading import Reading
from services.registry.sources.places import CentreRule
from services.registry.terminology.terminology import Terminology
from shared.values.problems import Fault


@dataclass(frozen=True, slots=True)
class SourceReading:
    """What a record says, and a warning for everything that was left out.

    ``reading``: a path that the record leaves out is absent; one that it leaves empty is null or an empty list; one
    whose value was left out with a warning is in ``unreadable``. The other values pass the model `TrialInput`.
    """

    reading: Reading
    warnings: tuple[Fault, ...]


class SourceReader(Protocol):
    """The reader of one source. Records are JSON, already without persons; readers of other formats convert first.

    ``source``: its name in ``merge/sources.json``. ``version``: increase it when the same record would be read
    differently, so that stored records are read again.
    """

    @property
    def source(self) -> str: ...

    @property
    def version(self) -> int: ...

    def source_id(self, record: Any) -> str:
        """Return the id of a record in its source.

        :raises InvalidStudyError: this is not a record of the source, or it has no valid id.
        """

    def parts(self, record: Any) -> Any:
        """Return what counts in a record: the part of it that is read. Other changes of the record are no change."""

    def dated(self, record: Any) -> str | None:
        """Return the day on which the source last changed a record (``2024``, ``2024-05``, ``2024-05-03``), if given.

        It is also the ``dated`` of the reading.
        """

    def read(self, record: Any, terminology: Terminology, centres: Sequence[CentreRule] = ()) -> SourceReading:
        """Read a record with a valid id. ``centres``: how locations of member centres are recognised."""
