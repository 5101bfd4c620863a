"""Bodies within the limits that cost a service the most: for each kind of work, as much as a body can cause."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

MATCH = "/matching/v1/match?synthetic=true&horizon=P20Y&limit=200"
DRY_RUN = "/matching/v1/criteria/dry-run?synthetic=true&horizon=P20Y"
CHECK = "/matching/v1/criteria/check"
CRITERIA = "/registry/v1/trials/NCT05096221/criteria"
TRIAL = "/registry/v1/trials/NCT05096221"
SUBSCRIPTIONS = "/notifications/v1/subscriptions"
KIB = 1024

Object = dict[str, Any]


def day(number: int) -> str:
    return f"{2005 + number // 336}-{1 + number // 28 % 12:02}-{1 + number % 28:02}"


def from_today(days: int) -> str:
    """Return the day so many days after the day of the match."""
    return (date(2026, 6, 1) + timedelta(days=days)).isoformat()


def patient(facts: list[Object], **more: Any) -> Object:
    return {"as_of": "2026-06-01", "birth_date": "2004-05-01", "sex": "male", "place": "62", "facts": facts, **more}


def measurements(count: int) -> list[Object]:
    codes = ["CLEIO:nsaa-total", "LOINC:10230-1", "LOINC:718-7", "LOINC:4548-4"]
    return [
        {
            "id": f"m{n}",
            "kind": "observation",
            "codes": [codes[n % 4]],
            "value": n % 40,
            "unit": "g/dL",
            "date": day(n),
            "ref_low": 1,
            "ref_high": 9,
        }
        for n in range(count)
    ]


def exposures(count: int) -> list[Object]:
    return [
        {
            "id": f"e{n}",
            "kind": "medication",
            "codes": ["ATC:H02AB07"],
            "start": day(n * 7),
            "end": day(n * 7 + 5),
            "dose": {"value": n % 9 + 0.5, "unit": "mg/d"},
        }
        for n in range(count)
    ]


def conditions(count: int) -> list[Object]:
    return [
        {"id": f"c{n}", "kind": "condition", "codes": ["ORPHA:98896", "ORPHA:232"], "date": day(n)}
        for n in range(count)
    ]


def planned(count: int, *codes: str, **more: Any) -> list[Object]:
    """Treatments that each began on another day and end on another day: each day may change an answer."""
    return [
        {
            "id": f"p{n}",
            "kind": "medication",
            "codes": list(codes),
            "start": from_today(-n - 1),
            "end": from_today(5 * n + 3),
            **more,
        }
        for n in range(count)
    ]


def apart(count: int) -> list[Object]:
    """Treatments of one day each, with different doses, so that none can be joined."""
    return [
        {
            "id": f"a{n}",
            "kind": "medication",
            "codes": ["ATC:H02AB07"],
            "start": from_today(-3 * n - 1),
            "end": from_today(-3 * n - 1),
            "dose": {"value": n + 0.5, "unit": "mg/d"},
        }
        for n in range(count)
    ]


def patient_for_every_trial(facts: list[Object]) -> Object:
    """A patient with the indication of every trial of the sample."""
    codes = ["275752", "98896", "220393", "221", "589", "70", "906", "276", "90291", "98878", "83330"]
    known = [
        {"id": f"i{code}", "kind": "condition", "status": "unconfirmed", "codes": [f"ORPHA:{code}"]} for code in codes
    ]
    return {**patient([*known, *facts]), "birth_date": "2018-05-01"}


def said_and_denied(count: int) -> list[Object]:
    codes = ["CLEIO:hiv-positive", "CLEIO:hbsag-positive", "CLEIO:hcv-rna-positive"]
    states = ("absent", "present")
    return [
        {"id": f"s{n}", "kind": "condition", "status": states[n % 2], "date": from_today(-(n // 2)), "codes": codes}
        for n in range(count)
    ]


def results_without_a_day(count: int) -> list[Object]:
    codes = ["LOINC:10230-1", "LOINC:1742-6", "CLEIO:platelets"]
    return [
        {
            "id": f"r{n}",
            "kind": "observation",
            "codes": codes,
            "start": from_today(-n - 1)[:7],
            "end": from_today(5 * n + 3),
            "value": 5,
        }
        for n in range(count)
    ]


def variants(count: int) -> list[Object]:
    genes = ("DMD", "SMN1", "HBB", "F8")
    return [
        {"id": f"v{n}", "kind": "variant", "variant": {"gene": genes[n % 4], "type": "deletion"}} for n in range(count)
    ]


def phenopacket(features: int, **more: Any) -> Object:
    return {
        "id": "p",
        "subject": {"id": "s", "sex": "MALE", "timeAtLastEncounter": {"age": {"iso8601duration": "P8Y"}}},
        "phenotypicFeatures": [
            {
                "type": {"id": f"HP:{n % 9999:07}", "label": "x" * 20},
                "onset": {"age": {"iso8601duration": "P3Y"}},
                **more,
            }
            for n in range(features)
        ],
        "metaData": {"created": "2026-05-01T00:00:00Z", "phenopacketSchemaVersion": "2.0"},
    }


def bundle(results: int) -> Object:
    """Return a FHIR Bundle of results that each have another code and another unit, none of which is known."""

    def result(n: int) -> Object:
        code = {"coding": [{"system": f"http://hospital.example/{n}", "code": f"{n}"}]}
        value = {"value": n, "unit": f"u{n}/L"}
        limits = [{"low": value, "high": value, "age": {"low": {"value": n % 80, "code": "a"}}}]
        own = {"status": "final", "effectiveDateTime": from_today(-n), "valueQuantity": value}
        return {"resourceType": "Observation", "code": code, **own, "referenceRange": limits}

    person = {"resourceType": "Patient", "id": "p", "birthDate": "2000-01-01"}
    resources = [person, *(result(n) for n in range(results))]
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


LEAVES: list[Object] = [
    {"type": "value", "codes": ["CLEIO:nsaa-total"], "op": ">", "value": 16, "within": "P3M"},
    {"type": "stable", "codes": ["ATC:H02AB07"], "for": "P12W"},
    {"type": "has", "codes": ["ORPHA:98896"], "within": "P6M"},
    {"type": "count", "codes": ["ATC:H02AB07"], "op": ">=", "value": 3, "within": "P5Y"},
    {"type": "age", "min": "P4Y", "max": "P80Y"},
]


def nested(depth: int, number: int) -> Object:
    leaf = LEAVES[number % len(LEAVES)]
    return leaf if depth == 1 else {("all", "any")[depth % 2]: [nested(depth - 1, number)]}


def document(criteria: list[Object], **more: Any) -> Object:
    signed = {
        "authored_by": "A",
        "signed_by": "B",
        "signed_by_rpps": "10001234565",
        "signed_at": "2026-01-01T00:00:00Z",
        "source_version": "protocol 1.0",
        "grade": "signed",
    }
    indication = {"id": "I", "kind": "include", "role": "indication", "expr": {"type": "has", "codes": ["ORPHA:98896"]}}
    return {"trial": "NCT05096221", **signed, "criteria": [indication, *criteria], **more}


def wide() -> Object:
    """499 leaves beside the indication, each a criterion with text."""
    label = {"fr": "é" * 60, "en": "e" * 60}
    return document(
        [{"id": f"C{n}", "kind": "include", "expr": LEAVES[n % len(LEAVES)], "text": label} for n in range(499)]
    )


def deep() -> Object:
    """As deep as allowed, as often as the number of values allows."""
    return document([{"id": f"C{n}", "kind": ("include", "exclude")[n % 2], "expr": nested(12, n)} for n in range(220)])


def in_one() -> Object:
    groups = [{"any": [LEAVES[n % len(LEAVES)] for n in range(99)]} for _ in range(5)]
    return document([{"id": "C", "kind": "include", "expr": {"all": groups}}])


def each(leaf: Callable[[int], Object], count: int = 499, **more: Any) -> Object:
    """Leaves of which no two are equal."""
    return document([{"id": f"C{n}", "kind": "include", "expr": leaf(n)} for n in range(count)], **more)


def of_treatment(kind: str, **more: Any) -> Object:
    return {"type": kind, "codes": ["ATC:H02AB07"], **more}


def of_score(number: int, **more: Any) -> Object:
    return {"type": "value", "codes": ["CLEIO:nsaa-total"], "op": ">", "value": number, "unit": "g/L", **more}


def spoilt(number: int) -> Object:
    return of_score(number, pick="any", not_after=[{"codes": ["ATC:H02AB07"], "for": f"P{number + 1}D"}])


def in_parts(number: int) -> Object:
    return of_treatment(
        "count", op=">=", value=1, within=f"P{(number + 1) * 100}D", each=f"P{number + 1}D", domain="medications"
    )


def lasting(number: int) -> Object:
    return of_treatment("has", within=f"P{number + 1}D", where={"duration": f"P{number + 1}D"})


def declared(count: int) -> list[Object]:
    return [
        {"domain": "medications", "from": from_today(-3 * n - 1), "to": from_today(-3 * n - 1)} for n in range(count)
    ]


def of_values(count: int) -> Object:
    return {f"k{n}": n for n in range(count)}


def dry_run(criteria: Object, who: Object) -> tuple[str, str, str, Any]:
    return "matching", "POST", DRY_RUN, {"criteria": criteria, "patient": who}


def match(body: Object) -> tuple[str, str, str, Any]:
    return "matching", "POST", MATCH, body


COHORTS = [{"id": f"k{n}", "label": {"fr": "a", "en": "a"}} for n in range(100)]
SCORES = [
    {"id": f"o{n}", "kind": "observation", "codes": ["CLEIO:nsaa-total"], "value": n % 40 + 0.5, "date": from_today(-n)}
    for n in range(990)
]

BODIES: dict[str, tuple[str, str, str, Any]] = {
    "match, 900 measurements": match(patient(measurements(900))),
    "match, 900 exposures": match(patient(exposures(900))),
    "match, 999 diagnoses": match(patient(conditions(999))),
    "match, a third of each": match(patient([*measurements(300), *exposures(300), *conditions(300)])),
    "match, all trials, 980 infections to come": match(
        patient_for_every_trial(planned(980, "CLEIO:hiv-positive", "CLEIO:active-infection", "CLEIO:pregnancy"))
    ),
    "match, all trials, 980 treatments": match(
        patient_for_every_trial(planned(980, "CLEIO:oral-glucocorticoid", "CLEIO:nonsteroid-immunosuppressant"))
    ),
    "match, all trials, 980 crises": match(
        patient_for_every_trial(planned(980, "CLEIO:severe-voc", "CLEIO:voc-hospitalised"))
    ),
    "match, all trials, 980 said and denied": match(patient_for_every_trial(said_and_denied(980))),
    "match, all trials, 980 results without a day": match(patient_for_every_trial(results_without_a_day(980))),
    "match, all trials, 980 variants": match(patient_for_every_trial(variants(980))),
    "match, phenopacket of 990 findings": match(phenopacket(990)),
    "match, phenopacket of 990 excluded findings": match(phenopacket(990, excluded=True)),
    "match, bundle of 990 results": match(bundle(990)),
    "match, 9,990 unknown fields": match(of_values(9_990)),
    "match, 990 faulty facts": match(patient([{"id": 7, "kind": "x", "a": 1, "b": 2, "c": 3} for _ in range(990)])),
    "match, 240 KiB of one letter": match({"a": "a" * 240 * KIB}),
    "match, 240 KiB of digits": match({"a": "1" * 240 * KIB}),
    "match, 240 KiB of spaced digits": match({"a": "1 " * 120 * KIB}),
    "match, 240 KiB of numbers with a wrong key": match({"a": "101017512345600 " * 15 * KIB}),
    "match, 240 KiB of half addresses": match({"a": "a@a." * 60 * KIB}),
    "match, 240 KiB of signs": match({"a": "@" * 240 * KIB}),
    "match, 240 KiB of dots": match({"a": "x@" + "a." * 119 * KIB}),
    "match, 240 KiB of empty lists": match({"a": [[]] * 60 * KIB}),
    "check, 500 leaves side by side": ("matching", "POST", CHECK, wide()),
    "check, 12 deep": ("matching", "POST", CHECK, deep()),
    "check, 495 leaves in one": ("matching", "POST", CHECK, in_one()),
    "check, 9,990 unknown fields": ("matching", "POST", CHECK, of_values(9_990)),
    "check, 9,000 codes": (
        "matching",
        "POST",
        CHECK,
        each(lambda n: {"type": "has", "codes": [f"ORPHA:{n}{m}" for m in range(195)]}, 45),
    ),
    "check, 1 MiB of ones": ("matching", "POST", CHECK, {"a": [1] * 330 * KIB}),
    "check, 1 MiB of empty objects": ("matching", "POST", CHECK, {"a": [{}] * 240 * KIB}),
    "dry run, 500 leaves, 900 measurements": dry_run(wide(), patient(measurements(900))),
    "dry run, 500 leaves, 900 exposures": dry_run(wide(), patient(exposures(900))),
    "dry run, 12 deep, a third of each": dry_run(
        deep(), patient([*measurements(300), *exposures(300), *conditions(300)])
    ),
    "dry run, 499 windows, 990 treatments": dry_run(
        each(lambda n: of_treatment("has", within=f"P{n + 1}D")), patient(planned(990, "ATC:H02AB07"))
    ),
    "dry run, 499 durations, 990 treatments": dry_run(each(lasting), patient(planned(990, "ATC:H02AB07"))),
    "dry run, 499 doses, 900 treatments": dry_run(
        each(lambda n: of_treatment("stable", max=n + 5, unit="mg/d", **{"for": f"P{n + 1}D"})), patient(apart(900))
    ),
    "dry run, 50 doses, 900 treatments": dry_run(
        each(lambda n: of_treatment("stable", max=n + 5, unit="mg/d", **{"for": f"P{n + 1}D"}), 50),
        patient(apart(900)),
    ),
    "dry run, 49,900 parts of counts": dry_run(each(in_parts), patient(apart(900), domains_complete=declared(100))),
    "dry run, 499 bounds, 990 results": dry_run(
        each(lambda n: of_score(n, within=f"P{n + 1}D", pick="any")), patient(SCORES)
    ),
    "dry run, 300 spoilers, 450 results, 450 treatments": dry_run(
        each(spoilt, 300), patient([*SCORES[:450], *planned(450, "ATC:H02AB07")])
    ),
    "dry run, 100 cohorts of 480 leaves": dry_run(
        each(lambda n: {"type": "has", "codes": ["ORPHA:232"], "within": f"P{n + 1}M"}, 480, cohorts=COHORTS),
        patient(conditions(900)),
    ),
    "put criteria, 500 leaves side by side": ("registry", "PUT", CRITERIA, wide()),
    "put criteria, 12 deep": ("registry", "PUT", CRITERIA, deep()),
    "patch a trial, 900 KiB": (
        "registry",
        "PATCH",
        TRIAL,
        {"eligibility": {"text": {"en": "word " * 9_000, "fr": "mot " * 10_000}}},
    ),
    "patch a trial, 900 places and partners": (
        "registry",
        "PATCH",
        TRIAL,
        {
            "collaborators": [f"partner {n} " + "a" * 80 for n in range(900)],
            "locations": [{"facility": f"place {n} " + "a" * 80, "city": "Lille", "country": "FR"} for n in range(900)],
        },
    ),
    "patch a trial, 9,990 unknown fields": ("registry", "PATCH", TRIAL, of_values(9_990)),
    "subscribe, all filters full": (
        "notifications",
        "POST",
        SUBSCRIPTIONS,
        {
            "channel": {"type": "webhook", "url": "https://192.0.2.1/" + "a" * 1_900},
            "filter": {"trial": [f"NCT{n:08}" for n in range(100)], "condition": [f"ORPHA:{n}" for n in range(50)]},
        },
    ),
}
