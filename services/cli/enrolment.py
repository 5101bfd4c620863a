"""Read and declare the places of enrolments, decide on them, and show them as text."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from services.cli.gateway import Gateway, read_json
from services.cli.output import print_message, print_table
from services.cli.trials import TRIALS


def read_places(gateway: Gateway, trial: str) -> list[Any]:
    """Return the places of each centre and cohort of a trial.

    :raises CallError: when the call fails.
    """
    return list(gateway.read(f"{_of(trial)}/enrolment")["items"])


def read_waiting(gateway: Gateway, trial: str, centre: str, cohort: str) -> Any:
    """Return who waits for a place of a cohort, and who has one.

    :raises CallError: when the call fails.
    """
    return gateway.read(f"{_of(trial, centre, cohort)}/places")


def declare(gateway: Gateway, trial: str, centre: str, cohort: str, given: Mapping[str, Any]) -> Any:
    """Declare the places of a cohort; what is not given stays as it is. Return them.

    :raises CallError: when a call fails.
    """
    path = _of(trial, centre, cohort)
    answer = gateway.probe(path)
    headers, present = {"If-None-Match": "*"}, {}
    if answer.is_success:
        found, headers = read_json(answer), {"If-Match": answer.headers["etag"]}
        slots = found["manufacturing"]
        present = {
            "offered": found["offered"],
            "allocation": found["allocation"],
            "hold_days": found["hold_days"],
            "limit_months": found["limit_months"],
            "manufacturing": {"slots": slots["slots"]} if slots else None,
        }
    return read_json(gateway.send("PUT", path, body={**present, **given}, headers=headers))


def decide(gateway: Gateway, place: tuple[str, str, str], referral: str, given: Mapping[str, str]) -> Any:
    """Decide on the place of a referral. ``place``: trial, centre and cohort. Return its place.

    :raises CallError: when a call fails.
    """
    path = _of(*place)
    listed = gateway.read(f"{path}/places")
    found = next((one for one in [*listed["waiting"], *listed["taken"]] if one["referral"] == referral), None)
    headers = {"If-Match": f'"v{found["version"]}"' if found else "*"}
    target = f"{path}/places/{quote(referral, safe='')}/decision"
    return read_json(gateway.send("POST", target, body=given, headers=headers))


def release(gateway: Gateway, trial: str, cohort: str, given: Mapping[str, str]) -> Any:
    """Record the decision to go on after a dosing. Return the places of the cohort.

    :raises CallError: when the call fails.
    """
    path = f"{_of(trial)}/enrolment/{quote(cohort, safe='')}/release"
    return read_json(gateway.send("POST", path, body=given))["items"]


def print_places(items: Sequence[Mapping[str, Any]]) -> None:
    """Print a line for each centre and cohort."""
    rows = [
        (
            one["centre"],
            one["cohort"],
            *(str(one[name]) for name in ("offered", "held", "used", "waiting", "free")),
            ", ".join(one["closed"]),
            (one["staggering"] or {}).get("opens_on") or "",
            one["allocation"],
        )
        for one in items
    ]
    print_table(
        ("CENTRE", "COHORT", "OFFERED", "HELD", "USED", "WAITING", "FREE", "CLOSED BY", "OPENS ON", "ALLOCATED BY"),
        rows,
    )


def print_waiting(found: Mapping[str, Any]) -> None:
    """Print a line for each referral that waits, and for each that has a place."""
    rows = [
        (
            "too late" if one["too_late"] else str(one["position"] or ""),
            one["referral"],
            one["state"],
            one["stage"],
            one["urgency"],
            one["limit_on"] or "",
            (one["expires_at"] or "")[:10],
            ", ".join(one["possible"]),
        )
        for one in [*found["waiting"], *found["taken"]]
    ]
    print_table(("POSITION", "REFERRAL", "STATE", "STAGE", "URGENCY", "LIMIT", "EXPIRES", "POSSIBLE"), rows)


def print_place(found: Mapping[str, Any]) -> None:
    """Print the place of a referral."""
    until = f" until {found['expires_at'][:10]}" if found["expires_at"] else ""
    print_message(f"{found['referral']}: {found['state']}{until}")


def _of(trial: str, centre: str = "", cohort: str = "") -> str:
    path = f"{TRIALS}/{quote(trial, safe='')}"
    return f"{path}/sites/{quote(centre, safe='')}/enrolment/{quote(cohort, safe='')}" if centre else path
