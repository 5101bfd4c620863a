"""Reads a code in any of the spellings that records use, and writes it as ``SYSTEM:code``."""

import re
import unicodedata
from typing import Final

from shared.terminology.systems import ANY, BY_PREFIX, SYSTEMS, Kind, System

_ALIASES: Final = {alias: system for system in SYSTEMS for alias in (system.prefix.lower(), *system.aliases.split())}
_ADDRESSES: Final = sorted(
    ((address, system) for system in SYSTEMS for address in system.addresses.split()), key=lambda pair: -len(pair[0])
)
# Addresses of several systems: what follows them begins with a prefix.
_SHARED_ADDRESSES: Final = ("purl.obolibrary.org/obo", "identifiers.org", "bioregistry.io", "n2t.net")
_SCHEME = re.compile(r"(?:https?:/?/?|urn:oid:|oid:)(?:www\.)?", re.IGNORECASE)
_SEPARATORS = " \t:/#?=|_-"
# "CIM-10 : G71.0", "ORPHA98896", "MONDO_0010679": the prefix ends at a separator or where digits begin.
_SEPARATED = re.compile(r"([^:|#=/]{2,40}?)\s*[:|#=/]\s*(.+)", re.DOTALL)
_SPACED = re.compile(
    r"([A-Za-z][A-Za-z.\-]*(?:[ .\-_]?1[01](?:[ .\-_]?[A-Za-z]{2})?)?(?: [A-Za-z]+)?)[ _\-]+(\S.*)", re.DOTALL
)
_JOINED = re.compile(r"([A-Za-z]{2,})([0-9]+)")
_NOT_WORD = re.compile(r"[^a-z0-9]")
_OID = re.compile(r"[0-9]+(?:\.[0-9]+){4,}")
_LONGEST = 300


def read_code(text: str) -> str | None:
    """Return the canonical ``SYSTEM:code`` of a code with its system; None where it is not understood.

    Prefixes count in any case and spelling (``Orphanet_98896``, ``CIM-10:G710``), addresses too
    (``http://www.orpha.net/ORDO/Orphanet_98896``). An ICD-10 code may lack its dot; the marks of a dagger and asterisk
    pair and the extension of the PMSI (``Z991+0``) are left out, so that the code is the more general one.
    """
    given = unicodedata.normalize("NFKC", text[: _LONGEST + 1]).strip().strip("<>\"'[]()").strip()
    if not given or len(given) > _LONGEST:
        return None
    found = _SCHEME.match(given)
    if found:
        return _of_address(given[found.end() :])
    for pattern in (_SEPARATED, _SPACED, _JOINED):
        parts = pattern.fullmatch(given)
        system = _named(parts.group(1)) if parts else None
        if parts and system is not None:
            return _written(system, parts.group(2))
    return _of_address(given)


def from_system(uri: str | None, code: str) -> str | None:
    """Return the canonical code of a code system (URI, OID or name) and a code; None where either is not understood."""
    named = (uri or "").partition("|")[0].strip()
    if not named:
        return read_code(code)
    system = system_of(named)
    if system is not None:
        return _written(system, unicodedata.normalize("NFKC", code[: _LONGEST + 1]))
    address = _address(named)
    return read_code(code) if any(_begins(address, shared) for shared in _SHARED_ADDRESSES) else None


def canonical(code: str) -> str:
    """Return the canonical form of a code; the code as it is where it is not understood."""
    return read_code(code) or code


def system_of(uri: str) -> System | None:
    """Return the system with this URI, OID or name, in any case, with or without scheme and final slash."""
    address = _address(uri)
    return _named(uri) or next((system for known, system in _ADDRESSES if _begins(address, known)), None)


def kinds_of(code: str) -> frozenset[Kind]:
    """Return what a code can mean by its system alone; empty: anything, or an unknown system.

    Codes of ICD-10 that begin with Z are states and circumstances of all kinds.
    """
    prefix, _, rest = code.partition(":")
    system = BY_PREFIX.get(prefix) or _named(prefix)
    if system is None or (prefix.startswith("ICD10") and rest.startswith("Z")):
        return ANY
    return system.kinds


def _named(text: str) -> System | None:
    return BY_PREFIX.get(text) or _ALIASES.get(_NOT_WORD.sub("", text.casefold()))


def _address(text: str) -> str:
    return _SCHEME.sub("", text.strip(), count=1).casefold().rstrip("/#")


def _begins(address: str, known: str) -> bool:
    """Return whether an address is a known one or continues it: by a version or a code."""
    return address == known or (address.startswith(known) and address[len(known)] in "/#?=:|_.")


def _of_address(text: str) -> str | None:
    """Read an address that ends with a code: of one system, or of several."""
    address = text.casefold()
    for shared in _SHARED_ADDRESSES:
        if _begins(address, shared):
            rest = text[len(shared) :].lstrip(_SEPARATORS)
            read = read_code(rest) if rest else None
            if read is not None:
                return read
    for known, system in _ADDRESSES:
        if _begins(address, known) and len(address) > len(known):
            if _OID.fullmatch(known) and address[len(known)] == ".":
                continue  # a longer identifier is another one
            written = _written(system, re.split(r"[/#?=&:|_\s]", text.rstrip("/#"))[-1])
            if written is not None:
                return written
    return None


def _written(system: System, code: str) -> str | None:
    given = code.strip()
    found = system.shape.fullmatch(given)
    if found is None:
        # The prefix may stand twice: system ORPHA, code "ORPHA:98896".
        parts = _SEPARATED.fullmatch(given) or _SPACED.fullmatch(given)
        if parts and _named(parts.group(1)) is system:
            found = system.shape.fullmatch(parts.group(2).strip())
        if found is None and system.prefix == "OMIM" and given[:2].upper() == "PS":
            return _written(BY_PREFIX["OMIMPS"], given)
    return None if found is None else f"{system.prefix}:{system.write(found)}"
