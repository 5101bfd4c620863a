"""Ask centres about dossiers, and answer for a centre."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from services.cli.gateway import CallError, Gateway, read_json
from services.cli.output import print_fields, print_message, print_table

BASE = "/registry/v1"
ABSENT = 404


def request_path(submission: str, centre: str) -> str:
    """Return the path of a request."""
    return f"{BASE}/feasibility/{submission}/{centre}"


def read_requests(gateway: Gateway, filters: Mapping[str, str], limit: int) -> list[Any]:
    """Return up to ``limit`` requests, newest first.

    :raises CallError: when a call fails.
    """
    return gateway.first(limit, f"{BASE}/feasibility", filters)


def ask(gateway: Gateway, submission: str, given: Mapping[str, Any]) -> Any:
    """Ask centres about a dossier. Return how many.

    :raises CallError: when the call fails.
    """
    return read_json(gateway.send("POST", f"{BASE}/submissions/{submission}/feasibility", body=given))


def step(gateway: Gateway, submission: str, centre: str, given: Mapping[str, Any]) -> Any:
    """Take a step of a request. Return the request.

    :raises CallError: when a call fails.
    """
    path = request_path(submission, centre)
    return read_json(gateway.change(path, lambda _: ("POST", f"{path}/steps", given)))


def read_file(file: Path) -> Any:
    """Return the answers of a file, as `cleio feasibility questionnaire --json` writes them.

    :raises CallError: when the file is not JSON of that form.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        raise CallError(f"{file} is not JSON in UTF-8") from None
    if not isinstance(document, dict) or not isinstance(document.get("answers"), list):
        raise CallError(f'{file} is not of the form {{"answers": [{{"question": …, "value": …}}]}}')
    return document


def answer(
    gateway: Gateway, submission: str, centre: str, given: Mapping[str, Any], *, suggestions: bool, dry_run: bool
) -> Any:
    """Save answers as the draft. ``suggestions``: those of the registry too, where ``given`` has no answer.

    :raises CallError: when a call fails.
    """
    path = f"{request_path(submission, centre)}/answers"

    def write(current: Any) -> tuple[str, str, Any]:
        more = suggested(current, given["answers"]) if suggestions else []
        return "PUT", f"{path}?dry_run=true" if dry_run else path, {**given, "answers": [*given["answers"], *more]}

    return read_json(gateway.change(path, write))


