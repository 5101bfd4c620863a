"""Trials as FHIR ResearchStudy, as the registry maps them: fetched when an answer needs them, cached by version."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from shared.clients.internal import InternalClient, SiblingError

MAX_CACHED = 2_000
Study = Mapping[str, Any]


class ResearchStudies:
    """A client of the registry's FHIR interface. The cache holds published trials, nothing of a patient."""

    def __init__(self, client: InternalClient) -> None:
        self._client = client
        self._cached: OrderedDict[tuple[str, int], Study] = OrderedDict()

    async def get(self, trials: Sequence[tuple[str, int]]) -> dict[str, Study]:
        """Return the resource of each (id, version) that the registry has, by id; at most 100 trials.

        :raises SiblingError: the registry did not answer.
        """
        missing = [identifier for identifier, version in trials if (identifier, version) not in self._cached]
        fetched = await self._fetch(missing) if missing else {}
        found = {}
        for identifier, version in trials:
            study = self._cached.get((identifier, version)) or fetched.get(identifier)
            if study is not None:
                found[identifier] = study
                self._cached[identifier, version] = study
                self._cached.move_to_end((identifier, version))
        while len(self._cached) > MAX_CACHED:
            self._cached.popitem(last=False)
        return found

    async def _fetch(self, identifiers: Sequence[str]) -> dict[str, Study]:
        answer = await self._client.ask("GET", f"/fhir/ResearchStudy?_id={quote(','.join(identifiers), safe=',')}")
        try:
            return {entry["resource"]["id"]: entry["resource"] for entry in answer.get("entry", ())}
        except (KeyError, TypeError, AttributeError):
            raise SiblingError("form") from None
