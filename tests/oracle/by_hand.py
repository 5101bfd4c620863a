"""Short notations for the cases that are checked by hand."""

from datetime import date, timedelta

from tests.oracle.oracle import Case, Knowledge, leaf_state
from tests.oracle.vocabulary import KNOWLEDGE, TERMINOLOGY

AS_OF = date(2025, 11, 22)
KNOWN = Knowledge(TERMINOLOGY, **KNOWLEDGE)
MET, NOT_MET, UNKNOWN = "met", "not_met", "unknown"


def patient(*facts, **fields):
    return {"as_of": AS_OF.isoformat(), "birth_date": "2010-05-01", "sex": "male", "facts": list(facts), **fields}


def fact(kind="condition", codes=("ORPHA:110",), **fields):
    return {"id": "f", "kind": kind, "codes": list(codes), **fields}


def measure(number, day, **fields):
    return fact("observation", ["LOINC:1742-6"], value=number, date=day, **fields)


def state(leaf, *facts, day=AS_OF, **fields):
    return leaf_state(leaf, patient(*facts, **fields), KNOWN, day, AS_OF)


def case(document, record, **fields):
    return Case(document, record, KNOWN, **fields)


def has(*codes, **fields):
    return {"type": "has", "codes": list(codes or ["ORPHA:110"]), **fields}


def changes(states):
    """Return the indexes at which a list of daily states changes, with the new state."""
    return [(index, one) for index, one in enumerate(states) if index == 0 or states[index - 1] != one]


def dated(leaf, days, *facts, **fields):
    states = [state(leaf, *facts, day=AS_OF + timedelta(days=number), **fields)[0] for number in range(days)]
    return [((AS_OF + timedelta(days=index)).isoformat(), one) for index, one in changes(states)]


def alt(**fields):
    return {"type": "value", "codes": ["LOINC:1742-6"], "op": "<", "value": 3, "basis": "xULN", **fields}


def include(expr, **fields):
    return {"id": f"I{len(str(expr))}", "kind": "include", "expr": expr, **fields}
