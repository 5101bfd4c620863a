"""Persons are removed from records before anything is stored; the list is the one of the data-protection page."""

import re
from pathlib import Path
from typing import Any

from services.registry.sources.persons import KEPT, without_persons

PAGE = Path(__file__).parents[4] / "docs" / "data-protection.md"
CONTACT = {"name": "Dr DUPONT", "role": "CONTACT", "phone": "DUPONT", "email": "DUPONT@example.org"}
RECORD: dict[str, Any] = {
    "protocolSection": {
        "identificationModule": {"nctId": "NCT90000001", "organization": {"fullName": "AP-HP", "class": "OTHER"}},
        "sponsorCollaboratorsModule": {
            "responsibleParty": {
                "type": "PRINCIPAL_INVESTIGATOR",
                "investigatorFullName": "DUPONT",
                "investigatorTitle": "Professor DUPONT",
                "investigatorAffiliation": "AP-HP",
                "oldNameTitle": "DUPONT",
            },
            "leadSponsor": {"name": "AP-HP", "class": "OTHER"},
        },
        "contactsLocationsModule": {
            "centralContacts": [CONTACT],
            "overallOfficials": [{"name": "DUPONT", "affiliation": "AP-HP", "role": "STUDY_CHAIR"}],
            "locations": [
                {"facility": "Necker", "city": "Paris", "contacts": [CONTACT, "DUPONT", {"role": ["DUPONT"]}]}
            ],
            "locations_nested": [{"facility": "Necker", "contacts": {"DUPONT": "DUPONT"}}],
        },
    },
    "resultsSection": {
        "moreInfoModule": {"pointOfContact": {"title": "Dr DUPONT", "organization": "AP-HP", "phone": "DUPONT"}}
    },
}


def test_no_person_stays_and_everything_else_does() -> None:
    kept = without_persons(RECORD)
    assert "DUPONT" not in str(kept)
    protocol = kept["protocolSection"]
    assert protocol["identificationModule"] == RECORD["protocolSection"]["identificationModule"]
    assert protocol["sponsorCollaboratorsModule"]["responsibleParty"] == {
        "type": "PRINCIPAL_INVESTIGATOR",
        "investigatorAffiliation": "AP-HP",
    }
    assert protocol["contactsLocationsModule"]["centralContacts"] == [{"role": "CONTACT"}]
    assert protocol["contactsLocationsModule"]["locations"][0]["facility"] == "Necker"
    assert list(protocol) == list(RECORD["protocolSection"])


def test_the_list_is_the_one_of_the_data_protection_page() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    listed = {name: frozenset(re.findall(r"`(\w+)`", kept)) for name, kept in rows}
    assert listed == KEPT
