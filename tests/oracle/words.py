"""What the page names once and for all: kinds of things, kinds of facts of each domain, words of results."""

THINGS = {  # ICD-10 codes diseases and features
    "ORPHA": {"disease"},
    "MONDO": {"disease"},
    "OMIM": {"disease"},
    "ICD10": {"disease", "feature"},
    "HP": {"feature"},
    "ATC": {"medication"},
    "CCAM": {"procedure"},
    "LOINC": {"measurement"},
    "HGNC": {"gene"},
}
KINDS_OF_DOMAIN = {
    "conditions": ("condition", "observation"),
    "medications": ("medication",),
    "procedures": ("procedure",),
    "immunizations": ("immunization", "medication"),
    "encounters": ("event",),
    "observations": ("observation",),
}
NEGATIVE = ("negative", "not detected", "non-reactive", "absent", "négatif", "négative", "non détecté", "non réactif")
POSITIVE = ("positive", "detected", "reactive", "present", "positif", "détecté", "réactif", "présent")


def plain(word):
    """Return the word in small letters, without accents, with spaces for hyphens and underscores."""
    word = word.lower().replace("_", " ").replace("-", " ")
    for accented, letter in (("é", "e"), ("è", "e")):
        word = word.replace(accented, letter)
    return word


def of_word(word):
    """Return the status that the word of a result gives to a finding."""
    if plain(word) in [plain(one) for one in NEGATIVE]:
        return "absent"
    return "present" if plain(word) in [plain(one) for one in POSITIVE] else "unconfirmed"
