"""The parameters of the list of trials, declared once for its routes and for anonymous reads."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any, Final, get_args, get_type_hints

from fastapi import Query
from pydantic import ConfigDict

from services.registry.model.state import TrialState
from services.registry.model.trial import CellOrigin, Delivery, Phase, ScopeVerdict, SponsorKind, Vector
from shared.http.paging import Cursor, Limit
from shared.values.forms import described
from shared.values.wire import ApiModel
from shared.vocabulary.events import AtmpClass
from shared.vocabulary.recruitment import RecruitmentStatus

MAX_IDS: Final = 200
FACETS: Final = (
    "status", "phase", "atmp_class", "vector", "gene", "delivery", "cell_origin", "sponsor_kind", "condition",
    "centre", "departement", "region", "country", "sex", "age_band",
)  # fmt: skip
RESERVED_FACETS: Final = frozenset({"scope", "state", "source", "owner"})
AGE_PATTERN: Final = described(
    r"^([0-9]{1,5}|P([0-9]{1,3}Y)?([0-9]{1,4}M)?([0-9]{1,4}W)?([0-9]{1,5}D)?)$",
    fr="un nombre de jours ou une durée ISO 8601, p. ex. 2920 ou P8Y",
    en="a number of days or an ISO 8601 duration, e.g. 2920 or P8Y",
)
_ANY_FACET: Final = "|".join((*FACETS, *sorted(RESERVED_FACETS)))


def _several(pattern: str, about: str, *, fr: str, en: str) -> Any:
    """Describe a parameter with one or more values, with commas between them."""
    fr, en = f"{fr} ; plusieurs séparés par des virgules", f"{en}; several with commas"
    form = described(f"^{pattern}(,{pattern})*$", fr=fr, en=en)
    return Query(max_length=2000, pattern=form, description=about)


def _values(kind: Any, about: str) -> Any:
    values = get_args(kind)
    return _several(f"({'|'.join(values)})", about, fr=" | ".join(values), en=" | ".join(values))


def _flag(about: str, value: str = "true") -> Any:
    form = described(f"^{value}$", fr=f"la valeur {value}", en=f"the value {value}")
    return Query(pattern=form, description=about)


class TrialFilters(ApiModel):
    """What a list of trials is narrowed to: all parts must match, of several values any."""

    model_config = ConfigDict(strict=False)

    q: Annotated[
        str,
        Query(
            max_length=200,
            description="Disease, product, gene, vector, place, number or other words, in French or English.",
        ),
    ] = ""
    status: Annotated[str | None, _values(RecruitmentStatus, "Recruitment statuses, with commas.")] = None
    open: Annotated[str | None, _flag("`true`: trials that recruit; with a place, those that recruit there.")] = None
    phase: Annotated[str | None, _values(Phase, "Phases, with commas.")] = None
    age: Annotated[
        str | None,
        Query(
            pattern=AGE_PATTERN,
            description="The age of a patient, in days or as a duration (`P8Y`): trials that take it.",
        ),
    ] = None
    sex: Annotated[
        str | None,
        Query(
            pattern=described("^(female|male)$", fr="female ou male", en="female or male"),
            description="`female`, `male`: trials that take this sex.",
        ),
    ] = None
    atmp_class: Annotated[str | None, _values(AtmpClass, "Classes of product, with commas.")] = None
    vector: Annotated[str | None, _values(Vector, "Vectors, with commas.")] = None
    gene: Annotated[
        str | None, _several(r"[A-Za-z0-9\-]{1,30}", "Genes, with commas.", fr="un symbole HGNC", en="an HGNC symbol")
    ] = None
    delivery: Annotated[str | None, _values(Delivery, "`in_vivo` or `ex_vivo`.")] = None
    cell_origin: Annotated[str | None, _values(CellOrigin, "Origins of the cells, with commas.")] = None
    sponsor: Annotated[str | None, Query(max_length=200, description="Words of the sponsor's name.")] = None
    sponsor_kind: Annotated[str | None, _values(SponsorKind, "Kinds of sponsor, with commas.")] = None
    condition: Annotated[
        str | None,
        Query(
            max_length=400,
            description="Codes such as `ORPHA:98896`, with commas. Finds their descendants, and after them the trials "
            "of a broader disease. Unknown: 400.",
        ),
    ] = None
    country: Annotated[
        str | None,
        _several(
            "[A-Za-z]{2}",
            "Countries (ISO 3166-1 alpha-2), with commas, in capital or small letters. Unknown: 400.",
            fr="deux lettres, p. ex. FR",
            en="two letters, e.g. FR",
        ),
    ] = None
    centre: Annotated[
        str | None,
        _several(
            r"[a-z]{2}-[a-z0-9\-]{1,61}",
            "Ids of member centres, as in `/centres`, with commas. Unknown: 400.",
            fr="un centre, p. ex. fr-necker",
            en="a centre, e.g. fr-necker",
        ),
    ] = None
    departement: Annotated[
        str | None,
        _several(
            "[0-9][0-9AB][0-9]?",
            "Départements of member centres, with commas.",
            fr="un département, p. ex. 59 ou 2A",
            en="a département, e.g. 59 or 2A",
        ),
    ] = None
    region: Annotated[
        str | None, Query(max_length=400, description="Regions with a member centre, with commas. Unknown: 400.")
    ] = None
    near: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=100,
            description="A place: `latitude,longitude` in degrees or the id of a centre; where a geography is loaded "
            "also the number of a département, a postal code or the name of a commune (`Saint-Denis, 974`). Trials "
            "that recruit near it come first, and each names its nearest open site. Unknown: 400.",
        ),
    ] = None
    radius: Annotated[
        int | None,
        Query(
            ge=1, le=20_000, description="With `near`: only trials of centres in so many kilometres as the crow flies."
        ),
    ] = None
    open_places: Annotated[
        str | None, _flag("`true`: trials with an open place. For hospitals, centres and the coordination.")
    ] = None
    updated_since: Annotated[
        str | None,
        Query(
            pattern=described(
                "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", fr="une date, p. ex. 2026-01-31", en="a date, e.g. 2026-01-31"
            ),
            description="Trials that changed in this registry on this day (UTC) or later.",
        ),
    ] = None
    sample: Annotated[str | None, _flag("`none` leaves the fictitious demonstration trials out.", "none")] = None
    ids: Annotated[
        str | None,
        Query(max_length=6000, description=f"Ids or numbers of at most {MAX_IDS} trials, with commas."),
    ] = None
    scope: Annotated[str | None, _values(ScopeVerdict, "Answers of the scope gate. For the coordination.")] = None
    published: Annotated[
        str | None,
        Query(
            pattern=described("^(true|false)$", fr="true ou false", en="true or false"),
            description="Whether the trial is public. For the coordination.",
        ),
    ] = None
    state: Annotated[str | None, _values(TrialState, "States, with commas. For the coordination.")] = None
    owner: Annotated[
        str | None,
        _several(
            "[a-z0-9][a-z0-9-]{0,63}",
            "Organisations that are responsible for the trial. For the coordination.",
            fr="une organisation",
            en="an organisation",
        ),
    ] = None
    source: Annotated[
        str | None,
        _several(
            "[a-z][a-z0-9_-]{0,39}",
            "Sources of any part of the trial. For the coordination.",
            fr="une source, p. ex. ctgov",
            en="a source, e.g. ctgov",
        ),
    ] = None
    stale: Annotated[
        str | None, _flag("`true`: a site was not confirmed in the past 30 days. For the coordination.")
    ] = None


class ListOptions(ApiModel):
    """In which order, and with what, the trials are listed."""

    model_config = ConfigDict(strict=False)

    sort: Annotated[
        str | None,
        Query(
            pattern=described(
                "^(relevance|updated|start|identifier|distance)$",
                fr="relevance, updated, start, identifier ou distance",
                en="relevance, updated, start, identifier or distance",
            ),
            description="`relevance`: open in France first, then by what matches, distance and date; without `q` those "
            "that will open in France come second, those open elsewhere third; `updated` and `start`: the newest "
            "first; `identifier`; `distance`: needs `near`; at one distance as by relevance without `q`. Absent: "
            "relevance where anything is asked for, else the order in which the registry took the trials.",
        ),
    ] = None
    fields: Annotated[
        str | None,
        _several(
            "[a-z_]{1,40}",
            "Only these fields of each trial, with commas; `id` is always there. Unknown: 400.",
            fr="un champ de l'essai",
            en="a field of the trial",
        ),
    ] = None
    facets: Annotated[
        str | None,
        _several(
            f"({_ANY_FACET})",
            "Count the trials by these, with commas: the 50 most frequent values of each. With `open`, places where "
            "the trial recruits. `scope`, `state`, `source` and `owner` are for the coordination.",
            fr=_ANY_FACET.replace("|", " | "),
            en=_ANY_FACET.replace("|", " | "),
        ),
    ] = None


class ListParameters(TrialFilters, ListOptions):
    """All parameters of the list."""

    count: Annotated[
        str | None,
        Query(
            pattern=described("^exact$", fr="la valeur exact", en="the value exact"),
            description="`exact` adds the total.",
        ),
    ] = None
    limit: Limit = 50
    cursor: Cursor = None

    @property
    def is_plain(self) -> bool:
        """Whether nothing is asked for but the trials in the order in which the registry took them."""
        others = [name for name in ListParameters.model_fields if name not in _OF_PLAIN_LISTS]
        return all(getattr(self, name) == ListParameters.model_fields[name].default for name in others)


_OF_PLAIN_LISTS: Final = frozenset({"sample", "fields", "count", "limit", "cursor"})


def dependency(model: type[ApiModel]) -> Callable[..., Any]:
    """Return a dependency with a query parameter for each field of a model; FastAPI has validated them."""

    def read(**given: Any) -> Any:
        return model.model_construct(**given)

    hints = get_type_hints(model, include_extras=True)
    read.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[name])
            for name, field in model.model_fields.items()
        ]
    )
    return read