def suggested(sheet: Mapping[str, Any], answers: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the suggestions of a questionnaire for the questions that ``answers`` leave open."""
    given = {(one.get("question"), one.get("condition")) for one in answers if isinstance(one, dict)}
    return [
        _answer(one)
        for one in sheet["questions"]
        if one["prefilled_from"] and (one["question"], one["condition"]) not in given
    ]


def template(sheet: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers of a questionnaire, draft and suggestions, as a file for `cleio feasibility answer`."""
    answers = [_answer(one) for one in sheet["questions"] if one["value"] is not None]
    return {"answers": answers, "may_be_named": sheet["may_be_named"]}


def _answer(one: Mapping[str, Any]) -> dict[str, Any]:
    of_disease = {"condition": one["condition"]} if one["condition"] else {}
    return {"question": one["question"], **of_disease, "value": one["value"]}


def read_gate(gateway: Gateway, submission: str, centre: str) -> Any:
    """Return the confidentiality gate of a centre on a dossier.

    :raises CallError: when the call fails.
    """
    return gateway.read(f"{request_path(submission, centre)}/gate")


def sign(gateway: Gateway, submission: str, centre: str, given: Mapping[str, Any]) -> Any:
    """Record a confidentiality agreement, or its renewal. Return the gate.

    :raises CallError: when a call fails.
    """
    path = f"{request_path(submission, centre)}/gate"
    version = read_gate(gateway, submission, centre)["version"]
    headers = {"If-Match": f'"v{version}"'} if version else {"If-None-Match": "*"}
    return read_json(gateway.send("PUT", path, body=given, headers=headers))


def set_entity(gateway: Gateway, centre: str, given: Mapping[str, Any]) -> Any:
    """Record the legal entity of a centre, or replace it.

    :raises CallError: when a call fails.
    """
    path = f"{BASE}/centres/{centre}/legal-entity"
    try:
        current = gateway.send("GET", path)
    except CallError as error:
        if error.status != ABSENT:
            raise
        return read_json(gateway.send("PUT", path, body=given, headers={"If-None-Match": "*"}))
    return read_json(gateway.send("PUT", path, body=given, headers={"If-Match": current.headers["etag"]}))


def print_requests(items: Sequence[Mapping[str, Any]]) -> None:
    """Print a line for each request."""
    rows = [
        (one["submission"], one["centre"], one["state"], one["requested_at"][:10], one["deadline"] or "")
        for one in items
    ]
    print_table(("DOSSIER", "CENTRE", "STATE", "ASKED", "DEADLINE"), rows)


def print_request(one: Mapping[str, Any]) -> None:
    """Print a request: the study, where it stands, what can be done, and its clocks."""
    dossier = one["dossier"]
    print_fields(
        {
            "dossier": one["submission"],
            "centre": one["centre"],
            "state": one["state"],
            "gate": one["gate"],
            "deadline": one["deadline"],
            "disease": [shown["code"] or shown["text"] for shown in dossier["conditions"]],
            "phase": dossier["phase"],
            "ages": dossier["age_bands"],
            "countries": str(dossier["countries"]),
            "possible": one["actions"],
        }
    )
    for clock in one["clocks"]:
        days = f"{clock['days']} days, {clock['working_days']} working days"
        paused = f", paused {clock['paused']} days" if clock["paused"] else ""
        print_message(f"{clock['name']}: {days}{paused} ({clock['outcome']})")


def print_questionnaire(sheet: Mapping[str, Any], language: str) -> None:
    """Print a line for each question, with its answer or suggestion."""
    rows = [
        (
            one["question"],
            one["condition"] or "",
            "required" if one["required"] else "",
            "" if one["value"] is None else str(one["value"]),
            one["prefilled_from"] or "",
            one["label"][language],
        )
        for one in sheet["questions"]
    ]
    print_table(("QUESTION", "DISEASE", "", "ANSWER", "FROM", "TEXT"), rows)


def print_saved(sheet: Mapping[str, Any], *, dry_run: bool) -> None:
    """Print what was saved, and which required answers are missing."""
    count = sum(one["value"] is not None and one["prefilled_from"] is None for one in sheet["questions"])
    print_message(f"{count} answers {'are valid (dry run)' if dry_run else 'saved'}")
    if sheet["missing"]:
        print_message(f"missing: {', '.join(sheet['missing'])}")


def print_gate(gate: Mapping[str, Any]) -> None:
    """Print a confidentiality gate."""
    entity, agreement = gate["entity"] or {}, gate["agreement"] or {}
    print_fields(
        {
            "gate": gate["state"],
            "entity": f"{entity['finess_ej']} {entity['name']}" if entity else "not recorded",
            "signed by": agreement.get("signed_by"),
            "signed on": agreement.get("signed_on"),
            "valid until": agreement.get("valid_until"),
            "evidence": agreement.get("evidence"),
        }
    )


def print_result(overview: Mapping[str, Any]) -> None:
    """Print the result of a dossier, and the requests that the caller may see by centre."""
    result = overview["result"]
    expected = result["expected"] or {}
    months = expected.get("months")
    print_fields(
        {
            **{name: str(result[name]) for name in ("asked", "answered", "declined", "selected")},
            "able": str(expected["able"]) if expected else "fewer than three answers",
            "in all": expected.get("total"),
            "per year": expected.get("per_year"),
            "months": f"{months['lowest']} to {months['highest']}" if months else None,
        }
    )
    if overview["requests"]:
        print_requests(overview["requests"])
