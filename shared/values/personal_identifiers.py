"""Detects what could identify a person: names, contacts and national identifiers. Pure; no value is repeated.

It looks at the names of fields and at the form of values.

NIR: the French social security number, thirteen digits and a two-digit key (97 − n mod 97; 2A and 2B of Corsica count
as 19 and 18).
INS: the national health identifier, whose OIDs begin with 1.2.250.1.213.1.4.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from shared.values.json_pointer import escape
from shared.values.problems import Fault
from shared.values.wire import Label

MOST = 10
# Every form except an e-mail address has at least nine digits.
SHORTEST = 9
MOST_SHORT = 10 ** (SHORTEST - 1) - 1

_KEYS = frozenset({
    "name", "names", "fullname", "patientname", "displayname", "humanname", "family", "familyname", "lastname",
    "surname", "given", "givenname", "givennames", "firstname", "middlename", "maidenname", "birthname", "nom",
    "noms", "nomnaissance", "nomdenaissance", "nomusage", "nomdusage", "nomutilise", "nomdefamille", "prenom",
    "prenoms", "prenomnaissance", "ins", "insc", "insnir", "insoid", "matriculeins", "nir", "nia", "ssn", "nss",
    "numsecu", "numerosecu", "numerosecuritesociale", "ipp", "mrn", "identifier", "identifiers", "patientid",
    "email", "emails", "mail", "courriel", "telecom", "phone", "phones", "phonenumber", "telephone", "tel",
    "mobile", "portable", "fax", "address", "addresses", "adresse", "street", "rue", "postalcode", "codepostal",
    "zip", "zipcode", "contact", "contacts", "note", "notes", "text", "freetext", "comment", "comments",
    "commentaire", "commentaires", "remark", "remarks", "photo", "photos", "image", "picture", "attachment",
    "attachments",
})  # fmt: skip
# Parts of a Phenopacket in which such a field belongs to the schema and is not about the patient.
_NOT_THE_PATIENT = frozenset({"metaData", "extensions", "variation"})

_SPACE = r"[ \u00a0\u202f.\-]?"
_ALONE, _END = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"
_DEPARTEMENT = r"(?:0[1-9]|[1-8][0-9]|9[0-9]|2[AaBb])"
_MONTH = r"(?:0[1-9]|1[0-2]|2[0-9]|3[0-9]|4[0-2]|[5-9][0-9])"
_NIR = re.compile(
    _ALONE
    + _SPACE.join([r"([1-478]", r"[0-9]{2}", _MONTH, _DEPARTEMENT, r"[0-9]{3}", r"[0-9]{3})"])
    + _SPACE
    + r"([0-9]{2})"
    + _END
)
# Without the two-digit key there is no proof, so only an ordinary month and no separator except spaces are accepted.
_BLANK = "[ \u00a0\u202f]?"
_NIR_WITHOUT_KEY = re.compile(
    _ALONE
    + r"(?<!SNOMED:)(?<!SNOMEDCT:)(?<!SCTID:)"
    + _BLANK.join([r"[12]", r"[0-9]{2}", r"(?:0[1-9]|1[0-2]|20)", _DEPARTEMENT, r"[0-9]{3}", r"[0-9]{3}"])
    + _END
)
_INS = re.compile(r"(?<![0-9.])1\.2\.250\.1\.213\.1\.4\.[0-9]")
# Lengths are bounded and each search begins at an @, so no text takes long.
_EMAIL = re.compile(r"(?<=[^\s@<>\"',;:])@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}")
_PAIRS = r"(?:" + _SPACE + r"[0-9]{2}){4}(?![0-9])"
_PHONE = re.compile(
    r"(?<![0-9A-Za-z.\-])0[1-9]"
    + _PAIRS
    + r"|"
    + _SPACE.join(
        [r"(?:\+|(?<![0-9A-Za-z.\-])00)", r"(?:33|262|508|590|594|596|681|687|689)", r"(?:\(0\))?", r"0?[1-9]"]
    )
    + _PAIRS
)

# A quick test that most texts fail: nine digits (or a letter of Corsica) close together.
_DIGITS = re.compile(r"[0-9](?:[^0-9A-Za-z]{0,3}[0-9ABab]){8}")

_BY_KEY = Label(
    fr="ce champ pourrait identifier une personne ; n'envoyez que des faits codés",
    en="this field could identify a person; send coded facts only",
)
_BY_SHAPE: dict[str, Label] = {
    "nir": Label(fr="ceci a la forme d'un numéro de sécurité sociale", en="this looks like a social security number"),
    "ins": Label(
        fr="ceci a la forme d'un identifiant national de santé", en="this looks like a national health identifier"
    ),
    "email": Label(fr="ceci a la forme d'une adresse électronique", en="this looks like an e-mail address"),
    "phone": Label(fr="ceci a la forme d'un numéro de téléphone", en="this looks like a telephone number"),
}


def identifying(document: Any, pointer: str = "") -> list[Fault]:
    """Return the places where a JSON value could identify a person, at most ten. A pointer contains only plain keys."""
    found = []
    for fault in _faults(document, pointer):
        found.append(fault)
        if len(found) == MOST:
            break
    return found


def shape_of(value: str) -> str | None:
    """Return ``nir``, ``ins``, ``email`` or ``phone`` where the text contains one, else None."""
    if "@" in value and _EMAIL.search(value):
        return "email"
    if len(value) < SHORTEST or not _DIGITS.search(value):
        return None
    if any(_key_fits(match) for match in _NIR.finditer(value)) or _NIR_WITHOUT_KEY.search(value):
        return "nir"
    if _INS.search(value):
        return "ins"
    return "phone" if _PHONE.search(value) else None


def _faults(root: Any, start: str) -> Iterator[Fault]:
    # Facts repeat the names of their fields: check each name once.
    checked: dict[str, tuple[bool, str | None, bool]] = {}
    pending: list[tuple[str, Any, bool]] = [(start, root, True)]
    while pending:
        pointer, value, patient = pending.pop()
        if isinstance(value, dict):
            inner: list[tuple[str, Any, bool]] = []
            for key, child in value.items():
                if key not in checked:
                    checked[key] = _check_key(key)
                names, shape, plain = checked[key]
                if patient and names:
                    yield Fault(pointer=f"{pointer}/{escape(key)}", code="identifier_key", detail=_BY_KEY)
                    continue
                if shape is not None:
                    yield _shaped(pointer, shape)
                inner.append((f"{pointer}/{key}" if plain else pointer, child, patient and key not in _NOT_THE_PATIENT))
            pending += reversed(inner)
        elif isinstance(value, list):
            pending += [(f"{pointer}/{index}", child, patient) for index, child in reversed(list(enumerate(value)))]
        else:
            shape = (
                shape_of(value)
                if isinstance(value, str)
                else shape_of(str(value))
                if isinstance(value, int) and abs(value) > MOST_SHORT
                else None
            )
            if shape is not None:
                yield _shaped(pointer, shape)


def _check_key(key: str) -> tuple[bool, str | None, bool]:
    """Return whether a key names identifying data, the form that it has itself, and whether it is a plain name."""
    shape = shape_of(key)
    return _folded(key) in _KEYS, shape, key.isidentifier() and len(key) <= 40 and shape is None


def _shaped(pointer: str, shape: str) -> Fault:
    return Fault(pointer=pointer, code=f"identifier_{shape}", detail=_BY_SHAPE[shape])


def _folded(key: str) -> str:
    plain = (key if key.isascii() else unicodedata.normalize("NFKD", key)).casefold()
    if plain.isalnum():
        return plain
    return "".join(letter for letter in plain if letter.isalnum())


def _key_fits(match: re.Match[str]) -> bool:
    number = (
        "".join(letter for letter in match.group(1).upper() if letter.isalnum())
        .replace("2A", "19", 1)
        .replace("2B", "18", 1)
    )
    return 97 - int(number) % 97 == int(match.group(2))
