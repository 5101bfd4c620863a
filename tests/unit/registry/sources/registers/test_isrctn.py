"""ISRCTN: its XML, without entities, and the status that follows from dates."""

import json
from typing import Any

import pytest

from services.registry.sources.persons import without_persons
from services.registry.sources.problems import InvalidStudyError
from services.registry.sources.reader import SourceReading
from services.registry.sources.registers import isrctn_record
from services.registry.terminology.terminology import Terminology
from shared.vocabulary.recruitment import RecruitmentStatus
from tests.unit.registry.sources.registers.corpus import READERS, trial_of

TERMS = Terminology.from_json({"diseases": []})


def read(record: Any) -> SourceReading:
    return READERS["isrctn"].read(record, TERMS)


XML = """<?xml version="1.0" encoding="UTF-8"?>
<allTrials xmlns="http://www.67bricks.com/isrctn" totalCount="1"><fullTrial>
 <trial lastUpdated="2025-02-03T10:00:00.000Z" version="3">
  <isrctn dateAssigned="2024-12-01T00:00:00.000Z">12345678</isrctn>
  <trialDescription><title>Gene &amp; cell therapy</title><plainEnglishSummary>Aims: to treat.
Who is the main contact?
Prof DUPONT</plainEnglishSummary></trialDescription>
  <externalRefs><eudraCTNumber>2012-000695-42</eudraCTNumber><secondaryNumbers>
   <secondaryNumber>NCT00000001</secondaryNumber><secondaryNumber>U1111-1234-5678</secondaryNumber>
  </secondaryNumbers></externalRefs>
  <participants><recruitmentCountries><country>France</country></recruitmentCountries><ageRange>Child</ageRange>
   <recruitmentStart>2025-01-01T00:00:00.000Z</recruitmentStart><recruitmentEnd>2026-06-30T00:00:00.000Z</recruitmentEnd>
   %s</participants>
 </trial>
 <contact id="1"><forename>Jean</forename><surname>DUPONT</surname></contact>
 <sponsor id="2"><organisation>Généthon</organisation><commercialStatus>Charity</commercialStatus></sponsor>
</fullTrial></allTrials>"""


def isrctn(day: str, more: str = "") -> dict[str, Any]:
    (record,) = isrctn_record.records((XML % more).encode(), day)
    return without_persons(record)


@pytest.mark.parametrize(
    ("day", "more", "status"),
    [
        ("2024-12-31", "", "not_yet_recruiting"),
        ("2025-01-01", "", "recruiting"),
        ("2026-06-30", "", "recruiting"),
        ("2026-07-01", "", "completed"),
        ("2025-06-01", "<recruitmentStatusOverride>Suspended</recruitmentStatusOverride>", "suspended"),
        ("2025-06-01", "<recruitmentStatusOverride>Stopped</recruitmentStatusOverride>", "terminated"),
    ],
)
def test_the_status_of_isrctn_follows_from_its_dates_and_stops(day: str, more: str, status: RecruitmentStatus):
    reader, record = READERS["isrctn"], isrctn(day, more)
    found = trial_of("isrctn", read(record).reading)
    assert found.status == status
    assert {(one.type, one.value) for one in found.identifiers} == {
        ("isrctn", "ISRCTN12345678"), ("eudract", "2012-000695-42"), ("utn", "U1111-1234-5678"),
    }  # fmt: skip
    assert (reader.source_id(record), reader.dated(record)) == ("ISRCTN12345678", "2025-02-03")
    assert (found.sponsor.name, found.countries, found.eligibility.maximum_age) == ("Généthon", ["FR"], "P17Y")
    assert found.summary.en == "Aims: to treat."
    assert "DUPONT" not in json.dumps(record)


def test_a_record_of_isrctn_counts_as_changed_when_its_status_is():
    reader = READERS["isrctn"]
    early, late, over = (reader.parts(isrctn(day)) for day in ("2025-02-01", "2025-03-01", "2026-07-01"))
    assert early == late != over


def test_without_the_day_of_retrieval_no_date_of_isrctn_says_that_a_trial_recruits():
    record = {name: value for name, value in isrctn("2025-02-01").items() if name != "retrieved"}
    assert read(record).reading.values["status"] == "unknown"


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{("&" + chr(97 + n) + ";") * 10}">' for n in range(9)
)


@pytest.mark.parametrize(
    "document",
    [
        BOMB + "]><allTrials>&j;</allTrials>",
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><allTrials/>',
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><allTrials><fullTrial>&e;</fullTrial></allTrials>',
        "<allTrials>" + "<a>" * 100 + "</a>" * 100 + "</allTrials>",
        "<allTrials><fullTrial></allTrials>",
        "not XML",
        "",
        '<?xml version="1.0" encoding="x-unknown"?><allTrials/>',
    ],
)
def test_xml_with_entities_or_too_deep_is_refused(document):
    with pytest.raises(InvalidStudyError):
        list(isrctn_record.records(document.encode(), "2025-01-01"))
