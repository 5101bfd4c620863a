"""A quick answer for the trials of other diseases: nothing recorded concerns the codes of their indication."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.terminology import Terminology
from shared.criteria import expressions
from shared.criteria.model import Criterion, leaves


@dataclass(frozen=True, slots=True)
class IndicationCodes:
    """The codes of an indication that asks for nothing but conditions of the patient.

    ``asked``: the codes and their equivalents; ``above``: they and all that is more general; ``domains``: those whose
    completeness could show that there is no such condition.
    """

    asked: frozenset[str]
    above: frozenset[str]
    domains: frozenset[str]

    @classmethod
    def of(cls, criteria: Iterable[Criterion], terminology: Terminology) -> Self | None:
        """Return the codes of all leaves; None where a leaf asks for anything else."""
        found = [leaf for criterion in criteria for _, leaf in leaves(criterion.expr)]
        if not all(isinstance(leaf, expressions.Has) and leaf.relative is None for leaf in found):
            return None
        conditions = [leaf for leaf in found if isinstance(leaf, expressions.Has)]
        codes = {code for leaf in conditions for code in leaf.codes}
        none = frozenset[str]()
        return cls(
            none.union(*map(terminology.same, codes)),
            none.union(*map(terminology.above, codes)),
            frozenset(leaf.domain for leaf in conditions if leaf.domain is not None),
        )

    def is_unmentioned(self, patient: PatientIndex) -> bool:
        """Return whether no fact carries, may carry or denies a code, and no declaration could deny one."""
        facts = patient.facts_of()
        # Keys look through the smaller of the two sides, sets always through the other one.
        return (
            facts.carriers.keys().isdisjoint(self.asked)
            and all(
                codes.keys().isdisjoint(self.above)
                for codes in (facts.asserted, facts.refining, facts.denied, facts.excluded)
                if codes
            )
            and not any(patient.declares(domain) for domain in self.domains)
        )
