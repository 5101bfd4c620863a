"""A trial's computable criteria as written by an author and signed by a second person (`docs/eligibility.md`)."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from shared.criteria.expressions import Expression, Leaf, Node
from shared.criteria.values import Rpps, Token
from shared.values.forms import described
from shared.values.wire import ApiModel, Duration, Instant, Label
from shared.vocabulary.geography import Country

MAX_DEPTH = 12
MAX_LEAVES = 500

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Identifier = Annotated[
    str,
    StringConstraints(
        pattern=described(
            r"^[A-Za-z0-9][A-Za-z0-9_.\-/]{0,63}$",
            fr="au plus 64 caractères : lettres, chiffres et _ . - /, p. ex. I-AGE",
            en="at most 64 characters: letters, digits and _ . - /, e.g. I-AGE",
        )
    ),
]


CriterionKind = Literal["include", "exclude", "unclear"]


class Source(ApiModel):
    """Source of a criterion: a reference, and the characters of the eligibility text it covers, ``[from, until)``."""

    ref: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        description="The document: a reference such as `registry` or `protocol 4.0`."
    )
    span: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=2, max_length=2)] | None = Field(
        default=None,
        description="The first character of the eligibility text that it covers, and the one after the last.",
    )


class Ask(ApiModel):
    """The question whose answer settles an unknown. ``cost``: from 0 (free) to 5 (a biopsy)."""

    code: Token | None = Field(default=None, description="A stable code; none: derived from the leaf.")
    fr: Annotated[str, StringConstraints(min_length=1, max_length=500)] = Field(description="The question in French.")
    en: Annotated[str, StringConstraints(min_length=1, max_length=500)] = Field(description="The question in English.")
    who: Literal["patient", "clinician", "lab", "sponsor_lab"] = Field(description="Who can answer.")
    cost: Annotated[int, Field(ge=0, le=5)] = Field(description="The effort, from 0 (asking) to 5 (a biopsy).")


class Cohort(ApiModel):
    """A cohort of the trial."""

    id: Identifier = Field(description="The id, unique in the document.")
    label: Label = Field(description="The name.")


class Criterion(ApiModel):
    """One line of a protocol's inclusion or exclusion list."""

    id: Identifier = Field(description="The id, unique in the document.")
    kind: CriterionKind = Field(
        description="Whether it is an inclusion or an exclusion criterion. `unclear`: the source does not say; such a "
        "criterion is shown and asked, and is never met nor failed. Only criteria of grade `registry` may be unclear."
    )
    role: Literal["indication"] | None = Field(
        default=None, description="`indication`: it says for which patients the trial is at all."
    )
    cohorts: Annotated[list[Identifier], Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="The cohorts for which it counts; none: all."
    )
    countries: Annotated[list[Country], Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="The countries in which it counts (ISO 3166-1 alpha-2); none: all."
    )
    stage: Literal["prescreen", "screening", "consent"] = Field(
        default="screening", description="When it is checked; `consent` is left to the investigator."
    )
    text: Label | None = Field(default=None, description="The text of the criterion.")
    source: Source | None = Field(default=None, description="Where it was read.")
    expr: Expression = Field(description="The expression; of an exclusion, what must not be met.")
    discretion: bool = Field(
        default=False, description="Whether a person may decide otherwise: a failure is then unknown (`needs_human`)."
    )
    retest: Duration | None = Field(default=None, description="How long after a failed measurement it may be repeated.")
    ask: Ask | None = Field(default=None, description="The question that would settle it; none: derived from the leaf.")

    @field_validator("expr", mode="before")
    @classmethod
    def _not_too_deep(cls, value: Any) -> Any:
        level, depth = [value], 0
        while level:
            depth += 1
            if depth > MAX_DEPTH:
                raise PydanticCustomError("expression_too_deep", "an expression is at most 12 levels deep")
            level = [operand for expression in level for operand in _operands_of(expression)]
        return value


