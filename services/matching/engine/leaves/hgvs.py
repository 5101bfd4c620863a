"""Comparison of HGVS descriptions of variants of one gene (`docs/eligibility.md` §5, variant)."""

import re
from typing import NamedTuple

from services.matching.engine.kleene import MET, NOT_MET, UNKNOWN, State
from shared.terminology.clinical_data import REFERENCE_TRANSCRIPTS

_FORM = re.compile(r"(?:([A-Za-z0-9_]+)(?:\.([0-9]+))?(?:\([^()]*\))?:)?((?:[cgmnpr]\.)?)(.+)")
_THREE_LETTERS = (
    "A=Ala R=Arg N=Asn D=Asp C=Cys Q=Gln E=Glu G=Gly H=His I=Ile L=Leu K=Lys M=Met F=Phe P=Pro S=Ser T=Thr W=Trp "
    "Y=Tyr V=Val X=Ter *=Ter"
)
_AMINO_ACIDS = {pair[0]: pair[2:] for pair in _THREE_LETTERS.split()}
_SHORT = re.compile(r"([ARNDCQEGHILKMFPSTWYVX])([0-9]+)([ARNDCQEGHILKMFPSTWYVX*])")


class Description(NamedTuple):
    """A parsed description: accession and version of the sequence, the kind (``c.``) and the change."""

    accession: str | None
    version: str | None
    kind: str
    change: str


def compare_hgvs(given: str, wanted: str, gene: str) -> State:
    """Return whether two descriptions mean the same variant of a gene; UNKNOWN where their sequences may differ."""
    one, other = _read(given), _read(wanted)
    if one is None or other is None or one.kind != other.kind:
        return MET if given == wanted else UNKNOWN
    if not _comparable(one, other, gene):
        return UNKNOWN
    return MET if one.change == other.change else NOT_MET


def _comparable(one: Description, other: Description, gene: str) -> bool:
    """Return whether positions count on the same sequence: the reference transcript where none is named."""
    if (one.accession, one.version) == (other.accession, other.version):
        return True
    reference = REFERENCE_TRANSCRIPTS.get(gene)
    return reference is not None and {one.accession, other.accession} <= {None, reference}


def _read(text: str) -> Description | None:
    found = _FORM.fullmatch(text.strip())
    if found is None:
        return None
    accession, version, kind, change = found.groups()
    return Description(accession, version, kind, _protein(change) if kind == "p." else change)


def _protein(change: str) -> str:
    """Write a change of one amino acid with three letters and without the parentheses of a prediction."""
    bare = change[1:-1] if change.startswith("(") and change.endswith(")") else change
    short = _SHORT.fullmatch(bare)
    if short is None:
        return bare.replace("*", "Ter")
    before, position, after = short.groups()
    return f"{_AMINO_ACIDS[before]}{position}{_AMINO_ACIDS[after]}"
