"""The terminology over HTTP: one document, cached by its version."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from services.registry.terminology.terminology import Terminology
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.route import ApiRoute
from shared.values.wire import ApiModel, Label

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["terminology"])

Reader = Annotated[Access, Depends(allow("terminology", "read"))]


class ConceptDocument(ApiModel):
    code: str
    system: str
    label: Label
    synonyms: dict[str, list[str]]
    parents: list[str]
    same_as: list[str]
    exclusive_with: list[str]


class TerminologyDocument(ApiModel):
    version: str
    concepts: list[ConceptDocument]


@router.get("/terminology", response_model=TerminologyDocument)
async def read_terminology(request: Request, access: Reader) -> Response:
    """All concepts that trials of this network are coded with."""
    terminology: Terminology = request.app.state.terminology
    tag = f'"{terminology.version}"'
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={"ETag": tag})
    document: dict[str, Any] = {
        "version": terminology.version,
        "concepts": [concept.to_json() for concept in terminology],
    }
    return Response(json.dumps(document, ensure_ascii=False), headers={"ETag": tag}, media_type="application/json")