class CriteriaDocument(ApiModel):
    """All criteria of one trial.

    The registry sets ``version``. Grade ``signed`` needs an author and another person who signs.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    trial: Identifier = Field(description="The public identifier of the trial.")
    version: Annotated[int, Field(ge=1)] | None = Field(default=None, description="Set by the registry.")
    source_version: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        default=None, description="The version of the protocol that was encoded; signed criteria name it."
    )
    anchors: Annotated[list[Literal["screening", "dosing"]], Field(min_length=1, max_length=2)] = Field(
        default=["screening"], description="The moments to which criteria refer."
    )
    authored_by: Name | None = Field(default=None, description="Who encoded the criteria.")
    signed_by: Name | None = Field(default=None, description="The other person, who checked and signed them.")
    signed_by_rpps: Rpps | None = Field(
        default=None,
        description="The number of the physician who signed in the French directory of health professionals (RPPS). "
        "The registry requires it of criteria of the grade `signed`.",
    )
    signed_at: Instant | None = Field(default=None, description="When they were signed.")
    illustrative: bool = Field(
        default=False, description="Whether the people who wrote and signed them are invented, for demonstration."
    )
    source_hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        default=None,
        description="A hash of the source's eligibility (text, ages, sex) that they were written from. Set by the "
        "registry; if it is sent, it must be that of the present text.",
    )
    cohorts: list[Cohort] = Field(default=[], max_length=100, description="The cohorts; empty: one, with the id `all`.")
    grade: Literal["signed", "registry"] = Field(
        description="`signed`: by two people. `registry`: derived from the public record."
    )
    lead_time: Duration | None = Field(default=None, description="The time from screening to dosing.")
    criteria: list[Criterion] = Field(min_length=1, max_length=MAX_LEAVES, description="The criteria.")

    @model_validator(mode="after")
    def _signed_by_two_people(self) -> Self:
        if self.grade == "signed":
            if self.authored_by is None or self.signed_by is None or self.signed_at is None:
                raise PydanticCustomError(
                    "signature_missing", "the grade signed needs authored_by, signed_by and signed_at"
                )
            if any(criterion.kind == "unclear" for criterion in self.criteria):
                raise PydanticCustomError("kind_unclear", "a signed criterion is an inclusion or an exclusion")
            if _folded(self.authored_by) == _folded(self.signed_by):
                raise PydanticCustomError("signed_by_author", "the author and the signer are two different people")
        return self

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        cohorts = [cohort.id for cohort in self.cohorts]
        criteria = [criterion.id for criterion in self.criteria]
        if len(set(cohorts)) != len(cohorts) or len(set(criteria)) != len(criteria):
            raise PydanticCustomError("id_duplicate", "ids of cohorts and ids of criteria are unique")
        if any(cohort not in cohorts for criterion in self.criteria for cohort in criterion.cohorts or ()):
            raise PydanticCustomError("cohort_unknown", "a criterion names a cohort that the document does not list")
        if sum(1 for criterion in self.criteria for _ in leaves(criterion.expr)) > MAX_LEAVES:
            raise PydanticCustomError("leaves_too_many", "a document has at most 500 leaves")
        return self


def walk(expression: Node, pointer: str = "") -> Iterator[tuple[str, Node]]:
    """Yield the expression and every expression inside it, each with its JSON Pointer."""
    waiting = [(pointer, expression)]
    while waiting:
        place, node = waiting.pop()
        yield place, node
        waiting += [(place + step, operand) for step, operand in reversed(list(node.operands().items()))]


def leaves(expression: Node, pointer: str = "") -> Iterator[tuple[str, Leaf]]:
    """Return the leaves of an expression in the order of the document, each with its JSON Pointer."""
    return ((place, node) for place, node in walk(expression, pointer) if isinstance(node, Leaf))


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()


def _operands_of(raw: Any) -> list[Any]:
    """Return the possible operands of an object that is not validated yet."""
    if isinstance(raw, Node):
        return list(raw.operands().values())
    if not isinstance(raw, dict):
        return []
    lists = [operand for key in ("all", "any", "of") if isinstance(raw.get(key), list) for operand in raw[key]]
    return lists + [raw[key] for key in ("not", "if", "then", "else") if isinstance(raw.get(key), dict)]
