"""Work on dossiers of studies, and show them as text."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from services.cli.gateway import CallError, Gateway, read_json
from services.cli.output import print_fields, print_message, print_table

SUBMISSIONS = "/registry/v1/submissions"


def create_dossier(gateway: Gateway, content: Path | None, number: str, usdm: Path | None) -> tuple[Any, list[Any]]:
    """Create a draft. Return it, and what was not understood of a protocol.

    :raises CallError: when a file cannot be read, or the call fails.
    """
    if usdm is not None:
        made = read_json(gateway.send("POST", f"{SUBMISSIONS}/usdm", body=read_document(usdm)))
        return made["submission"], made["findings"]
    given: dict[str, Any] = {"content": read_document(content)} if content is not None else {}
    if number:
        given["from"] = number
    return read_json(gateway.send("POST", SUBMISSIONS, body=given)), []


def edit_content(gateway: Gateway, submission: str, content: Path) -> Any:
    """Replace the content of a draft. Return the dossier.

    :raises CallError: when the file cannot be read, or a call fails.
    """
    path, given = f"{SUBMISSIONS}/{submission}", {"content": read_document(content)}
    return read_json(gateway.change(path, lambda _: ("PUT", f"{path}/content", given)))


def act(gateway: Gateway, submission: str, kind: str, given: Mapping[str, str]) -> Any:
    """Take a step or a decision. ``kind``: ``steps`` or ``decisions``. Return the dossier.

    :raises CallError: when a call fails.
    """
    path = f"{SUBMISSIONS}/{submission}"
    body = {name: value for name, value in given.items() if value}
    return read_json(gateway.change(path, lambda _: ("POST", f"{path}/{kind}", body)))


def set_parties(gateway: Gateway, submission: str, method: str, part: str, given: Any) -> Any:
    """Delegate a dossier or offer it to another sponsor. ``part``: the path below the dossier. Return the dossier.

    :raises CallError: when a call fails.
    """
    path = f"{SUBMISSIONS}/{submission}"
    return read_json(gateway.change(path, lambda _: (method, f"{path}/{part}", given)))


def add_comment(gateway: Gateway, submission: str, given: Mapping[str, Any]) -> Any:
    """Comment on a dossier.

    :raises CallError: when the call fails.
    """
    return read_json(gateway.send("POST", f"{SUBMISSIONS}/{submission}/comments", body=given))


def read_document(file: Path) -> Any:
    """Return the JSON of a file.

    :raises CallError: when it is none.
    """
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CallError(f"{file} cannot be read: {error.strerror}") from None
    except ValueError:
        raise CallError(f"{file} is not JSON in UTF-8") from None


def print_heads(items: Sequence[Any]) -> None:
    """Print a line for each dossier."""
    rows = [(one["reference"], one["state"], one["answer"] or "", one["owner"], one["title"] or "") for one in items]
    print_table(["DOSSIER", "STATE", "ANSWER", "OWNER", "TITLE"], rows)


def print_dossier(one: Mapping[str, Any]) -> None:
    """Print where a dossier stands, its steps, and what the caller can do."""
    print_fields(
        {
            "dossier": one["reference"],
            "title": one["title"],
            "owner": one["owner"],
            "state": one["state"] + (f", {one['answer']}" if one["answer"] else ""),
            "submitted": str(one["submitted"]),
            "trial": one["trial_id"],
            "possible": ", ".join(one["actions"]),
        }
    )
    steps = one["steps"]
    rows = [(step["on"] or step["at"][:10], step["action"], step["state"], step["reason"] or "") for step in steps]
    print_table(["ON", "STEP", "STATE", "REASON"], rows)


def print_versions(items: Sequence[Any]) -> None:
    """Print a line for each submitted version."""
    rows = [
        (str(one["number"]), one["at"][:10], one["author"], f"{one['screening']['score']}/{one['screening']['of']}")
        for one in items
    ]
    print_table(["VERSION", "SUBMITTED", "AUTHOR", "WHO ITEMS"], rows)


def print_screening(found: Mapping[str, Any], language: str) -> None:
    """Print scope, score and findings, among them the missing items."""
    print_fields({"scope": found["scope"]["answer"], "WHO items": f"{found['score']}/{found['of']}"})
    print_findings(found["findings"], language)


def print_findings(findings: Sequence[Any], language: str) -> None:
    """Print a line for each finding."""
    if findings:
        rows = [(one["severity"], one["pointer"], one["detail"][language]) for one in findings]
        print_table(["SEVERITY", "FIELD", "FINDING"], rows)


def print_diff(found: Mapping[str, Any]) -> None:
    """Print a line for each field that differs."""
    rows = [(one["path"], _short(one["before"]), _short(one["after"])) for one in found["items"]]
    print_table(["FIELD", "BEFORE", "AFTER"], rows)
    if found["criteria_changed"]:
        print_message("The change concerns who can take part.")


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:59]}…"
