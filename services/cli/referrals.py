"""Send referrals, record their steps, and read worklists."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from services.cli.gateway import Gateway, read_json
from services.cli.output import print_fields, print_table

REFERRALS = "/registry/v1/referrals"
WORKLIST = "/registry/v1/worklist"


def send_referral(gateway: Gateway, given: Mapping[str, Any]) -> Any:
    """Send a referral. Return it.

    :raises CallError: when the call fails.
    """
    return read_json(gateway.send("POST", REFERRALS, body=given))


def read_referral(gateway: Gateway, reference: str) -> Any:
    """Return a referral.

    :raises CallError: when the call fails.
    """
    return gateway.read(_path(reference), {})


def list_referrals(gateway: Gateway, filters: Mapping[str, str], limit: int) -> list[Any]:
    """Return up to ``limit`` referrals, newest first.

    :raises CallError: when a call fails.
    """
    return gateway.first(limit, REFERRALS, filters)


def record_step(gateway: Gateway, reference: str, given: Mapping[str, Any]) -> Any:
    """Record a step from the present version of a referral. Return the referral.

    :raises CallError: when a call fails.
    """
    version = read_referral(gateway, reference)["version"]
    headers = {"If-Match": f'"v{version}"'}
    return read_json(gateway.send("POST", f"{_path(reference)}/steps", body=given, headers=headers))


def delete_referral(gateway: Gateway, reference: str) -> None:
    """Delete a referral.

    :raises CallError: when the call fails.
    """
    gateway.send("DELETE", _path(reference), headers={"If-Match": "*"})


def read_worklist(gateway: Gateway, media_type: str, centre: str, language: str) -> str:
    """Return the worklist of the caller, or of a centre, in a media type.

    :raises CallError: when the call fails.
    """
    path = f"{WORKLIST}?centre={quote(centre, safe='')}" if centre else WORKLIST
    return gateway.send("GET", path, headers={"Accept": media_type}, language=language).text


def _path(reference: str) -> str:
    return f"{REFERRALS}/{quote(reference, safe='')}"


def print_referrals(items: Sequence[Mapping[str, Any]]) -> None:
    """Print a line for each referral."""
    rows = [
        (one["reference"], one["state"], one["since"], one["answer_due"] or "", one["trial"], one["centre"])
        for one in items
    ]
    print_table(("REFERENCE", "STATE", "SINCE", "ANSWER DUE", "TRIAL", "CENTRE"), rows)


def print_referral(one: Mapping[str, Any]) -> None:
    """Print a referral: where it stands, its steps, and what can be done."""
    place = one["place"]
    print_fields(
        {
            "reference": one["reference"],
            "trial": one["trial"],
            "centre": one["centre"],
            "state": f"{one['state']} since {one['since']}",
            "answer due": one["answer_due"],
            "ask again on": one["ask_again_on"],
            "check again": one["check_again"],
            "too late": "yes" if one["too_late"] else None,
            "place": place and f"{place['state']} {place['position'] or ''}".strip(),
            "file": one["file"] and one["file"]["quote"]["en"],
            "possible": one["possible"],
        }
    )
    print_table(
        ("DATE", "BY", "ACTION", "STATE", "REASON"),
        [(step["on"], step["by"], step["action"], step["state"], step["reason"] or "") for step in one["steps"]],
    )


def print_worklist(worklist: Mapping[str, Any]) -> None:
    """Print a line for each item."""
    rows = [
        (
            one["due"] or "",
            "overdue" if one["overdue"] else "",
            one["label"]["en"] + (f" ({one['count']})" if one["count"] is not None else ""),
            one["subject"].partition("/")[2],
            one["trial"] or "",
        )
        for one in worklist["items"]
    ]
    print_table(("DUE", "", "WHAT", "SUBJECT", "TRIAL"), rows)
