"""Orphanet: the packets of Orphadata (one JSON object a line)."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from services.registry.terminology.releases.draft import Draft

# Associations by which variants of the gene cause the disease; others are candidates or modify it.
_CAUSES = "Disease-causing"


def read_packets(lines: Iterable[str]) -> Draft:
    """Read the disorders: names, parents, their relation to OMIM, and the genes that cause them."""
    draft = Draft()
    for line in lines:
        packet = json.loads(line)
        code = f"ORPHA:{packet['ORPHAcode']}"
        draft.name(code, "en", packet["Label"], (one["Synonym"] for one in packet.get("Synonyms") or ()))
        for parent in _each(packet, "Parents", "Parent"):
            for one in parent:
                draft.add(draft.broader, code, f"ORPHA:{one['ORPHAcode']}")
        for reference in _each(packet, "ExternalReferences", "ExternalReference"):
            if reference["Source"] == "OMIM":
                _omim(draft, code, f"OMIM:{reference['Reference']}", reference["DisorderMappingRelation"])
        for gene in _each(packet, "Genes", "Gene"):
            if gene["DisorderGeneAssociationType"].startswith(_CAUSES):
                _gene(draft, code, gene)
    return draft


def _omim(draft: Draft, code: str, omim: str, relation: str) -> None:
    """Read the relation: E exact, NTBT the disorder is narrower than the OMIM entry, BTNT it is broader."""
    kind = relation.split(" ", 1)[0]
    if kind == "E":
        draft.add(draft.same, code, omim)
    elif kind == "NTBT":
        draft.add(draft.broader, code, omim)
    elif kind == "BTNT":
        draft.add(draft.broader, omim, code)


def _gene(draft: Draft, code: str, gene: dict[str, Any]) -> None:
    symbol, name = gene["Symbol"], gene["Name"]
    codes = draft.genes.setdefault(symbol, (name, []))[1]
    codes += [] if code in codes else [code]
    for reference in gene.get("ExternalReferences") or ():
        if reference["Source"] == "HGNC":
            draft.name(f"HGNC:{reference['Reference']}", "en", symbol, (name,))


def _each(packet: dict[str, Any], several: str, one: str) -> Iterator[Any]:
    for entry in packet.get(several) or ():
        if isinstance(entry, dict) and entry.get(one):  # a few lists hold only "no data"
            yield entry[one]
