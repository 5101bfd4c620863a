"""The countries of a CTIS record: where the trial takes part, its status there, its places."""

import re
from collections.abc import Sequence
from typing import Final

from services.registry.model.trial import MAX_ITEMS, MAX_LINE, Location
from services.registry.sources.places import CentreRule, country_code
from services.registry.sources.reading import Section, escape
from services.registry.sources.registers import ctis_codes as codes
from services.registry.sources.registers.organisations import member_sites
from services.registry.sources.registers.statements import Statements
from shared.vocabulary.recruitment import RecruitmentStatus, site_status

# "DE:Authorised, not started, FR:Ongoing": a comma separates countries only before another name and colon.
_BETWEEN: Final = re.compile(r",\s*(?=[A-Z][A-Za-z .'()-]*:)")
# How the EU writes two countries.
_EU_CODES: Final = {"EL": "GR", "UK": "GB"}
_SHORT: Final = 200


class Countries:
    """The member states of a trial, each with its status, and the countries beyond."""

    def __init__(
        self, top: Section, part_one: Section, parts_two: Sequence[Section], states: Sequence[Section]
    ) -> None:
        self._top, self._part_one, self._parts_two = top, part_one, parts_two
        # The status as the source writes it; None where it gives only the country.
        self._written: dict[str, str | None] = {}
        for pointer, text in self._trial_countries():
            name, _, status = text.partition(":")
            self._add(pointer, name, status.strip() or None)
        for state in states:
            self._add(f"{state.pointer}/mscName", state.line("mscName", _SHORT), state.code("mscPublicStatusCode"))
        for part in parts_two:
            info = part.section("mscInfo")
            self._add(f"{info.pointer}/countryName", info.line("countryName", _SHORT), None)

    def say(self, said: Statements, centres: Sequence[CentreRule]) -> None:
        """Say status, countries, places and sites. Where France takes part, the status is that of France."""
        overall = self._overall()
        france = self._written.get("FR")
        raw = france or overall
        status = codes.status_of(raw)
        said.say("status", lambda: self._status(france, raw))
        said.say("source_status", lambda: _in_words(france, overall))
        said.say("countries", self._all, (self._top, "trialCountries"))
        places = self._locations()
        # Without French places a record says that no member centre takes part.
        given = [(part, "trialSites") for part in self._parts_two]
        said.say("locations", lambda: places, *given)
        said.say("sites", lambda: member_sites(places, status or "unknown", centres), *given)

    def _status(self, france: str | None, raw: str | None) -> RecruitmentStatus | None:
        status = codes.status_of(raw)
        if raw is not None and status is None:
            pointer = "/trialCountries" if france else "/ctPublicStatusCode"
            self._top.reader.warn(pointer, "unknown_code", "code inconnu", "unknown code")
        return status

    def _overall(self) -> str | None:
        """Return the public status of the trial. The new `ctStatus` is a number: that of the application."""
        public = self._top.code("ctPublicStatusCode")
        return (
            public if public is not None or "authorizedApplication" in self._top.given else self._top.code("ctStatus")
        )

    def _trial_countries(self) -> list[tuple[str, str]]:
        if isinstance(self._top.given.get("trialCountries"), str):
            text = self._top.line("trialCountries", 10_000)
            return [("/trialCountries", part) for part in _BETWEEN.split(text or "") if part.strip()]
        return self._top.lines("trialCountries", _SHORT, 300)

    def _add(self, pointer: str, name: str | None, status: str | None) -> None:
        country = self._country(pointer, name)
        if country is not None:
            self._written[country] = self._written.get(country) or status

    def _country(self, pointer: str, name: str | None) -> str | None:
        written = (name or "").strip()
        country = _EU_CODES.get(written) or country_code(written) if written else None
        if written and country is None:
            self._top.reader.warn(pointer, "unknown_country", "nom de pays inconnu", "unknown country name")
        return country

    def _all(self) -> list[str]:
        rest = self._part_one.sections("rowCountriesInfo", 300)
        beyond = [
            self._country(f"{one.pointer}/isoAlpha2Code", one.line("isoAlpha2Code", _SHORT) or one.line("name", _SHORT))
            for one in rest
        ]
        return list(dict.fromkeys([*self._written, *(country for country in beyond if country is not None)]))

    def _locations(self) -> list[Location]:
        found: dict[Location, None] = {}
        for part in self._parts_two:
            for site in part.sections("trialSites", MAX_ITEMS):
                info = site.section("organisationAddressInfo")
                address = info.section("address")
                name = address.line("countryName", _SHORT) or part.section("mscInfo").line("countryName", _SHORT)
                country = self._country(f"{address.pointer}/{escape('countryName')}", name)
                state = codes.status_of(self._written.get(country or ""))
                place = Location(
                    facility=info.section("organisation").line("name", MAX_LINE),
                    city=address.line("city", _SHORT),
                    postcode=address.line("postcode", _SHORT),
                    country=country,
                    status=_closed(state),
                )
                if place.facility is not None or place.city is not None:
                    found[place] = None
        return list(found)[:MAX_ITEMS]


def _closed(country: RecruitmentStatus | None) -> RecruitmentStatus | None:
    """Return the status of a place: that of its country if no place recruits there any more, else it is not known."""
    state = site_status(country) if country is not None else "unknown"
    return None if state == "unknown" else state


def _in_words(france: str | None, overall: str | None) -> str | None:
    parts = [
        f"{where}{codes.status_words(raw)}"
        for where, raw in (("France: ", france), ("trial: " if france else "", overall))
        if raw is not None
    ]
    return "; ".join(parts)[:_SHORT] or None
