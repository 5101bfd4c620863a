"""Ids of centres and numbers of trials in public registries."""

import re
from typing import Annotated, Final, Literal
from urllib.parse import quote

from pydantic import StringConstraints

from shared.values.forms import described

# A country code, then words of letters and digits joined by single hyphens: `fr-paris-necker`.
CentreId = Annotated[
    str,
    StringConstraints(
        max_length=64,
        pattern=described(
            r"^[a-z]{2}-[a-z0-9](-?[a-z0-9]){0,60}$",
            fr="un pays et un nom, p. ex. fr-paris-necker",
            en="a country and a name, e.g. fr-paris-necker",
        ),
    ),
]

# What this registry calls a trial; unlike the numbers of any registry.
TRIAL_ID_PATTERN: Final = r"^CL[0-9]{8,18}$"
TrialId = Annotated[
    str,
    StringConstraints(
        max_length=20,
        pattern=described(
            TRIAL_ID_PATTERN, fr="CL et des chiffres, p. ex. CL00000012", en="CL and digits, e.g. CL00000012"
        ),
    ),
]

IdentifierType = Literal["nct", "euct", "eudract", "isrctn", "utn", "id_rcb", "sponsor", "cleio"]

# One pattern per type of public number (UTN: WHO; ID-RCB: the French agency). A sponsor's code has no pattern.
# A EudraCT number must not be the beginning of an EU CT number.
IDENTIFIER_PATTERNS: Final[dict[IdentifierType, re.Pattern[str]]] = {
    "euct": re.compile(r"[0-9]{4}-5[0-9]{5}-[0-9]{2}-[0-9]{2}"),
    "nct": re.compile(r"NCT[0-9]{8}"),
    "eudract": re.compile(r"[0-9]{4}-[0-9]{6}-[0-9]{2}(?!-[0-9]{2})"),
    "isrctn": re.compile(r"ISRCTN[0-9]{8}"),
    "utn": re.compile(r"U1111-[0-9]{4}-[0-9]{4}"),
    "id_rcb": re.compile(r"[0-9]{4}-A[0-9]{5}-[0-9]{2}"),
    "cleio": re.compile(r"CLEIO-[A-Z]+-[0-9]{4,8}"),
}
# The order in which an identifier becomes a trial's public id; also the order in which a text is tested.
PREFERENCE: Final[tuple[IdentifierType, ...]] = (
    "euct",
    "nct",
    "eudract",
    "isrctn",
    "utn",
    "id_rcb",
    "cleio",
    "sponsor",
)


# How people write these numbers: with the name of the registry before them, in any case, with spaces or other dashes.
_NAMES: Final = (
    r"(?:N[°º] ?)?(?:EUDRA ?CT|EU ?CTR?|CTIS|ID[ -]?RCB|UTN|CLINICALTRIALS\.GOV)?"
    r"(?: ?(?:IDENTIFIER|NUMBER|NUM[EÉ]RO|NO\.?|N[°º]))? ?[:#]? ?"
)
_FORMS: Final[tuple[tuple[IdentifierType, str, str], ...]] = (
    ("nct", r"NCT ?[:#-]? ?([0-9](?: ?[0-9]){7})", "NCT{}"),
    # The last two digits of an EU CT number count the submissions of one trial.
    ("euct", r"([0-9]{4})[ -]([0-9]{6})[ -]([0-9]{2})[ -]([0-9]{2})", "{}-{}-{}-{}"),
    # A country after the number names a part of the same trial.
    ("eudract", r"([0-9]{4})[ -]([0-9]{6})[ -]([0-9]{2})(?:[ /-][A-Z]{2})?", "{}-{}-{}"),
    ("isrctn", r"ISRCTN ?[:#-]? ?([0-9](?: ?[0-9]){7})", "ISRCTN{}"),
    ("utn", r"U1111[ -]?([0-9]{4})[ -]?([0-9]{4})", "U1111-{}-{}"),
    ("id_rcb", r"([0-9]{4})[ -]?(A[0-9]{5})[ -]?([0-9]{2})", "{}-{}-{}"),
    ("cleio", r"CLEIO[ -]([A-Z]+)[ -]([0-9]{4,8})", "CLEIO-{}-{}"),
)
_SPELLINGS: Final = tuple((kind, re.compile(_NAMES + pattern), form) for kind, pattern, form in _FORMS)
_TRIAL_ID: Final = re.compile(r"CL ?-?([0-9]{8,18})")
_DASHES: Final = str.maketrans(dict.fromkeys("‐‑‒–—−", "-"))
_SUBMISSION: Final = re.compile(r"-[0-9]{2}$")


# The public page of a trial in each register; a UTN, an ID-RCB and a sponsor's code have none.
_PAGES: Final[dict[str, str]] = {
    "nct": "https://clinicaltrials.gov/study/{}",
    "euct": "https://euclinicaltrials.eu/ctis-public/view/{}",
    "eudract": "https://www.clinicaltrialsregister.eu/ctr-search/search?query={}",
    "isrctn": "https://www.isrctn.com/{}",
}


def register_page(kind: str, value: str) -> str | None:
    """Return the address of the trial's page in the public register, or None where there is none."""
    page = _PAGES.get(kind)
    return page.format(quote(value, safe="")) if page else None


def recognise_identifier(text: str) -> tuple[IdentifierType, str] | None:
    """Return (type, canonical value) if ``text`` is a public registry number in any spelling, else None."""
    known = _spelled(text)
    if known is None or not IDENTIFIER_PATTERNS[known[0]].fullmatch(known[1]):
        return None
    return known


def trial_id(number: int) -> str:
    """Return the id of the trial that was the ``number``-th of this registry: ``CL`` and at least eight digits."""
    return f"CL{number:08}"


def trial_number(identity: str) -> int:
    """Return the number in the id of a trial."""
    return int(identity.removeprefix("CL"))


def is_trial_id(text: str) -> bool:
    """Return whether a text is an id that this registry gives."""
    return re.fullmatch(TRIAL_ID_PATTERN, text) is not None


def alias_of(text: str) -> str:
    """Return the form by which a trial is found: equal for every spelling of its id or of one of its numbers.

    An EU CT number is the same with and without its last part. Of other texts, such as sponsors' codes, case and spaces
    do not matter.
    """
    plain = _plain(text)
    if own := _TRIAL_ID.fullmatch(plain):
        return f"CL{own[1]}"
    known = _spelled(text)
    if known is None:
        return plain
    return _SUBMISSION.sub("", known[1]) if known[0] == "euct" else known[1]


def _plain(text: str) -> str:
    return " ".join(text.upper().translate(_DASHES).split())


def _spelled(text: str) -> tuple[IdentifierType, str] | None:
    """Return (type, value) of a text with the parts of a public number, also where no registry gives such a number."""
    plain = _plain(text)
    for kind, pattern, form in _SPELLINGS:
        if found := pattern.fullmatch(plain):
            return kind, form.format(*(part.replace(" ", "") for part in found.groups()))
    return None
