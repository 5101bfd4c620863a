"""The terminology over HTTP: one document, cached by its version."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from services.registry.terminology.terminology import Terminology
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.route import ApiRoute
from shared.values.wire import ApiModel, Label

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["terminology"])

Reader = Annotated[Access, Depends(allow("terminology", "read"))]


class ConceptDocument(ApiModel):
    """A concept of the terminology."""

    code: str = Field(description="The code, as `SYSTEM:code`.")
    system: str = Field(description="The code system.")
    label: Label = Field(description="The preferred name.")
    synonyms: dict[str, list[str]] = Field(description="Other names, by language.")
    parents: list[str] = Field(description="The codes of more general concepts.")
    same_as: list[str] = Field(description="Codes of the same concept in other systems.")
    exclusive_with: list[str] = Field(description="Codes that a patient cannot have together with this one.")


class TerminologyDocument(ApiModel):
    """All concepts that trials of this network are coded with."""

    version: str = Field(description="Changes with the content.")
    concepts: list[ConceptDocument] = Field(description="All concepts.")


@router.get("/terminology", response_model=TerminologyDocument, summary="Read the terminology")
async def read_terminology(request: Request, access: Reader) -> Response:
    """Return all concepts that trials of this network are coded with."""
    terminology: Terminology = request.app.state.terminology
    tag = f'"{terminology.version}"'
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={"ETag": tag})
    document: dict[str, Any] = {
        "version": terminology.version,
        "concepts": [concept.to_json() for concept in terminology],
    }
    return Response(json.dumps(document, ensure_ascii=False), headers={"ETag": tag}, media_type="application/json")
