"""Read results: what the words of a finding say, what a test shows, and which results something has spoilt."""

from datetime import timedelta

from tests.oracle.days import BEGINNING
from tests.oracle.words import of_word


def statements(fact, terminology):
    """Return the statements of one fact: itself, and one for each concept that its test shows.

    `reported` is the status that was sent, `derived` marks the concept of a test.
    """
    status = fact.get("status", "present")
    own = {**fact, "codes": list(fact.get("codes", [])), "status": status, "reported": status, "derived": False}
    if fact["kind"] != "observation":
        return [own]
    shown = terminology.shown_by(fact)
    value = fact.get("value")
    if status == "present" and value is not None:
        own["status"] = read(value, bool(shown or terminology.state_of(fact)[0]))
    tested = own["status"] if value is not None or status != "present" else "unconfirmed"  # no result is given
    tested = {**own, "status": tested, "test": own["codes"], "derived": True}
    derived = [{**tested, "codes": [concept]} for concept in shown]
    for one, (positive_shows, negative_denies) in zip(derived, shown.values(), strict=True):
        if one["status"] == "present" and not positive_shows:
            one["status"] = "unconfirmed"
        if one["status"] == "absent" and not negative_denies:
            one["status"] = "says nothing"
    return [own, *derived]


def read(value, finding):
    """Return the status that a result gives; `finding`: whether the code names a finding or a test of one.

    A negative word denies whatever was looked for; a number says nothing of a finding.
    """
    if isinstance(value, str):
        status = of_word(value)
        return status if finding or status == "absent" else "present"
    return "unconfirmed" if finding else "present"


def is_positive(fact):
    """Return whether a result is positive: present, or a number that is not below some bound."""
    if isinstance(fact.get("value"), int | float):
        return fact["value"] != 0 and fact.get("comparator") not in ("<", "<=")
    return fact["status"] == "present"


def possible_days_of(fact, record):
    """Return each day that the fact may be of, or None without any date."""
    first, last = record.dates(fact)
    if first == BEGINNING:
        return None
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def spoilt(fact, rules, record):
    """Return `yes`, `maybe` or `no`: whether something has spoilt the result."""
    answers = ["no"]
    days = possible_days_of(fact, record)
    for rule in rules:
        result = {"codes": [*fact["codes"], *fact.get("test", [])]}
        named = any(record.terminology.carries(result, code) for code in rule.get("results", []))
        named = named or (rule.get("variants") and fact["kind"] == "variant")
        if not named or fact.get("relative") or (rule.get("positive_only") and not is_positive(fact)):
            continue
        causes = [
            cause
            for cause in record.with_status("present")
            if any(record.terminology.carries(cause, code) for code in rule.get("after", []))
        ]
        if causes and days is None:
            answers.append("maybe")
        for cause in causes if days else []:
            places = {record.in_window(cause, rule.get("within"), day) for day in days}
            answers.append("yes" if places == {"yes"} else "no" if places == {"no"} else "maybe")
        if rule.get("younger_than"):
            answers.append(record.younger(rule["younger_than"], days))
    return "yes" if "yes" in answers else "maybe" if "maybe" in answers else "no"


def marked(record, rules):
    """Return the facts with what is spoilt marked: a finding is unconfirmed, a variant uncertain."""
    found = []
    of_events = [rule for rule in rules if not rule.get("younger_than")]
    for fact in record.facts:
        answer = spoilt(fact, rules, record) if fact["kind"] in ("observation", "variant") else "no"
        otherwise = spoilt(fact, of_events, record) if answer != "no" else "no"
        changed = {**fact, "spoilt": answer, "spoilt_otherwise": otherwise}
        if answer != "no" and fact["kind"] == "variant":
            changed["variant"] = {**fact["variant"], "significance": "uncertain"}
        if answer != "no" and fact["status"] in (("absent",) if "variant" in fact else ("present", "absent")):
            changed["status"] = "unconfirmed"
        found.append(changed)
    return found
