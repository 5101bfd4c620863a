"""Reads the dossiers of sponsors, once they are published: trials in the form of this registry."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.registry.sources.problems import InvalidStudyError
from services.registry.sources.registers.cleio import CleioReader, record_of_trial

SPONSOR: Final = "sponsor"
_REFERENCE: Final = re.compile(r"SUB(-[2-9A-HJKMNP-TV-Z]{4}){3}")


def record_of_submission(reference: str, trial: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of a dossier. ``trial``: its trial, without what is left open."""
    return record_of_trial(SPONSOR, {**trial, "id": reference}, {})


@dataclass(frozen=True, slots=True)
class SponsorReader(CleioReader):
    """Reads the records of dossiers. What a version leaves open, the source no longer says."""

    source: str = SPONSOR

    def source_id(self, record: Any) -> str:
        """Return the reference of the dossier.

        :raises InvalidStudyError: this is no dossier.
        """
        reference = record.get("id") if isinstance(record, dict) else None
        if (
            not isinstance(reference, str)
            or not _REFERENCE.fullmatch(reference)
            or not isinstance(record.get("trial"), dict)
        ):
            raise InvalidStudyError.at(
                "/id", "invalid_id", "la référence d'un dossier est attendue", "the reference of a dossier is expected"
            )
        return reference
