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
    """Return (type, canonical value) if ``text`` is a public registry number, else None.

    EU CT is tested before EudraCT.
    """
    candidate = text.strip().upper()
    for kind in PREFERENCE:
        pattern = IDENTIFIER_PATTERNS.get(kind)
        if pattern is not None and pattern.fullmatch(candidate):
            return kind, candidate
    return None
