"""Submit studies, follow them, and decide on them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from services.cli.gateway import CallError, Gateway, read_json
from services.cli.output import print_fields, print_table

SUBMISSIONS = "/registry/v1/submissions"
MAX_PAGE = 200


def path_of(reference: str) -> str:
    """Return the path of a dossier."""
    return f"{SUBMISSIONS}/{reference}"


def read_submissions(gateway: Gateway, filters: Mapping[str, str], limit: int) -> list[Any]:
    """Return up to ``limit`` dossiers, newest first.

    :raises CallError: when a call fails.
    """
    query = {**filters, "limit": str(min(limit, MAX_PAGE))}
    return list(islice(_pages(gateway, query), limit))


def _pages(gateway: Gateway, query: Mapping[str, str]) -> Iterator[Any]:
    page = gateway.read(SUBMISSIONS, query)
    yield from page["items"]
    while page["next"]:
        page = gateway.read(SUBMISSIONS, {**query, "cursor": page["next"]})
        yield from page["items"]


def read_file(file: Path) -> dict[str, Any]:
    """Return the JSON object in a file.

    :raises CallError: when it is none.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        raise CallError(f"{file} is not JSON in UTF-8") from None
    if not isinstance(document, dict):
        raise CallError(f"{file} is not a JSON object")
    return document


def create(gateway: Gateway, given: Mapping[str, Any]) -> Any:
    """Create a dossier. ``given``: ``content``, ``from`` or the ``study`` of a digital protocol. Return it.

    :raises CallError: when the call fails.
    """
    if "study" not in given:
        return {"submission": read_json(gateway.send("POST", SUBMISSIONS, body=given)), "findings": []}
    return read_json(gateway.send("POST", f"{SUBMISSIONS}/usdm", body=given))


def change(gateway: Gateway, reference: str, method: str, part: str, given: Any) -> Any:
    """Change a dossier as it is now. ``part``: ``content``, ``steps``, ``decisions``, … Return the dossier.

    :raises CallError: when a call fails.
    """
    path = path_of(reference)
    return read_json(gateway.change(path, lambda _: (method, f"{path}/{part}", given)))


def print_submissions(items: Sequence[Mapping[str, Any]]) -> None:
    """Print a line for each dossier."""
    rows = [
        (one["reference"], one["state"], one["answer"] or "", one["updated_at"][:10], one["owner"], one["title"] or "")
        for one in items
    ]
    print_table(("DOSSIER", "STATE", "ANSWER", "CHANGED", "OWNER", "TITLE"), rows)


def print_submission(one: Mapping[str, Any]) -> None:
    """Print where a dossier stands, what can be done, and what was done."""
    print_fields(
        {
            "dossier": one["reference"],
            "title": one["title"],
            "owner": one["owner"],
            "offered to": one["transfer_to"],
            "state": one["state"],
            "answer": one["answer"],
            "version": one["submitted"] or "not submitted yet",
            "public": one["published"],
            "trial": one["trial_id"],
            "consent by": one["consent_by"],
            "asked by": one["publication_asked_by"],
            "possible": ", ".join(one["actions"]) or "nothing",
        }
    )
    rows = [
        (step["on"] or "", step["action"], step["state"], step["author"], step["reason"] or "") for step in one["steps"]
    ]
    print_table(("DATE", "STEP", "STATE", "AUTHOR", "REASON"), rows)


def print_screening(found: Mapping[str, Any], language: str) -> None:
    """Print the score and the findings. The missing items are among them."""
    print_fields({"scope": found["scope"]["answer"], "WHO items": f"{found['score']}/{found['of']}"})
    print_findings(found["findings"], language)


def print_findings(findings: Sequence[Mapping[str, Any]], language: str) -> None:
    """Print a line for each finding."""
    rows = [(one["severity"], one["pointer"] or "/", one["detail"][language]) for one in findings]
    print_table(("SEVERITY", "FIELD", "WHAT TO DO"), rows)


def print_versions(items: Sequence[Mapping[str, Any]]) -> None:
    """Print a line for each submitted version."""
    rows = [
        (str(one["number"]), one["at"][:10], one["author"], f"{one['screening']['score']}/{one['screening']['of']}")
        for one in items
    ]
    print_table(("VERSION", "SUBMITTED", "AUTHOR", "WHO ITEMS"), rows)


def print_diff(found: Mapping[str, Any]) -> None:
    """Print the fields that differ."""
    rows = [(one["path"], _short(one["before"]), _short(one["after"])) for one in found["items"]]
    print_table(("FIELD", "BEFORE", "AFTER"), rows)
    print_fields({"criteria": "changed" if found["criteria_changed"] else "unchanged"})


def print_comments(items: Sequence[Mapping[str, Any]]) -> None:
    """Print a line for each comment."""
    rows = [
        (one["at"][:10], one["author"], "internal" if one["internal"] else "", one["pointer"] or "", one["text"])
        for one in items
    ]
    print_table(("DATE", "AUTHOR", "READERS", "FIELD", "COMMENT"), rows)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:59]}…"
