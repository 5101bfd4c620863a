"""The published JSON Schema of FHIR R4."""

import gzip
import json
from pathlib import Path

import jsonschema_rs


def r4_validator(real_data: Path, resource_type: str) -> jsonschema_rs.Draft6Validator:
    """Return a validator for one type of resource of FHIR R4."""
    text = gzip.decompress((real_data / "fhir_r4_defs" / "fhir.schema.json.gz").read_bytes())
    definitions = json.loads(text)["definitions"]
    # The schema refers to two names that it does not define; `integer64` is a type of R5.
    definitions["Resource"] = definitions["ResourceList"]
    definitions["integer64"] = False
    return jsonschema_rs.Draft6Validator({"$ref": f"#/definitions/{resource_type}", "definitions": definitions})
