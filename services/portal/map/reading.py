"""What the map needs from the API."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from services.portal.clients.api import Api, segment
from services.portal.clients.problems import ApiError

Json = Mapping[str, Any]
COVERAGE = "/registry/v1/coverage"
_CENTRES, _TRIALS = "/registry/v1/centres", "/registry/v1/trials"


@dataclass(frozen=True, slots=True)
class Found:
    """What the API answered.

    ``coverage``: by département if a disease was asked for, else by disease; None: see ``problem``.
    ``trials``: those that recruit for the disease, with their sites. ``capabilities``: of each centre by its id.
    ``words``: names of the capabilities by code. ``diseases``: those of the registry that have the most trials.
    """

    centres: list[Json]
    capabilities: Mapping[str, list[Json]]
    words: Mapping[str, Json]
    diseases: list[Json]
    coverage: Json | None
    trials: list[Json]
    problem: Literal["", "unknown_disease", "no_geography"] = ""


async def read(api: Api, disease: str, *, with_samples: bool) -> Found:
    """Read the centres, and the coverage for a disease.

    ``disease``: a code or name; empty: none is chosen. ``with_samples``: demonstration trials count too.
    """
    listed, codes, statistics, (coverage, problem) = await asyncio.gather(
        api.get(_CENTRES, limit=200),
        api.get("/registry/v1/capabilities/codes"),
        api.get(f"{_TRIALS}/statistics"),
        _coverage(api, disease, with_samples),
    )
    centres = [one for one in listed["items"] if one["member"]]
    condition = coverage["france"]["condition"] if coverage else None
    trials, *stated = await asyncio.gather(
        _open_trials(api, condition["code"], with_samples) if condition else _none(),
        *(_capabilities(api, one["id"]) for one in centres),
    )
    return Found(
        centres=centres,
        capabilities={one["id"]: rows for one, rows in zip(centres, stated, strict=True)},
        words={one["code"]: one["label"] for one in codes["items"]},
        diseases=statistics["counts"]["condition"],
        coverage=coverage,
        trials=trials,
        problem=problem,
    )


def query_of(disease: str, with_samples: bool) -> dict[str, Any]:
    """Return the parameters of the coverage."""
    return {"condition": disease, "sample": "demo" if with_samples else None}


async def _coverage(
    api: Api, disease: str, with_samples: bool
) -> tuple[Json | None, Literal["", "unknown_disease", "no_geography"]]:
    try:
        return await api.get(COVERAGE, **query_of(disease, with_samples)), ""
    except ApiError as error:
        if error.code == "geography_missing":
            return None, "no_geography"
        if error.status == 400 and disease:
            return None, "unknown_disease"
        raise


async def _open_trials(api: Api, code: str, with_samples: bool) -> list[Json]:
    sample = None if with_samples else "none"
    answer = await api.get(_TRIALS, condition=code, open="true", fields="sites", sample=sample, limit=200)
    items: list[Json] = answer["items"]
    return items


async def _capabilities(api: Api, centre: str) -> list[Json]:
    answer = await api.get(f"{_CENTRES}/{segment(centre)}/capabilities")
    items: list[Json] = answer["items"]
    return items


async def _none() -> list[Json]:
    return []
