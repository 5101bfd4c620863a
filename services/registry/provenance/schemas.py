"""Provenance, statements and conflicts on the wire."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import Field

from services.registry.merge.model import Conflict, ConflictKind, Provenance
from services.registry.trials.statements.model import OpenConflict, StoredStatement
from shared.values.wire import ApiModel, Instant, Label

_PATH: Final = "The field: `status`, `titles.fr`, `eligibility.maximum_age`."
_STATED_ON: Final = "The id of the trial on which it was stated, where that is merged into this one; null: this one."
TO_DO: Final[Mapping[ConflictKind, Label]] = {
    "outdated_statement": Label(
        fr="Les sources disent autre chose que lors de la déclaration. Pour garder la valeur, la déclarer de nouveau ; "
        "pour suivre les sources, retirer la déclaration.",
        en="The sources say something else than when the statement was made. To keep the value, state it again; to "
        "follow the sources, withdraw the statement.",
    ),
    "stop": Label(
        fr="Une source a arrêté l'essai : il reste fermé. Si l'arrêt est levé ou erroné, déclarer le statut, avec le "
        "motif ; sinon, déclarer l'arrêt, ou retirer la déclaration contraire.",
        en="A source stopped the trial: it stays closed. If the stop has ended or is wrong, state the status, with the "
        "reason; if not, state the stop, or withdraw the statement against it.",
    ),
    "legacy": Label(
        fr="Une source diffère de ce qui avait été écrit à la main avant que les sources ne soient réunies. Déclarer "
        "la valeur qui est juste.",
        en="A source differs from what was written by hand before sources were merged. State the value that is right.",
    ),
    "merged_statement": Label(
        fr="Des valeurs différentes ont été déclarées pour des essais qui ont été réunis. Déclarer la valeur qui est "
        "juste, ou retirer l'une des déclarations.",
        en="Different values were stated for trials that were merged. State the value that is right, or withdraw one "
        "of the statements.",
    ),
}


class FieldOrigin(ApiModel):
    """Where a field of a trial comes from."""

    path: str = Field(description=f"{_PATH} `sites/<centre>`: one site.")
    source: str = Field(
        description="The source: `ctgov`, `sample`, …; `legacy`: stored before sources were merged; `curated`: stated "
        "by a person; `declared`: declared by a centre or the coordination."
    )
    source_id: str | None = Field(description="The id of the record in its source, or of the centre that declared it.")
    dated: str | None = Field(description="The source's own date of it, or the day of the statement; null: not known.")
    statement: int | None = Field(description="The number of the statement; null: it comes from a source.")
    stated_on: str | None = Field(description=_STATED_ON)
    author: str | None = Field(description="Who stated it; null: a source, or the caller may not see it.")

    @classmethod
    def of(cls, path: str, origin: Provenance, authors: Mapping[tuple[str | None, int], str]) -> "FieldOrigin":
        """Return the origin of a field. ``authors``: of the statements, by trial (None: this one) and number."""
        author = authors.get((origin.of, origin.statement)) if origin.statement is not None else None
        return cls(
            path=path,
            source=origin.source,
            source_id=origin.source_id,
            dated=origin.dated,
            statement=origin.statement,
            stated_on=origin.of,
            author=author,
        )


class ProvenanceList(ApiModel):
    """Where the fields of a trial come from. A field that several records give has an item for each of them."""

    items: list[FieldOrigin] = Field(description="The origins, in the order of the fields.")


class StatementDocument(ApiModel):
    """What a person states of a field."""

    number: int = Field(description="The number of the statement in its trial, from 1.")
    stated_on: str | None = Field(description=_STATED_ON)
    path: str = Field(description=_PATH)
    value: Any = Field(description="The value.")
    against: Any = Field(description="What the sources said at that time.")
    at: Instant = Field(description="When it was stated.")
    author: str = Field(description="Who stated it: the organisation, and the member or client, by their ids.")
    reason: str | None = Field(description="Why, if it was given.")
    withdrawn_at: Instant | None = Field(description="When it was withdrawn; null: it is in force.")
    withdrawn_by: str | None = Field(description="Who withdrew it.")

    @classmethod
    def of(cls, stored: StoredStatement) -> "StatementDocument":
        """Return a statement as readers get it."""
        one = stored.statement
        return cls(
            number=one.id,
            stated_on=one.of,
            path=one.path,
            value=one.value,
            against=one.against,
            at=one.at,
            author=stored.author,
            reason=stored.reason,
            withdrawn_at=stored.withdrawn_at,
            withdrawn_by=stored.withdrawn_by,
        )


class StatementList(ApiModel):
    """The statements on a trial."""

    items: list[StatementDocument] = Field(description="All statements, also withdrawn ones, in their order.")


class ConflictDocument(ApiModel):
    """Sources, or a source and a person, disagree about a field."""

    trial: str = Field(description="The preferred public number of the trial.")
    trial_id: str = Field(description="The id of the trial.")
    path: str = Field(description=_PATH)
    kind: ConflictKind = Field(
        description="`outdated_statement`: the sources have changed since a person stated the field. `stop`: a source "
        "stopped the trial, and a person or a source of higher rank says that it recruits. `legacy`: a source differs "
        "from what was written by hand before sources were merged. `merged_statement`: people stated different values "
        "of trials that were merged."
    )
    used: Any = Field(description="The value in the trial.")
    other: Any = Field(description="The other value.")
    source: str = Field(description="The source of the other value; `curated`: a person.")
    since: Instant = Field(description="Since when it is open.")
    to_do: Label = Field(description="What settles it.")

    @classmethod
    def of(cls, one: OpenConflict, trial: str) -> "ConflictDocument":
        """Return a conflict as readers get it. ``trial``: the preferred number of its trial."""
        conflict: Conflict = one.conflict
        since: datetime = one.since
        return cls(
            trial=trial,
            trial_id=one.trial_key,
            path=conflict.path,
            kind=conflict.kind,
            used=conflict.used,
            other=conflict.other,
            source=conflict.source,
            since=since,
            to_do=TO_DO[conflict.kind],
        )


class ConflictList(ApiModel):
    """The open conflicts of a trial."""

    items: list[ConflictDocument] = Field(description="The conflicts.")


class ConflictPage(ConflictList):
    """A page of open conflicts, in the order of trials."""

    next: str | None = Field(description="The `cursor` of the next page; null on the last page.")
