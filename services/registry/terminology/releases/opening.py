"""Opens the files of a release, compressed or not, and recognises which one each is."""

import gzip
import lzma
import re
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

from services.registry.terminology.releases import icd10, lists, mondo, obo, orphanet
from services.registry.terminology.releases.draft import Draft
from shared.terminology.codes import from_system

Reader = Callable[[Iterable[str]], Draft]


class UnknownReleaseError(ValueError):
    """The file is none of the known releases, or it is damaged."""


def read_text(content: bytes) -> str:
    """Return the text of a file, which gzip, xz or zstd may have compressed.

    :raises UnknownReleaseError: it is not text in UTF-8, or is damaged.
    """
    try:
        if content.startswith(b"\x1f\x8b"):
            content = gzip.decompress(content)
        elif content.startswith(b"\xfd7zXZ"):
            content = lzma.decompress(content)
        elif content.startswith(b"\x28\xb5\x2f\xfd"):
            # Python 3.11 has no zstd of its own.
            content = subprocess.run(["zstd", "-dcq"], input=content, capture_output=True, check=True).stdout  # noqa: S607
        return content.decode("utf-8-sig")
    except (OSError, EOFError, lzma.LZMAError, subprocess.CalledProcessError, UnicodeDecodeError) as error:
        raise UnknownReleaseError(type(error).__name__) from None


def recognise(text: str) -> tuple[str, Reader]:
    """Return the name of the format and its reader, from the first lines of the file.

    :raises UnknownReleaseError: no reader knows it.
    """
    start = text[:20000].lstrip()
    for name, begins, reader in _FORMATS:
        if begins(start):
            return name, reader
    raise UnknownReleaseError


def read_release(path: Path) -> tuple[str, Draft]:
    """Return the format of a release file and what it says.

    :raises UnknownReleaseError: no reader knows it, or it is damaged.
    """
    text = read_text(path.read_bytes())
    name, reader = recognise(text)
    try:
        return name, reader(text.splitlines())
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise UnknownReleaseError(type(error).__name__) from None


def _header(*columns: str) -> Callable[[str], bool]:
    def begins(start: str) -> bool:
        first = next((line for line in start.splitlines() if not line.startswith("#")), "")
        return set(columns) <= set(first.replace(",", "\t").replace(";", "\t").replace('"', "").split("\t"))

    return begins


def _atc(start: str) -> bool:
    """Return whether the list has the columns code and name, and ATC codes: the letter A comes first."""
    first = re.split("[\t;,]", [*start.splitlines(), "", ""][1])[0]
    return _header("code", "name")(start) and from_system("ATC", first) is not None


_LOINC = lists.names("LOINC", "loinc_num", ("en", "long_common_name"), synonyms="shortname")
_FORMATS: tuple[tuple[str, Callable[[str], bool], Reader], ...] = (
    ("mondo-json", lambda start: start.startswith('{"MONDO:'), lambda lines: mondo.read_ontology("\n".join(lines))),
    ("orphadata", lambda start: start.startswith('{"ORPHApacketId"'), orphanet.read_packets),
    ("obo", lambda start: start.startswith("format-version:"), obo.read_obo),
    ("sssom", _header("subject_id", "predicate_id", "object_id"), mondo.read_sssom),
    ("babelon", _header("subject_id", "translation_language", "translation_value"), obo.read_babelon),
    ("french-synonyms", _header("subject_id", "translation_value", "Line number"), obo.read_french_synonyms),
    ("icd10-claml", lambda start: "<ClaML" in start, icd10.read_claml),
    ("icd10-xml", lambda start: start.startswith("<icd_10"), icd10.read_who_tree),
    ("code-map", _header("local", "standard"), lists.read_code_map),
    ("ucd-atc", _header("ucd", "atc"), lists.to_atc("UCD", "ucd", "atc", "label")),
    ("cip-atc", _header("cip", "atc"), lists.to_atc("CIP", "cip", "atc", "label")),
    ("loinc", _header("LOINC_NUM", "LONG_COMMON_NAME"), _LOINC),
    ("hgnc", _header("hgnc_id", "symbol", "name"), lists.names("HGNC", "hgnc_id", ("en", "symbol"), synonyms="name")),
    ("icd10-list", _header("cim10", "label"), lists.names("ICD10", "cim10", ("fr", "label"))),
    ("ccam", _header("ccam", "label"), lists.names("CCAM", "ccam", ("fr", "label"))),
    ("atc", _atc, lists.names("ATC", "code", ("en", "name"))),
)
