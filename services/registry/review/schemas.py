"""The review queue on the wire."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from services.registry.model.state import TrialState
from services.registry.model.trial import BilingualText, ScopeReason, ScopeVerdict
from services.registry.provenance.schemas import ConflictDocument
from services.registry.review.model import ReviewKind
from services.registry.trials.assignments.model import StoredEntry
from services.registry.trials.decisions.model import Answer, StoredDecision
from shared.values.wire import ApiModel, Instant, Label

CHOICES: Final[Mapping[ReviewKind, Mapping[Answer, Label]]] = {
    "scope": {
        "in_scope": Label(
            fr="L'essai relève du réseau. Il est publié dès qu'une seconde personne a décidé de même.",
            en="The trial belongs in the network. It is published as soon as a second person has decided the same.",
        ),
        "out_of_scope": Label(
            fr="L'essai ne relève pas du réseau : il n'est pas publié, ou ne l'est plus dès maintenant.",
            en="The trial does not belong in the network: it is not published, or no longer from now on.",
        ),
    },
    "state": {
        "publish": Label(
            fr="Publier l'essai : il est publié dès que deux personnes l'ont demandé.",
            en="Publish the trial: it is published as soon as two people have asked for it.",
        ),
        "withdraw": Label(
            fr="Laisser l'essai retiré, en connaissance de son état présent.",
            en="Leave the trial withdrawn, knowing how it is now.",
        ),
    },
    "conflict": {
        "keep": Label(
            fr="Garder la valeur utilisée, en connaissance de l'autre.",
            en="Keep the value that is used, knowing of the other one.",
        ),
        "take": Label(fr="Prendre l'autre valeur.", en="Take the other value."),
    },
    "possible_duplicate": {
        "merge": Label(
            fr="La notice et les essais dont elle porte un numéro sont un seul essai : ils sont réunis.",
            en="The record and the trials that have one of its numbers are one trial: they are merged.",
        ),
        "separate": Label(
            fr="La notice est celle d'un autre essai : il est créé, sans les numéros des autres.",
            en="The record is that of another trial: it is created, without the numbers of the others.",
        ),
    },
    "outdated_criteria": {
        "still_valid": Label(
            fr="Les critères valent aussi pour le texte présent. Ils sont confirmés par l'accord de deux personnes.",
            en="The criteria hold for the present text too. They are confirmed when two people agree.",
        ),
        "draft_again": Label(
            fr="Les critères signés ne valent plus : ceux du registre sont en vigueur jusqu'à la prochaine signature.",
            en="The signed criteria hold no longer: those of the registry are in force until others are signed.",
        ),
    },
    "quarantine": {
        "take": Label(
            fr="Faire de la notice un essai : il reste à décider s'il relève du réseau.",
            en="Make a trial of the record: whether it belongs in the network is still to be decided.",
        ),
        "leave": Label(fr="Laisser la notice de côté.", en="Leave the record aside."),
    },
}
OUTDATED: Final = Label(
    fr="Le texte des critères a changé depuis leur signature. Les relire : les confirmer, ou les signer de nouveau.",
    en="The text of the criteria has changed since they were signed. Read them again: confirm them, or sign them anew.",
)
SECOND: Final = Label(
    fr="Une personne a demandé de publier l'essai : une seconde personne doit en décider.",
    en="One person asked to publish the trial: a second person must decide.",
)
CHANGED: Final = Label(
    fr="L'essai a été retiré par une personne ; ses sources ont changé depuis. Il reste retiré.",
    en="A person withdrew the trial; its sources have changed since. It stays withdrawn.",
)
NO_SIGN: Final = Label(
    fr="Le produit n'est pas nommé, et rien n'indique une thérapie innovante.",
    en="No product is named, and nothing shows an advanced therapy.",
)
DUPLICATE: Final = Label(
    fr="Cette notice porte un numéro d'un autre essai. Décider si c'est le même essai. Si un numéro est faux, le "
    "corriger dans sa source ; la notice est ensuite relue.",
    en="This record has a number of another trial. Decide whether they are one. Where a number is wrong, correct it in "
    "its source; the record is then read again.",
)


ReasonText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class ReviewTrial(ApiModel):
    """The trial of an item."""

    id: str = Field(description="The id of the trial.")
    identifier: str = Field(description="Its preferred public number.")
    numbers: list[str] = Field(description="All its numbers.")
    titles: BilingualText = Field(description="Its title.")
    state: TrialState = Field(description="Where it stands.")
    published: bool = Field(description="Whether it is public.")


class ReviewRecord(ApiModel):
    """The source record of an item."""

    source: str = Field(description="The source.")
    source_id: str = Field(description="The id of the record there.")
    numbers: list[str] = Field(description="All its numbers.")
    titles: BilingualText = Field(description="Its title.")
    shares_with: list[str] = Field(description="The preferred numbers of the trials that have one of its numbers.")


class Choice(ApiModel):
    """A possible answer."""

    answer: Answer = Field(description="The `answer` to send.")
    effect: Label = Field(description="What it does.")


class DecisionDocument(ApiModel):
    """What a person decided."""

    number: int = Field(description="The number of the decision in its trial, or of the act in the log of assignments.")
    answer: Answer = Field(description="The answer.")
    gate: ScopeVerdict | None = Field(description="What the scope gate said then; null: not about the scope.")
    reason: str = Field(description="Why.")
    author: str = Field(description="Who decided: the organisation, and the member or client, by their ids.")
    at: Instant = Field(description="When.")
    withdrawn_at: Instant | None = Field(description="When it was undone; null: it is in force.")
    withdrawn_by: str | None = Field(description="Who undid it.")

    @classmethod
    def of(cls, stored: StoredDecision) -> "DecisionDocument":
        """Return a decision as readers get it."""
        one = stored.decision
        return cls(
            number=stored.number,
            answer=one.answer,
            gate=one.gate,
            reason=one.reason,
            author=one.author,
            at=one.at,
            withdrawn_at=stored.withdrawn_at,
            withdrawn_by=stored.withdrawn_by,
        )

    @classmethod
    def of_record(cls, stored: StoredEntry, undone: StoredEntry | None) -> "DecisionDocument":
        """Return what a person decided on a record. ``undone``: the entry that undid it, if any."""
        return cls(
            number=stored.act,
            answer="separate" if stored.entry.creates else "merge",
            gate=None,
            reason=stored.entry.reason or "",
            author=stored.entry.author or "",
            at=stored.at,
            withdrawn_at=undone.at if undone else None,
            withdrawn_by=undone.entry.author if undone else None,
        )


class Review(ApiModel):
    """Something that a person should decide, or has decided."""

    id: str = Field(description="The id: the kind, and the trial, conflict or record.")
    kind: ReviewKind = Field(
        description="`scope`: whether a trial belongs in the network. `state`: a second person is needed to publish a "
        "trial, or a withdrawn trial has changed. `conflict`: sources, or a source and a person, disagree. "
        "`possible_duplicate`: a record has a number of another trial. `outdated_criteria`: signed criteria are older "
        "than their text. `quarantine`: nothing in a record shows an advanced therapy, and it is no trial."
    )
    since: Instant | None = Field(description="Since when it waits; null: nothing is to be decided at present.")
    trial: ReviewTrial | None = Field(description="The trial; null: a record without one.")
    record: ReviewRecord | None = Field(description="The record of a `possible_duplicate` or `quarantine`.")
    conflict: ConflictDocument | None = Field(description="The `conflict`, while it is open.")
    reasons: list[ScopeReason] = Field(description="Why a person should decide.")
    choices: list[Choice] = Field(description="What can be decided here; empty: the reasons say what to do instead.")
    claimed_by: str | None = Field(description="Who works on it; null: no one.")
    claimed_at: Instant | None = Field(description="Since when.")
    decisions: list[DecisionDocument] = Field(description="What was decided until now, oldest first.")


class ReviewPage(ApiModel):
    """A page of the review queue, oldest first."""

    items: list[Review] = Field(description="The items of this page.")
    counts: dict[ReviewKind, int] = Field(description="How many items of each kind match the other filters.")
    next: str | None = Field(description="The `cursor` of the next page; null on the last page.")


class DecisionInput(ApiModel):
    """What a person decides."""

    answer: Answer = Field(description="One of the `choices` of the item.")
    reason: ReasonText = Field(description="Why: kept with the decision.")
