"""How a study of ClinicalTrials.gov is designed, where it is, and what is written about it."""

import json
import lzma
from collections import Counter
from typing import Any

import pytest

from services.registry.sources.ctgov_reader import CtgovReader
from services.registry.terminology.terminology import Terminology

TERMS = Terminology.from_json({"diseases": []})
PROTOCOL: dict[str, Any] = {
    "identificationModule": {
        "nctId": "NCT03964792",
        "briefTitle": "Gene Therapy in Sickle Cell Disease",
        "officialTitle": "A Phase 1/2 Open Label Study of Transduced Autologous CD34+ Cells",
    },
    "statusModule": {
        "statusVerifiedDate": "2024-02",
        "studyFirstPostDateStruct": {"date": "2019-05-28", "type": "ACTUAL"},
    },
    "conditionsModule": {"conditions": ["Sickle Cell Disease"], "keywords": ["Lentivirus", "Lentivirus", "Globin"]},
    "designModule": {
        "designInfo": {
            "allocation": "NON_RANDOMIZED",
            "interventionModel": "SINGLE_GROUP",
            "primaryPurpose": "TREATMENT",
            "maskingInfo": {"masking": "NONE"},
        }
    },
    "armsInterventionsModule": {
        "armGroups": [
            {
                "label": "Treated",
                "type": "EXPERIMENTAL",
                "description": "One infusion. " * 200,
                "interventionNames": ["Genetic: DREPAGLOBE", "Busulfan"],
            }
        ],
        "interventions": [{"type": "GENETIC", "name": "DREPAGLOBE", "description": "Intravenous"}],
    },
    "outcomesModule": {
        "primaryOutcomes": [{"measure": "Safety", "timeFrame": "2 years", "description": "Adverse events"}],
        "secondaryOutcomes": [{"measure": "Vector copy number"}],
    },
    "eligibilityModule": {"healthyVolunteers": False},
    "contactsLocationsModule": {
        "locations": [
            {
                "facility": "Necker",
                "city": "Paris",
                "state": "Île-de-France",
                "zip": "75015",
                "country": "France",
                "geoPoint": {"lat": 48.84, "lon": 2.31},
            }
        ]
    },
    "referencesModule": {
        "references": [
            {"pmid": "38000001", "type": "RESULT", "citation": "Dupont A. Results. 2024."},
            {"type": "BACKGROUND", "citation": "Durand B. A book. 1999."},
        ],
        "seeAlsoLinks": [{"label": "The study", "url": "https://example.org/study"}, {"url": "javascript:alert(1)"}],
    },
}
DOCUMENTS = {"largeDocs": [{"label": "Study Protocol", "date": "2023-01-02", "filename": "Prot_000.pdf"}]}


def values(protocol: dict[str, Any], **more: Any) -> Any:
    return CtgovReader().read({"protocolSection": protocol, **more}, TERMS).reading.values


def test_the_design_of_a_study_is_read():
    found = values(PROTOCOL, documentSection={"largeDocumentModule": DOCUMENTS})
    assert found["official_titles.en"] == "A Phase 1/2 Open Label Study of Transduced Autologous CD34+ Cells"
    assert found["keywords"] == ["Lentivirus", "Globin"]
    assert found["design"] == {
        "allocation": "non_randomized", "intervention_model": "single_group", "masking": "none", "purpose": "treatment",
    }  # fmt: skip
    (arm,) = found["arms"]
    assert (arm["label"], arm["kind"], arm["interventions"]) == ("Treated", "experimental", ["DREPAGLOBE", "Busulfan"])
    assert len(arm["description"]) <= 1000
    assert arm["description"].endswith("…")
    assert found["interventions"] == [{"name": "DREPAGLOBE", "kind": "genetic", "description": "Intravenous"}]
    assert found["primary_outcomes"] == [{"measure": "Safety", "time_frame": "2 years"}]
    assert found["secondary_outcomes"] == [{"measure": "Vector copy number", "time_frame": None}]
    assert (found["dates.first_posted"]["date"], found["dates.verified"]["date"]) == ("2019-05-28", "2024-02")
    assert found["eligibility"]["healthy_volunteers"] is False
    (place,) = found["locations"]
    assert (place["state"], place["postcode"]) == ("Île-de-France", "75015")
    assert place["position"] == {"latitude": 48.84, "longitude": 2.31}


def test_references_are_numbers_of_pubmed_and_documents_are_addresses():
    found = values(PROTOCOL, documentSection={"largeDocumentModule": DOCUMENTS})
    assert found["references"] == [{"pmid": "38000001", "kind": "result"}]
    assert found["documents"] == [
        {
            "label": "Study Protocol",
            "url": "https://cdn.clinicaltrials.gov/large-docs/92/NCT03964792/Prot_000.pdf",
            "date": "2023-01-02",
        },
        {"label": "The study", "url": "https://example.org/study", "date": None},
    ]
    assert not any(name in json.dumps(found) for name in ("Dupont", "Durand"))


@pytest.mark.parametrize(
    "point", [{"lat": 91, "lon": 2}, {"lat": "48", "lon": 2}, {"lat": 48}, {"lat": True, "lon": 1}]
)
def test_a_point_that_is_not_on_the_earth_is_left_out_and_told(point):
    location = {"facility": "Necker", "country": "France", "geoPoint": point}
    record = {"protocolSection": {**PROTOCOL, "contactsLocationsModule": {"locations": [location]}}}
    found = CtgovReader().read(record, TERMS)
    assert [(one.pointer, one.code) for one in found.warnings] == [
        ("/protocolSection/contactsLocationsModule/locations/0/geoPoint", "position_form")
    ]
    assert found.reading.values["locations"][0]["position"] is None


@pytest.mark.real_data
def test_real_studies_say_how_they_are_designed(real_data, figure):
    packed = (real_data / "ctgov_v2_native/studies.jsonl.xz").read_bytes()
    given: Counter[str] = Counter()
    count = 0
    for line in lzma.decompress(packed).splitlines():
        found = CtgovReader().read(json.loads(line), TERMS).reading.values
        count += 1
        given.update(path for path in found if found[path] and path in FIELDS)
        given.update(
            name for name in ("state", "postcode", "position") if any(one[name] for one in found.get("locations", []))
        )
    for path, number in sorted(given.items()):
        figure(f"ClinicalTrials.gov: {path}", f"given by {number} of {count} studies")
    assert (count, given["dates.first_posted"], given["dates.verified"]) == (691, 682, 682)


FIELDS = frozenset(
    (
        *("official_titles.en", "keywords", "design", "arms", "interventions", "primary_outcomes"),
        *("secondary_outcomes", "dates.first_posted", "dates.verified", "references", "documents"),
    )
)
