"""The codes, units, scales and windows of the generated documents and patients."""

from datetime import date

TERMINOLOGY = {
    "ORPHA:100": {},
    "ORPHA:110": {"parents": ["ORPHA:100"], "same_as": ["MONDO:110"]},
    "ORPHA:111": {"parents": ["ORPHA:110"]},
    "ORPHA:112": {"parents": ["ORPHA:110"]},
    "ORPHA:200": {"exclusive_with": ["ORPHA:110"]},
    "ORPHA:300": {},
    "MONDO:110": {"same_as": ["ORPHA:110"]},
    "MONDO:1111": {"parents": ["MONDO:110"]},
    "CLEIO:transplant": {},
    "CLEIO:allogeneic_transplant": {"parents": ["CLEIO:transplant"]},
    "CLEIO:gene_therapy": {},
    "CLEIO:transfusion": {},
    "CLEIO:vaccine": {},
    "CLEIO:live_vaccine": {"parents": ["CLEIO:vaccine"]},
    "CLEIO:yellow_fever_vaccine": {"parents": ["CLEIO:live_vaccine"]},
    "CLEIO:infection": {},
    "CLEIO:hiv": {"parents": ["CLEIO:infection"]},
    "CLEIO:crisis": {},
    "CLEIO:severe_crisis": {"parents": ["CLEIO:crisis"]},
    "CLEIO:chest_syndrome": {"parents": ["CLEIO:severe_crisis"]},
    "ATC:H02": {},
    "ATC:H02AB": {"parents": ["ATC:H02"]},
    "ATC:H02AB06": {"parents": ["ATC:H02AB"]},
    "ATC:H02AB07": {"parents": ["ATC:H02AB"]},
    "LOINC:1742-6": {},
    "LOINC:777-3": {},
    "LOINC:718-7": {},
    "LOINC:19868-9": {},
    "LOINC:98979-8": {},
    "CLEIO:anti_aav": {},
    "CLEIO:mgfa": {},
}
# A family of codes: how criteria ask for it, how facts record it, and the domain that may be complete for it.
FAMILIES = [
    (["ORPHA:110"], "condition", "conditions"),
    (["ORPHA:111"], "condition", "conditions"),
    (["MONDO:110", "ORPHA:300"], "condition", "conditions"),
    (["ORPHA:200"], "condition", "conditions"),
    (["CLEIO:transplant"], "procedure", "procedures"),
    (["CLEIO:gene_therapy"], "procedure", "procedures"),
    (["CLEIO:gene_therapy", "CLEIO:allogeneic_transplant"], "procedure", "procedures"),
    (["CLEIO:live_vaccine"], "immunization", "immunizations"),
    (["CLEIO:hiv"], "observation", "observations"),
    (["ATC:H02AB"], "medication", "medications"),
]
RELATED = {
    "ORPHA:110": ["MONDO:110", "ORPHA:111", "ORPHA:112", "ORPHA:100", "ORPHA:200", "MONDO:1111"],
    "MONDO:110": ["ORPHA:110", "ORPHA:111", "ORPHA:100", "MONDO:1111"],
    "ORPHA:111": ["ORPHA:110", "MONDO:110", "ORPHA:100", "ORPHA:112", "ORPHA:200"],
    "ORPHA:300": ["ORPHA:100"],
    "ORPHA:200": ["ORPHA:110", "ORPHA:111", "MONDO:1111", "ORPHA:100"],
    "CLEIO:transplant": ["CLEIO:allogeneic_transplant"],
    "CLEIO:allogeneic_transplant": ["CLEIO:transplant"],
    "CLEIO:gene_therapy": ["CLEIO:transplant"],
    "CLEIO:live_vaccine": ["CLEIO:vaccine", "CLEIO:yellow_fever_vaccine"],
    "CLEIO:hiv": ["CLEIO:infection"],
    "ATC:H02AB": ["ATC:H02", "ATC:H02AB06", "ATC:H02AB07"],
    "CLEIO:severe_crisis": ["CLEIO:crisis", "CLEIO:chest_syndrome"],
}
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
    (["LOINC:718-7"], "g/L", 90, [("g/L", 1), ("g/dL", 0.1), ("%", 1)]),
    (["LOINC:1742-6"], "U/L", 120, [("U/L", 1), ("ukat/L", None), ("mg/dL", 1)]),
    (["LOINC:98979-8"], None, 17, [(None, 1), ("1", 1), ("{score}", 1), ("g/L", 1)]),
]
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
    }
}
