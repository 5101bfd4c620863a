"""Combine leaves by Kleene's logic: (now, last_known, best_case, reasons, facts that the now state rests on)."""

MET, NOT_MET, UNKNOWN = "met", "not_met", "unknown"
FLIP = {MET: NOT_MET, NOT_MET: MET, UNKNOWN: UNKNOWN}


def kleene_all(states):
    return NOT_MET if NOT_MET in states else UNKNOWN if UNKNOWN in states else MET


def kleene_any(states):
    return MET if MET in states else UNKNOWN if UNKNOWN in states else NOT_MET


def kleene_at_least(number, states):
    if states.count(MET) >= number:
        return MET
    return NOT_MET if states.count(MET) + states.count(UNKNOWN) < number else UNKNOWN


def kleene_if(condition, then, otherwise):
    if condition == MET:
        return then
    if condition == NOT_MET:
        return otherwise
    return then if then == otherwise else UNKNOWN


def expression(expr, case, day):
    """Return (now, last_known, best_case, set of the reasons of what is unknown now, facts of the evidence)."""
    if "all" in expr or "any" in expr or "of" in expr:
        inner = [expression(one, case, day) for one in expr.get("all") or expr.get("any") or expr.get("of")]

        def combine(states):
            if "all" in expr:
                return kleene_all(states)
            return kleene_any(states) if "any" in expr else kleene_at_least(expr["at_least"], states)

        three = [combine([one[reading] for one in inner]) for reading in range(3)]
        used = [one for one in inner if one[0] == three[0]]
    elif "not" in expr:
        used = [expression(expr["not"], case, day)]
        three = [FLIP[state] for state in used[0][:3]]
    elif "if" in expr:
        condition, then = expression(expr["if"], case, day), expression(expr["then"], case, day)
        otherwise = expression(expr["else"], case, day) if expr.get("else") else (MET, MET, MET, set(), [])
        three = [kleene_if(condition[reading], then[reading], otherwise[reading]) for reading in range(3)]
        used = [condition]
        used += [then] if condition[0] != NOT_MET else []
        used += [otherwise] if condition[0] != MET else []
    else:
        now, last_known, best_case, reason, facts = case.leaf(expr, day)
        return now, last_known, best_case, {reason} if now == UNKNOWN else set(), facts
    reasons = set().union(*(one[3] for one in used)) if three[0] == UNKNOWN else set()
    return (*three, reasons, [fact for one in used for fact in one[4]])


def published(reasons):
    """Return the reasons as the page names them: `could_be` is only told apart for the listing."""
    return {"partial_detail" if reason == "could_be" else reason for reason in reasons}


def leaves_of(expr):
    """Return every leaf of an expression."""
    if "type" in expr:
        return [expr]
    inner = [*expr.get("all", []), *expr.get("any", []), *expr.get("of", [])]
    inner += [expr[name] for name in ("not", "if", "then", "else") if expr.get(name)]
    return [leaf for one in inner for leaf in leaves_of(one)]
