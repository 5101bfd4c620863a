"""Small releases in the forms in which they are published."""

import gzip
import json
import lzma
from pathlib import Path

MONDO = {
    "MONDO:0000001": {"label": "disease", "ancestors": {}, "deprecated": False},
    "MONDO:0005583": {"label": "non-human animal disease", "ancestors": {"MONDO:0000001": 1}, "deprecated": False},
    "MONDO:1000001": {"label": "scrapie", "ancestors": {"MONDO:0005583": 1, "MONDO:0000001": 2}, "deprecated": False},
    "MONDO:0004994": {"label": "cardiomyopathy", "ancestors": {"MONDO:0000001": 1}, "deprecated": False},
    "MONDO:0010281": {
        "label": "Danon disease",
        "synonyms": ["GSD due to LAMP-2 deficiency", "danon  disease"],
        "ancestors": {"MONDO:0004994": 1, "MONDO:0000001": 2},
        "deprecated": False,
    },
    "MONDO:0000099": {"label": "obsolete Danon", "deprecated": True, "replaced_by": "MONDO:0010281"},
    "MONDO:0045024": {"label": "cancer or benign tumor", "ancestors": {"MONDO:0000001": 1}, "deprecated": False},
    "MONDO:0018874": {"label": "leukemia of one kind", "ancestors": {"MONDO:0045024": 1}, "deprecated": False},
}
SSSOM = """#license: CC BY 4.0
subject_id	predicate_id	object_id	mapping_justification
MONDO:0010281	skos:exactMatch	Orphanet:34587	semapv:ManualMappingCuration
MONDO:0010281	skos:exactMatch	OMIM:300257	semapv:ManualMappingCuration
MONDO:0010281	skos:exactMatch	ICD10CM:E74.05	semapv:ManualMappingCuration
MONDO:0004994	skos:exactMatch	ICD10WHO:I42	semapv:ManualMappingCuration
MONDO:0004994	skos:broadMatch	ICD10CM:I00-I99	semapv:ManualMappingCuration
MONDO:0018874	skos:exactMatch	Orphanet:34587	semapv:ManualMappingCuration
MONDO:0018874	skos:exactMatch	unknown:1	semapv:ManualMappingCuration
"""
PACKETS = [
    {
        "ORPHAcode": "34587",
        "Label": "Glycogen storage disease due to LAMP-2 deficiency",
        "Synonyms": [{"Synonym": "Danon disease"}],
        "Parents": [{"Parent": [{"ORPHAcode": "79201", "Label": "Glycogen storage disease"}]}],
        "ExternalReferences": [
            {"ExternalReference": {"Source": "OMIM", "Reference": "300257", "DisorderMappingRelation": "E (Exact)"}}
        ],
        "Genes": [
            {
                "Gene": {
                    "Symbol": "LAMP2",
                    "Name": "lysosomal associated membrane protein 2",
                    "ExternalReferences": [{"Source": "HGNC", "Reference": "6501"}],
                    "DisorderGeneAssociationType": "Disease-causing germline mutation(s) in",
                }
            }
        ],
    },
    {"ORPHAcode": "79201", "Label": "Glycogen storage disease", "Parents": "no data", "Genes": ["no data"]},
]
HPO = """format-version: 1.2
data-version: hp/releases/2025-01-16

[Term]
id: HP:0001638
name: Cardiomyopathy
alt_id: HP:0001701
synonym: "Disease of the heart muscle" EXACT layperson []
synonym: "Myocardial disorder" EXACT []
synonym: "Heart" BROAD []
is_a: HP:0001637 ! Abnormal myocardium morphology

[Term]
id: HP:0001637
name: Abnormal myocardium morphology
is_a: HP:0000001 ! All

[Typedef]
id: part_of
name: part of
"""
BABELON = """subject_id	translation_language	predicate_id	translation_value
HP:0001638	fr	rdfs:label	Cardiomyopathie
HP:0001638	fr	IAO:0000115	Une définition
"""
LINKS = """HGNC:6501\t\t
HP:0001637\t\t
HP:0001638 HP:0001701\tHP:0001637\t
MONDO:0000001\t\t
MONDO:0004994\tMONDO:0000001\tICD10:I42
MONDO:0018874\tMONDO:0045024\t
MONDO:0045024\tMONDO:0000001\t
ORPHA:34587 MONDO:0010281 OMIM:300257 ICD10CM:E74.05 MONDO:0000099\tMONDO:0004994 ORPHA:79201\t
ORPHA:79201\t\t
"""
NAMES = """HGNC:6501\tLAMP2\tlysosomal associated membrane protein 2\t
HP:0001637\tAbnormal myocardium morphology\t\t
HP:0001638\tCardiomyopathy\tMyocardial disorder\t
MONDO:0000001\tdisease\t\t+
MONDO:0004994\tcardiomyopathy\t\t+
MONDO:0018874\tleukemia of one kind\t\t
MONDO:0045024\tcancer or benign tumor\t\t
ORPHA:34587\tGlycogen storage disease due to LAMP-2 deficiency\tDanon disease|GSD due to LAMP-2 deficiency\t+
ORPHA:79201\tGlycogen storage disease\t\t+
"""
GENES = "LAMP2\tlysosomal associated membrane protein 2\tORPHA:34587\n"
CLAML = """<?xml version="1.0" encoding="UTF-8"?>
<ClaML version="2.0.0"><Title name="CIM-10" version="2025"/>
<Class code="I42" kind="category"><Rubric kind="preferred"><Label xml:lang="fr">Myocardiopathie</Label></Rubric>
<Rubric kind="inclusion"><Label xml:lang="fr">cardiomyopathie</Label></Rubric></Class>
<Class code="I420" kind="category"><Rubric kind="preferred"><Label xml:lang="fr">Myocardiopathie avec
dilatation</Label></Rubric></Class></ClaML>
"""


def write_releases(folder: Path) -> list[Path]:
    """Write the small releases into a folder, compressed where the real ones are; return them in order."""
    files = {
        "mondo.json": json.dumps(MONDO).encode(),
        "maps.sssom.tsv": SSSOM.encode(),
        "packets.jsonl.xz": lzma.compress(
            "\n".join(json.dumps({"ORPHApacketId": one["ORPHAcode"], **one}) for one in PACKETS).encode()
        ),
        "hp.obo.gz": gzip.compress(HPO.encode(), mtime=0),
        "hp-fr.babelon.tsv": BABELON.encode(),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]
