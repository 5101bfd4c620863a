"""Read and state how the sites of a trial are authorised and opened."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from services.cli.capabilities import of_trial, put
from services.cli.gateway import Gateway
from services.cli.output import print_table


def path_of(trial: str) -> str:
    """Return the address of the regulatory path of a trial."""
    return of_trial(trial, "regulatory-path")


def gmo_of(trial: str) -> str:
    """Return the address of the GMO declaration of a trial."""
    return of_trial(trial, "gmo-declaration")


def checklist_of(trial: str, centre: str, item: str = "") -> str:
    """Return the address of the checklist of a site, or of an item."""
    path = of_trial(trial, f"sites/{quote(centre, safe='')}/checklist")
    return f"{path}/{quote(item, safe='')}" if item else path


def enter(gateway: Gateway, trial: str, step: str, body: Mapping[str, Any]) -> Any:
    """Enter a step, for the first time or again. Return the path.

    :raises CallError: when a call fails.
    """
    path = path_of(trial)
    versions = {one["step"]: one["version"] for one in gateway.read(path)["steps"]}
    version = versions.get(step)
    return put(gateway, f"{path}/{quote(step, safe='')}", body, f'"v{version}"' if version else None)


def print_path(found: Mapping[str, Any], language: str) -> None:
    """Print a line for each step, then the blockers and alarms."""
    rows = [
        (
            one["step"],
            "yes" if one["required"] else "no",
            one["state"] or "",
            _days(one),
            one["reference"] or "",
        )
        for one in found["steps"]
    ]
    print_table(("STEP", "REQUIRED", "STATE", "DAYS", "REFERENCE"), rows)
    print_findings(found, language)


def print_findings(found: Mapping[str, Any], language: str) -> None:
    """Print a line for each blocker and alarm, with what to do."""
    rows = [
        (kind, one["code"], one["on"] or "", f"{one['detail'][language]}. {one['action'][language]}")
        for kind, name in (("blocker", "blockers"), ("alarm", "alarms"))
        for one in found.get(name, ())
    ]
    if rows:
        print_table(("KIND", "CODE", "DAY", "WHAT TO DO"), rows)


def print_checklist(found: Mapping[str, Any], language: str) -> None:
    """Print a line for each item, then the blockers."""
    rows = [
        (
            one["item"],
            one["owner"],
            one["state"] if one["required"] else f"{one['state']}, not required",
            one["due"] or "",
            one["done_on"] or "",
            one["reference"] or "",
            one["label"][language],
        )
        for one in found["items"]
    ]
    print_table(("ITEM", "OWNER", "STATE", "DUE", "DONE ON", "REFERENCE", "LABEL"), rows)
    print_findings(found, language)


def _days(one: Mapping[str, Any]) -> str:
    if one["earliest"] is None:
        return ""
    days = one["earliest"] if one["earliest"] == one["latest"] else f"{one['earliest']} to {one['latest']}"
    return f"{days}, estimated" if one["estimated"] else days
