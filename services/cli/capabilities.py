"""Read and state what centres can do, what trials need and how long patients are followed."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from services.cli.gateway import CallError, Gateway, read_json
from services.cli.output import print_fields, print_table

CODES = "/registry/v1/capabilities/codes"
NOT_FOUND = 404


def capabilities_of(centre: str, code: str = "") -> str:
    """Return the address of the capabilities of a centre, or of one."""
    path = f"/registry/v1/centres/{quote(centre, safe='')}/capabilities"
    return f"{path}/{quote(code, safe='')}" if code else path


def of_trial(trial: str, part: str) -> str:
    """Return the address of a part of a trial."""
    return f"/registry/v1/trials/{quote(trial, safe='')}/{part}"


def state(gateway: Gateway, path: str, body: Mapping[str, Any]) -> Any:
    """State something: for the first time, or instead of its present version. Return what is stated now.

    :raises CallError: when a call fails.
    """
    try:
        tag = gateway.send("GET", path).headers.get("etag")
    except CallError as error:
        if error.status != NOT_FOUND:
            raise
        tag = None
    return put(gateway, path, body, tag)


def put(gateway: Gateway, path: str, body: Mapping[str, Any], tag: str | None) -> Any:
    """Send what is stated. ``tag``: of the version that it replaces; None: there is none.

    :raises CallError: when the call fails.
    """
    headers = {"If-Match": tag} if tag else {"If-None-Match": "*"}
    return read_json(gateway.send("PUT", path, body=body, headers=headers))


def remove(gateway: Gateway, centre: str, code: str) -> None:
    """Remove a capability.

    :raises CallError: when the call fails.
    """
    gateway.send("DELETE", capabilities_of(centre, code), headers={"If-Match": "*"})


def print_codes(items: Sequence[Mapping[str, Any]], language: str) -> None:
    """Print a line for each code."""
    rows = [
        (
            one["code"],
            one["requires"],
            str(one["validity_months"] or ""),
            str(one["lead_weeks"] or ""),
            one["label"][language],
        )
        for one in items
    ]
    print_table(("CODE", "REQUIRES", "MONTHS", "LEAD WEEKS", "LABEL"), rows)


def print_capabilities(items: Sequence[Mapping[str, Any]]) -> None:
    """Print a line for each capability."""
    rows = [
        (
            one["code"],
            one["state"],
            one["scope"],
            one["valid_until"] or "",
            one["planned_from"] or "",
            one["evidence"] or "",
            one["scope_note"] or "",
        )
        for one in items
    ]
    print_table(("CODE", "STATE", "SCOPE", "VALID UNTIL", "PLANNED FROM", "EVIDENCE", "LIMIT"), rows)


def print_fit(found: Mapping[str, Any]) -> None:
    """Print a line for each centre, with what it lacks."""
    rows = [
        (
            one["centre"],
            one["answer"],
            _weeks(one),
            ", ".join(_lacking(item) for item in one["items"] if item["state"] != "met") or ", ".join(one["reasons"]),
        )
        for one in found["centres"]
    ]
    print_table(("CENTRE", "ANSWER", "WEEKS", "LACKS"), rows)
    print_fields({"not known": found["not_known"] or None})


def _lacking(item: Mapping[str, Any]) -> str:
    population = f", {item['population']}" if item["population"] else ""
    return f"{item['code']} ({item['state']}{population})"


def _weeks(one: Mapping[str, Any]) -> str:
    if one["weeks"] is None:
        return "?"
    return f"about {one['weeks']}" if one["estimated"] else str(one["weeks"])


def print_follow_up(found: Mapping[str, Any], language: str) -> None:
    """Print the length of follow-up, and a line for each visit."""
    basis = found["basis"] and found["basis"][language]
    print_fields({"by": found["by"], "years": found["years"], "ends on": found["ends_on"], "basis": basis})
    rows = [
        (str(one["number"]), str(one["months"]), one["on"] or "", "own consent" if one["own_consent"] else "")
        for one in found["visits"]
    ]
    if rows:
        print_table(("VISIT", "MONTHS", "DAY", ""), rows)
