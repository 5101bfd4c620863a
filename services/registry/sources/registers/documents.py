"""Finds the records in what the registers publish: lists of answers, search results, Bundles. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from services.registry.sources.registers import eclaire_record
from services.registry.sources.registers.euctr_record import flat

# The member of an answer that has its records.
_LISTS: Final[Mapping[str, str]] = {"ctgov": "studies", "ctis": "data"}
# What is read of a record of ClinicalTrials.gov. Its results can be many times as long.
_CTGOV_READ: Final = ("protocolSection", "derivedSection", "documentSection")


def records_in(source: str, document: Any) -> Iterator[Any]:
    """Yield the records of a JSON document: one, a list of them, or an answer of the register.

    Results, which are not read, are left out. What is no record is yielded as it is: its import says what is wrong.
    """
    listed = document.get(_LISTS.get(source)) if isinstance(document, dict) else document
    for one in listed if isinstance(listed, list) else [document]:
        yield from _records(source, one)


def _records(source: str, record: Any) -> Iterable[Any]:
    if not isinstance(record, dict):
        return [record]
    if source == "ctgov" and isinstance(record.get("protocolSection"), dict):
        return [{name: record[name] for name in _CTGOV_READ if name in record}]
    if source == "euctr":
        return [{name: one for name, one in flat(record).items() if name == "trialInformation" or not _is_result(one)}]
    if source == "eclaire" and record.get("resourceType") == "Bundle":
        return eclaire_record.records(record)
    return [record]


def _is_result(value: Any) -> bool:
    """Return whether a member of an EUCTR record is a section of its results: only these are objects."""
    return isinstance(value, dict)
