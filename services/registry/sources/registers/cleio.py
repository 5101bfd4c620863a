"""Reads trials of another CLEIO installation: they have the form of this registry, as its own program wrote it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from services.registry.merge.fields import at_path, field_rules, set_path
from services.registry.merge.reading import Reading
from services.registry.model.trial import TrialInput
from services.registry.sources.places import CentreRule
from services.registry.sources.problems import InvalidStudyError
from services.registry.sources.reader import SourceReading
from services.registry.terminology.terminology import Terminology
from shared.values.problems import Fault
from shared.values.wire import Label

PREFIX: Final = "cleio:"
_ID: Final = re.compile(r"CL[0-9]{8,12}")
_UNKNOWN: Final = Label(fr="cette valeur n'est pas comprise ici", en="this value is not understood here")
# A member of a contact is a function, which its model checks; `persons.py` removes members of these names from records.
_MAILBOX: Final = "mailbox"


def record_of_trial(name: str, trial: Mapping[str, Any], provenance: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return the record of a trial of another installation.

    ``name``: the source, ``cleio:nord``; ``provenance``: the sources of each path.
    """
    said = {field: trial[field] for field in TrialInput.model_fields if field in trial and field != "contact"}
    sites = trial.get("sites")
    if isinstance(sites, list):
        # Who confirmed a site, and when, is known where it was declared.
        said["sites"] = [{key: one.get(key) for key in ("centre", "status")} for one in sites if isinstance(one, dict)]
    contact = trial.get("contact")
    if isinstance(contact, dict):
        said["contact_function"] = {_MAILBOX if key == "email" else key: one for key, one in contact.items()}
    return {
        "source": name,
        "id": trial.get("id"),
        "updated_at": trial.get("updated_at"),
        "trial": said,
        # A list: paths as names of members could be among those that name persons.
        "provenance": [[path, sorted(set(sources))] for path, sources in sorted(provenance.items())],
    }


def is_foreign(provenance: Mapping[str, Sequence[str]]) -> bool:
    """Return whether a trial has anything that did not come from a third installation, or from this one."""
    return any(not one.startswith(PREFIX) for sources in provenance.values() for one in sources)


@dataclass(frozen=True, slots=True)
class CleioReader:
    """Reads trials of one installation, whose ``source`` is ``cleio:<name>``.

    What it has from another installation is not stated here: otherwise two that read each other would keep for ever
    what neither of them says any more.
    """

    source: str

    @property
    def version(self) -> int:
        return 1

    def source_id(self, record: Any) -> str:
        """Return the id of the trial there, after the name of the installation: ids here have the same form.

        :raises InvalidStudyError: this is no trial of another installation.
        """
        number = record.get("id") if isinstance(record, dict) else None
        if not isinstance(number, str) or not _ID.fullmatch(number) or not isinstance(record.get("trial"), dict):
            raise InvalidStudyError.at(
                "/id", "invalid_id", "un essai d'une autre installation est attendu", "a trial of another installation"
                " is expected"
            )  # fmt: skip
        return f"{self.source.removeprefix(PREFIX)}/{number}"

    def parts(self, record: Any) -> Any:
        """Return the trial and where its fields come from."""
        return [record["trial"], record.get("provenance")]

    def dated(self, record: Any) -> str | None:  # noqa: ARG002 - see below
        """Return None: a trial can change back on one day, so that the order of reception decides."""
        return None

    def read(
        self,
        record: Any,
        terminology: Terminology,  # noqa: ARG002 - codes are of the same systems
        centres: Sequence[CentreRule] = (),
    ) -> SourceReading:
        """Read a trial: all that it gives, also that something is empty. Sites are those of centres known here."""
        given = dict(record["trial"])
        contact = given.pop("contact_function", None)
        given["contact"] = (
            {"email" if key == _MAILBOX else key: one for key, one in contact.items()} if contact else None
        )
        known = {rule.centre for rule in centres}
        sites = given.get("sites")
        if isinstance(sites, list):
            given["sites"] = [one for one in sites if isinstance(one, dict) and one.get("centre") in known]
        provenance = dict(record.get("provenance") or ())
        values = {path: at_path(given, path) for path in field_rules() if not _is_echo(path, provenance)}
        if "sites" in values and isinstance(values["sites"], list):
            values["sites"] = [one for one in values["sites"] if not _is_echo(f"sites/{one.get('centre')}", provenance)]
        values, faults = _understood(values)
        unreadable = frozenset(path for path in field_rules() if any(path == fault for fault in faults))
        warnings = tuple(
            Fault(pointer=f"/trial/{path.replace('.', '/')}", code="not_understood", detail=_UNKNOWN)
            for path in sorted(faults)
        )
        return SourceReading(Reading(values, unreadable), warnings)


def _is_echo(path: str, provenance: Mapping[str, Sequence[str]]) -> bool:
    """Return whether a path comes from another installation. Numbers stay: by them the trial is known."""
    sources = provenance.get(path) or ()
    return path != "identifiers" and any(one.startswith(PREFIX) for one in sources)


def _understood(values: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """Leave out the paths whose values this program does not understand: another release may have written them."""
    faults: set[str] = set()
    while True:
        document: dict[str, Any] = {}
        for path, value in values.items():
            if value is not None:
                set_path(document, path, value)
        try:
            TrialInput.model_validate(document)
        except ValidationError as error:
            wrong = {_path_of(one["loc"], values) for one in error.errors(include_url=False)} & values.keys()
            if not wrong - {"identifiers"}:
                return values, faults
            faults |= wrong - {"identifiers"}
            values = {path: value for path, value in values.items() if path not in faults}
        else:
            return values, faults


def _path_of(place: tuple[int | str, ...], values: Mapping[str, Any]) -> str:
    name = str(place[0]) if place else ""
    member = f"{name}.{place[1]}" if len(place) > 1 else name
    return member if member in values else name
