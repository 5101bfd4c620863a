"""What the map needs from the API."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from starlette.datastructures import QueryParams

from services.portal.clients.api import Api, segment
from services.portal.clients.problems import ApiError
from services.portal.pages.visitors import Visitor

Json = Mapping[str, Any]
COVERAGE = "/registry/v1/coverage"
_LONGEST, _OLDEST = 200, 120
_CENTRES, _TRIALS = "/registry/v1/centres", "/registry/v1/trials"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form of the map asks for. ``disease``: a code or name; ``age``: in years. Empty: not asked for.

    ``sample``: ``demo``, demonstration trials count too.
    """

    disease: str = ""
    age: str = ""
    sample: str = ""

    @classmethod
    def of(cls, query: QueryParams) -> Self:
        """Read the query of an address. Values that the form does not have are left out."""
        age = query.get("age", "").strip()[:3]
        return cls(
            query.get("disease", "").strip()[:_LONGEST],
            str(int(age)) if age.isascii() and age.isdecimal() and int(age) <= _OLDEST else "",
            "demo" if query.get("sample") == "demo" else "",
        )

    @property
    def duration(self) -> str:
        """Return the age as the API reads it."""
        return f"P{self.age}Y" if self.age else ""

    def parameters(self) -> dict[str, str]:
        """Return the parameters of the coverage."""
        return {"condition": self.disease, "age": self.duration, "sample": self.sample}


@dataclass(frozen=True, slots=True)
class Network:
    """The centres of the network, what they can do, and the diseases of the registry that have the most trials.

    ``capabilities``: of each centre by its id. ``words``: names of the capabilities by code.
    """

    centres: list[Json]
    capabilities: Mapping[str, list[Json]]
    words: Mapping[str, Json]
    diseases: list[Json]


@dataclass(frozen=True, slots=True)
class Found:
    """What the API answered.

    ``coverage``: by département if a disease was asked for, else by disease; None: see ``problem``.
    ``trials``: those that recruit for the disease, with their sites. ``alike``: diseases that are written like one that
    is not known.
    """

    network: Network
    coverage: Json | None
    trials: list[Json]
    problem: Literal["", "unknown_disease", "no_geography"] = ""
    alike: Sequence[Json] = ()


# The network takes a call for each centre, and seldom changes. What anonymous visitors see of it is the same for all.
_SECONDS = 60.0
_kept: dict[str, tuple[float, Network]] = {}


async def read(visitor: Visitor, asked: Asked) -> Found:
    """Read the network, and the coverage for a disease."""
    api = visitor.api
    network, (coverage, problem) = await asyncio.gather(_network(visitor), _coverage(api, asked))
    condition = coverage["france"]["condition"] if coverage else None
    trials = await _open_trials(api, condition["code"], asked) if condition else []
    alike = await _alike(api, asked.disease) if problem == "unknown_disease" else []
    return Found(network, coverage, trials, problem, alike)


async def _network(visitor: Visitor) -> Network:
    until, found = _kept.get("anonymous", (0.0, None))
    if visitor.me is None and found is not None and until > time.monotonic():
        return found
    api = visitor.api
    listed, codes, statistics = await asyncio.gather(
        api.get(_CENTRES, limit=200), api.get("/registry/v1/capabilities/codes"), api.get(f"{_TRIALS}/statistics")
    )
    centres = [one for one in listed["items"] if one["member"]]
    stated = await asyncio.gather(*(api.get(f"{_CENTRES}/{segment(one['id'])}/capabilities") for one in centres))
    network = Network(
        centres=centres,
        capabilities={one["id"]: answer["items"] for one, answer in zip(centres, stated, strict=True)},
        words={one["code"]: one["label"] for one in codes["items"]},
        diseases=statistics["counts"]["condition"],
    )
    if visitor.me is None:
        _kept["anonymous"] = (time.monotonic() + _SECONDS, network)
    return network


async def _coverage(api: Api, asked: Asked) -> tuple[Json | None, Literal["", "unknown_disease", "no_geography"]]:
    try:
        return await api.get(COVERAGE, **asked.parameters()), ""
    except ApiError as error:
        if error.code == "geography_missing":
            return None, "no_geography"
        if error.status == 400 and asked.disease:
            return None, "unknown_disease"
        raise


async def _open_trials(api: Api, code: str, asked: Asked) -> list[Json]:
    sample = "" if asked.sample else "none"
    answer = await api.get(
        _TRIALS, condition=code, age=asked.duration, open="true", fields="sites", sample=sample, limit=200
    )
    items: list[Json] = answer["items"]
    return items


async def _alike(api: Api, text: str) -> list[Json]:
    answer = await api.get(f"{_TRIALS}/suggest", q=text[:100])
    return [one for one in answer["items"] if one["kind"] == "condition"]
