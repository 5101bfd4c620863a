"""Preconditions and answers that the documents of the parties share."""

from fastapi import Response
from pydantic import BaseModel

from services.registry.model.precondition import CREATES, Precondition
from shared.http.versions import ChangePrecondition, etag


def precondition_of(if_match: ChangePrecondition) -> Precondition:
    """Return what a PUT expects: nothing yet (`If-None-Match: *`), or a version (`If-Match`)."""
    return CREATES if if_match.creates else Precondition(version=if_match.required_version())


def answer(document: BaseModel, version: int, *, created: bool = False) -> Response:
    """Answer with a document and its ETag."""
    headers = {"ETag": etag(version)}
    return Response(document.model_dump_json(), 201 if created else 200, headers, "application/json")
