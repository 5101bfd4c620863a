"""A trial's computable criteria as written by an author and signed by a second person (`docs/eligibility.md`)."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from shared.criteria.expressions import Expression, Leaf, Node, Token
from shared.values.wire import ApiModel, Duration, Instant, Label
from shared.vocabulary.geography import Country

MAX_DEPTH = 12
MAX_LEAVES = 500

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-/]{0,63}$")]


class Source(ApiModel):
    """Source of a criterion: a reference, and the characters of the eligibility text it covers, ``[from, until)``."""

    ref: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    span: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=2, max_length=2)] | None = None


class Ask(ApiModel):
    """The question whose answer settles an unknown. ``cost``: from 0 (free) to 5 (a biopsy)."""

    code: Token | None = None
    fr: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    en: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    who: Literal["patient", "clinician", "lab", "sponsor_lab"]
    cost: Annotated[int, Field(ge=0, le=5)]


class Cohort(ApiModel):
    id: Identifier
    label: Label


class Criterion(ApiModel):
    """One line of a protocol's inclusion or exclusion list."""

    id: Identifier
    kind: Literal["include", "exclude"]
    role: Literal["indication"] | None = None
    cohorts: Annotated[list[Identifier], Field(min_length=1, max_length=100)] | None = None
    countries: Annotated[list[Country], Field(min_length=1, max_length=100)] | None = None
    stage: Literal["prescreen", "screening", "consent"] = "screening"
    text: Label | None = None
    source: Source | None = None
    expr: Expression
    discretion: bool = False
    retest: Duration | None = None
    ask: Ask | None = None

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

    trial: Identifier
    version: Annotated[int, Field(ge=1)] | None = None
    source_version: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    anchors: Annotated[list[Literal["screening", "dosing"]], Field(min_length=1, max_length=2)] = Field(
        default=["screening"]
    )
    authored_by: Name | None = None
    signed_by: Name | None = None
    signed_at: Instant | None = None
    cohorts: list[Cohort] = Field(default=[], max_length=100)
    grade: Literal["signed", "registry"]
    lead_time: Duration | None = None
    criteria: list[Criterion] = Field(min_length=1, max_length=MAX_LEAVES)

    @model_validator(mode="after")
    def _signed_by_two_people(self) -> Self:
        if self.grade == "signed":
            if self.authored_by is None or self.signed_by is None or self.signed_at is None:
                raise PydanticCustomError(
                    "signature_missing", "the grade signed needs authored_by, signed_by and signed_at"
                )
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
