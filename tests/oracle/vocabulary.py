"""The codes, tables, units, scales and windows of the generated documents and patients."""

import json
from datetime import date
from fractions import Fraction
from pathlib import Path

TERMINOLOGY = {
    "ORPHA:100": {},
    "ORPHA:110": {"parents": ["ORPHA:100", "ICD10:G71.0"], "same_as": ["MONDO:110"]},
    "ORPHA:111": {"parents": ["ORPHA:110"]},
    "ORPHA:112": {"parents": ["ORPHA:110"]},
    "ORPHA:200": {"exclusive_with": ["ORPHA:110"]},
    "ORPHA:300": {},
    "MONDO:110": {"same_as": ["ORPHA:110"]},
    "MONDO:1111": {"parents": ["MONDO:110"]},
    "HP:0003236": {},
    "ICD10:G71": {},
    "ICD10:G71.0": {"parents": ["ICD10:G71"]},
    "ICD10:G71.1": {"parents": ["ICD10:G71"]},
    # states of a patient
    "CLEIO:hiv-positive": {"state": "permanent", "covers": ["ICD10"]},
    "ICD10:B20": {"parents": ["CLEIO:hiv-positive"]},
    "CLEIO:hcv-infection": {"state": "persists", "covers": ["ICD10"]},
    "ICD10:B18": {},
    "ICD10:B18.2": {"parents": ["ICD10:B18", "CLEIO:hcv-infection"]},
    "CLEIO:hcv-rna-positive": {"state": "persists", "parents": ["CLEIO:hcv-infection"]},
    "CLEIO:acute-infection": {"state": "passing", "longest": "P21D", "parents": ["CLEIO:any-infection"]},
    "CLEIO:any-infection": {},
    "ICD10:J18": {"parents": ["CLEIO:acute-infection"]},
    "ICD10:J18.9": {"parents": ["ICD10:J18"]},
    "CLEIO:pregnancy": {"state": "passing", "longest": "P42W"},
    "ICD10:O26": {"parents": ["CLEIO:pregnancy"]},
    "CLEIO:malignancy": {"state": "permanent", "covers": ["ICD10"]},
    "ICD10:C22": {"parents": ["CLEIO:malignancy"]},
    "ICD10:C22.0": {"parents": ["ICD10:C22"]},
    "CLEIO:stroke": {"state": "event"},
    "ICD10:I63": {"parents": ["CLEIO:stroke"]},
    "ICD10:I10": {},
    "CLEIO:autoimmune": {"state": "persists"},
    "ORPHA:536": {"parents": ["CLEIO:autoimmune"]},
    # tests of them
    "LOINC:7917-8": {"shows": {"CLEIO:hiv-positive": (True, True)}},
    "LOINC:25836-8": {"shows": {"CLEIO:hiv-positive": (True, False)}},
    "LOINC:11259-9": {"shows": {"CLEIO:hcv-infection": (True, True), "CLEIO:hcv-rna-positive": (True, True)}},
    "LOINC:16128-1": {"shows": {"CLEIO:hcv-infection": (False, True)}},
    "LOINC:2106-3": {"shows": {"CLEIO:pregnancy": (True, True)}},
    # procedures, products, events
    "CLEIO:transplant": {"state": "event"},
    "CLEIO:prior-allogeneic-hsct": {"state": "event", "parents": ["CLEIO:transplant"]},
    "CLEIO:gene_therapy": {"state": "event"},
    "ATC:M09AX09": {"parents": ["CLEIO:gene_therapy"]},
    "CLEIO:blood-transfusion": {},
    "CLEIO:vaccine": {},
    "CLEIO:live_vaccine": {"parents": ["CLEIO:vaccine"]},
    "CLEIO:yellow_fever_vaccine": {"parents": ["CLEIO:live_vaccine"]},
    "ATC:J06BA": {},
    "ATC:J06BA02": {"parents": ["ATC:J06BA"]},
    "CLEIO:b-cell-depletion": {"covers": ["ATC"]},
    "ATC:L01FA": {},
    "ATC:L01FA01": {"parents": ["ATC:L01FA", "CLEIO:b-cell-depletion"]},
    "CLEIO:rituximab-of-a-hospital": {"parents": ["ATC:L01FA01"]},
    "ATC:L04AG": {},
    "ATC:L04AG08": {"parents": ["ATC:L04AG", "CLEIO:b-cell-depletion"]},
    "ATC:L04AL": {},
    "ATC:L04AL01": {"parents": ["ATC:L04AL"]},
    "ATC:L04AX": {},
    "ATC:L04AX03": {"parents": ["ATC:L04AX"]},
    "ATC:L04AX99": {"parents": ["ATC:L04AX"]},  # no half-life is known
    "CLEIO:crisis": {},
    "CLEIO:severe_crisis": {"parents": ["CLEIO:crisis"]},
    "CLEIO:chest_syndrome": {"parents": ["CLEIO:severe_crisis"]},
    "ATC:H02": {},
    "ATC:H02A": {"parents": ["ATC:H02"]},
    "ATC:H02AB": {"parents": ["ATC:H02A"]},
    "ATC:H02AB04": {"parents": ["ATC:H02AB"]},
    "ATC:H02AB06": {"parents": ["ATC:H02AB"]},
    "ATC:H02AB07": {"parents": ["ATC:H02AB"]},
    "ATC:H02AB09": {"parents": ["ATC:H02AB"]},
    "ATC:H02AB13": {"parents": ["ATC:H02AB"]},
    "ATC:H02AB18": {"parents": ["ATC:H02AB"]},
    "ATC:B01": {},
    # measurements
    "LOINC:1742-6": {},
    "LOINC:777-3": {},
    "LOINC:718-7": {},
    "LOINC:4625-0": {},
    "LOINC:19868-9": {},
    "LOINC:98979-8": {},
    "CLEIO:anti-aav9": {},
    "CLEIO:mgfa": {},
    "CLEIO:ecog": {},
    "CLEIO:mrss": {},
    "CLEIO:mg-adl": {},
    "CLEIO:mg-adl-ocular": {},
    "CLEIO:body-weight": {"same_as": ["LOINC:29463-7"]},
    "LOINC:29463-7": {},
    "CLEIO:body-height": {"same_as": ["LOINC:8302-2"]},
    "LOINC:8302-2": {},
    "CLEIO:body-mass-index": {},
    "CLEIO:creatinine": {},
    "LOINC:14682-9": {"parents": ["CLEIO:creatinine"]},
    "LOINC:50384-7": {},
    # criteria of systemic sclerosis
    "CLEIO:acr-eular-2013-ssc": {},
    "CLEIO:ssc-skin-beyond-mcp": {"covers": ["ICD10", "HP"]},
    "HP:0011838": {"parents": ["HP:0000001"]},
    "HP:0000001": {},
    "CLEIO:puffy-fingers": {"covers": ["ICD10", "HP"]},
    "HP:0031293": {},
    "HP:0031917": {},
    "HP:0001009": {},
    "CLEIO:abnormal-nailfold-capillaries": {"covers": ["ICD10", "HP"]},
    "HP:0033250": {"parents": ["CLEIO:abnormal-nailfold-capillaries"]},
    "HP:0002092": {},
    "HP:0006530": {},
    "HP:0030880": {},
    "HP:0030873": {},
    "HP:0030859": {},
    "HP:0033038": {},
}
# Codes that no table and no hierarchy understands: a rare disease, and codes of a hospital, which may be anything.
NOT_UNDERSTOOD = ["ORPHA:999999", "LOCAL:H17", "LOCAL:X1"]
# Codes in a domain that mostly cannot be what is asked: of another kind, or placed elsewhere.
ELSEWHERE = {
    "conditions": ["ICD10:I10", "ICD10:G71.1", "HP:0003236", "LOINC:718-7", "CLEIO:mgfa", "ORPHA:536", "ATC:B01"],
    "medications": ["ATC:B01", "ATC:J06BA", "ORPHA:300"],
    "procedures": ["CLEIO:blood-transfusion", "ICD10:I10"],
}
INVALIDATED = [
    {"results": ["LOINC:4625-0"], "after": ["CLEIO:blood-transfusion"], "within": "P120D"},
    {"results": ["LOINC:4625-0"], "after": ["CLEIO:prior-allogeneic-hsct"]},
    {"variants": True, "after": ["CLEIO:prior-allogeneic-hsct"]},
    {
        "results": ["LOINC:7917-8", "LOINC:16128-1", "CLEIO:anti-aav9"],
        "positive_only": True,
        "after": ["ATC:J06BA"],
        "within": "P6M",
    },
    {"results": ["LOINC:7917-8", "LOINC:16128-1"], "positive_only": True, "younger_than": "P18M"},
    {"results": ["CLEIO:anti-aav9"], "positive_only": True, "younger_than": "P12M"},
]
REFERENCE_TRANSCRIPTS = {"ARSA": "NM_000487", "DMD": "NM_004006", "HBB": "NM_000518"}  # none for the others
EQUIVALENTS = {  # prednisone that one unit is worth
    "ATC:H02AB04": "5/4",
    "ATC:H02AB06": 1,
    "ATC:H02AB07": 1,
    "ATC:H02AB09": None,
    "ATC:H02AB13": "5/6",
    "ATC:H02AB18": None,
}
DATA = Path(__file__).parents[2] / "shared" / "terminology" / "data"
HALF_LIVES = {one["code"]: Fraction(str(one["days"])) for one in json.loads((DATA / "half_lives.json").read_text())}
EXON_LENGTHS = {one["exon"]: one["length"] for one in json.loads((DATA / "dmd_exons.json").read_text())}
SCORES = {
    "CLEIO:acr-eular-2013-ssc": [
        [(["CLEIO:ssc-skin-beyond-mcp"], 9), (["HP:0011838"], 4), (["CLEIO:puffy-fingers"], 2)],
        [(["HP:0031293"], 3), (["HP:0031917"], 2)],
        [(["HP:0001009"], 2)],
        [(["CLEIO:abnormal-nailfold-capillaries"], 2)],
        [(["HP:0002092"], 2), (["HP:0006530"], 2)],
        [(["HP:0030880"], 3)],
        [(["HP:0030873"], 3), (["HP:0030859"], 3), (["HP:0033038"], 3)],
    ]
}
# A family of codes: how criteria ask for it, how facts record it, and the domain that may be complete for it.
FAMILIES = [
    (["ORPHA:110"], "condition", "conditions"),
    (["ORPHA:111"], "condition", "conditions"),
    (["MONDO:110", "ORPHA:300"], "condition", "conditions"),
    (["ORPHA:200"], "condition", "conditions"),
    (["CLEIO:hiv-positive"], "condition", "conditions"),
    (["CLEIO:hiv-positive"], "observation", "observations"),
    (["CLEIO:hcv-infection"], "condition", "conditions"),
    (["CLEIO:hcv-infection"], "observation", "conditions"),
    (["CLEIO:acute-infection"], "condition", "conditions"),
    (["CLEIO:pregnancy"], "observation", "conditions"),
    (["CLEIO:pregnancy", "CLEIO:hcv-infection"], "condition", "conditions"),
    (["CLEIO:hcv-infection", "CLEIO:hiv-positive"], "condition", "conditions"),
    (["CLEIO:malignancy"], "condition", "conditions"),
    (["CLEIO:stroke"], "condition", "conditions"),
    (["CLEIO:autoimmune"], "condition", "conditions"),
    (["CLEIO:transplant"], "procedure", "procedures"),
    (["CLEIO:gene_therapy"], "procedure", "procedures"),
    (["CLEIO:gene_therapy"], "medication", "medications"),
    (["CLEIO:gene_therapy", "CLEIO:prior-allogeneic-hsct"], "procedure", "procedures"),
    (["CLEIO:live_vaccine"], "immunization", "immunizations"),
    (["ATC:H02AB"], "medication", "medications"),
]
# The same of `washout` and of `since`.
MEDICINES = [
    (["CLEIO:b-cell-depletion"], "medication", "medications"),
    (["ATC:L01FA01"], "medication", "medications"),
    (["ATC:L04AX03"], "medication", "medications"),
    (["ATC:L04AX"], "medication", "medications"),
    (["ATC:L04AL01", "ATC:J06BA"], "medication", "medications"),
    (["ATC:J06BA"], "medication", "immunizations"),
    (["ATC:H02AB"], "medication", "medications"),
    (["CLEIO:gene_therapy"], "medication", "medications"),
    (["CLEIO:blood-transfusion"], "procedure", "procedures"),
    (["CLEIO:live_vaccine"], "immunization", "immunizations"),
]
EVENTS = [
    (["HP:0030880", "HP:0001009"], "condition", "conditions"),
    (["CLEIO:severe_crisis"], "event", "encounters"),
    (["CLEIO:stroke", "ORPHA:110"], "condition", "conditions"),
    *(one for one in FAMILIES if one[1] != "medication"),
]
RELATED = {
    "ORPHA:110": ["MONDO:110", "ORPHA:111", "ORPHA:112", "ORPHA:100", "ORPHA:200", "MONDO:1111", "ICD10:G71.0"],
    "MONDO:110": ["ORPHA:110", "ORPHA:111", "ORPHA:100", "MONDO:1111", "ICD10:G71.1"],
    "ORPHA:111": ["ORPHA:110", "MONDO:110", "ORPHA:100", "ORPHA:112", "ORPHA:200", "ICD10:G71", "ICD10:G71.1"],
    "ORPHA:300": ["ORPHA:100", "HP:0003236", "ICD10:I10"],
    "ORPHA:200": ["ORPHA:110", "ORPHA:111", "MONDO:1111", "ORPHA:100", "HP:0003236"],
    "CLEIO:hiv-positive": ["ICD10:B20", "ICD10:I10", "CLEIO:hcv-infection"],
    "CLEIO:hcv-infection": ["ICD10:B18", "ICD10:B18.2", "ICD10:I10"],
    "CLEIO:acute-infection": ["ICD10:J18", "ICD10:J18.9", "CLEIO:any-infection", "ICD10:I10"],
    "CLEIO:pregnancy": ["ICD10:O26"],
    "CLEIO:malignancy": ["ICD10:C22", "ICD10:C22.0", "ICD10:I10"],
    "CLEIO:stroke": ["ICD10:I63", "ICD10:I10"],
    "CLEIO:autoimmune": ["ORPHA:536", "ICD10:I10"],
    "CLEIO:transplant": ["CLEIO:prior-allogeneic-hsct"],
    "CLEIO:prior-allogeneic-hsct": ["CLEIO:transplant"],
    "CLEIO:gene_therapy": ["CLEIO:transplant", "ATC:M09AX09"],
    "CLEIO:live_vaccine": ["CLEIO:vaccine", "CLEIO:yellow_fever_vaccine"],
    "ATC:H02AB": ["ATC:H02", "ATC:H02AB06", "ATC:H02AB07", "ATC:B01"],
    "ATC:H02AB07": ["ATC:H02AB", "ATC:H02AB07", "ATC:H02AB07", "ATC:H02AB06"],
    "CLEIO:severe_crisis": ["CLEIO:crisis", "CLEIO:chest_syndrome"],
    "CLEIO:b-cell-depletion": ["ATC:L01FA01", "ATC:L04AG08", "CLEIO:rituximab-of-a-hospital", "ATC:L01FA"],
    "ATC:L01FA01": ["ATC:L01FA", "CLEIO:rituximab-of-a-hospital", "CLEIO:b-cell-depletion", "ATC:L04AG08"],
    "ATC:L04AX03": ["ATC:L04AX", "ATC:L04AX99"],
    "ATC:L04AX": ["ATC:L04AX03", "ATC:L04AX99", "ATC:L04AX99"],
    "ATC:L04AL01": ["ATC:L04AL"],
    "ATC:J06BA": ["ATC:J06BA02", "ATC:L04AL01"],
    "HP:0011838": ["HP:0000001"],
    "CLEIO:abnormal-nailfold-capillaries": ["HP:0033250"],
    "CLEIO:body-weight": ["LOINC:29463-7"],
    "CLEIO:body-height": ["LOINC:8302-2"],
    "CLEIO:creatinine": ["LOINC:14682-9"],
}
# Tests that show the concept, or show only part of it.
TESTS = {
    "CLEIO:hiv-positive": ["LOINC:7917-8", "LOINC:25836-8"],
    "CLEIO:hcv-infection": ["LOINC:11259-9", "LOINC:16128-1"],
    "CLEIO:pregnancy": ["LOINC:2106-3"],
}
RESULTS = {"present": ["positive", "Detected", "reactive"], "absent": ["negative", "non-reactive", "Absent"]}
AS_OF = [
    date(2025, 11, 22),
    date(2024, 2, 29),
    date(2024, 8, 31),
    date(2025, 1, 31),
    date(2025, 2, 28),
    date(2026, 3, 1),
    date(2025, 12, 31),
]
WINDOWS = ["P7D", "P30D", "P4W", "P12W", "P1M", "P3M", "P6M", "P1Y", "P1Y6M", "P2Y", "P310D"]
LABEL = {"fr": "Critère", "en": "Criterion"}
VALUES = [  # codes, leaf's unit, bound, unit of the fact and its factor
    (["LOINC:777-3"], "10*9/L", 50, [("10*9/L", 1), ("10*3/uL", 1), ("/uL", 1000), ("g/L", 1), (None, 1)]),
    (["LOINC:4625-0"], "%", 30, [("%", 1), ("g/L", 1)]),
    (["LOINC:718-7"], "g/L", 90, [("g/L", 1), ("g/dL", 0.1), ("%", 1)]),
    (["LOINC:1742-6"], "U/L", 120, [("U/L", 1), ("ukat/L", None), ("mg/dL", 1)]),
    (["LOINC:98979-8"], None, 17, [(None, 1), ("1", 1), ("{score}", 1), ("g/L", 1)]),
]
CHANGES = [  # codes, leaf's unit, bound of a rise, usual value, units of facts and their factors
    (["CLEIO:mrss"], None, 3, 20, [(None, 1), ("1", 1), ("{score}", 1), ("g/L", 1)]),
    (["LOINC:718-7"], "g/L", 20, 100, [("g/L", 1), ("g/dL", 0.1), ("%", 1), (None, 1)]),
    (["LOINC:4625-0"], "%", 10, 40, [("%", 1), ("1", 0.01), (None, 1)]),
    (["CLEIO:creatinine"], "umol/L", 30, 60, [("umol/L", 1), ("mg/dL", None), ("mg/dL", None)]),
]
RATIOS = [  # numerator, denominator, bound, usual denominator, units of numerators and of denominators
    (["CLEIO:mg-adl-ocular"], ["CLEIO:mg-adl"], 0.5, 8, [(None, 1), ("1", 1), ("{score}", 1)]),
    (["LOINC:4625-0"], ["LOINC:718-7"], 0.4, 100, [("g/L", 1), ("g/dL", 0.1), (None, 1), ("mmol/L", 1)]),
]
FORMULAS = {  # formula: bounds that the numbers below meet exactly
    "bmi": [16, 25, 20.5],
    "bsa_mosteller": [2, 1.5, 1],
    "egfr_ckd_epi_2021": [60, 90, 105.58331],
    "egfr_schwartz_2009": [60, 90, 82.6],
}
INPUTS = {  # numbers, and the units of facts with their factors
    "CLEIO:body-weight": ([36, 64, 100, 20.25, 41, 82], [("kg", 1), ("kg", 1), ("g", 1000), ("cm", 1), (None, 1)]),
    "CLEIO:body-height": ([100, 150, 160, 200, 144], [("cm", 1), ("m", 0.01), ("kg", 1), (None, 1)]),
    "CLEIO:creatinine": ([0.413, 0.5, 0.7, 0.9, 1, 1.5], [("mg/dL", 1), ("umol/L", None), ("mmol/L", 1), (None, 1)]),
}
SCALES = {
    "CLEIO:mgfa": {
        "levels": ["I", "IIa", "IIb", "IIIa", "IIIb", "IVa", "IVb", "V"],
        "groups": {
            "II": ["IIa", "IIb"],
            "III": ["IIIa", "IIIb"],
            "IV": ["IVa", "IVb"],
            "2a": ["IIa"],
            "3": ["IIIa", "IIIb"],
        },
    },
    "CLEIO:ecog": {"levels": ["0", "1", "2", "3", "4"]},
}
KNOWLEDGE = {
    "invalidated": INVALIDATED,
    "reference_transcripts": REFERENCE_TRANSCRIPTS,
    "equivalents": EQUIVALENTS,
    "scales": SCALES,
    "half_lives": HALF_LIVES,
    "exon_lengths": EXON_LENGTHS,
    "scores": SCORES,
}
