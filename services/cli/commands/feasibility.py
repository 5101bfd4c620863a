"""`cleio feasibility`: what centres are asked about dossiers, and what they answer."""

from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.errors import one_line_errors
from services.cli.groups import Group
from services.cli.options import AsJson, Language, Url, split_values
from services.cli.output import print_json

feasibility = typer.Typer(
    cls=Group,
    help="What centres are asked about dossiers, and what they answer.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Submission = Annotated[str, typer.Argument(metavar="DOSSIER", help="The reference of the dossier: SUB-…")]
Centre = Annotated[str, typer.Argument(metavar="CENTRE", help="The id of the centre, such as fr-lille.")]
Day = Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The day when it happened; default: today.")]


@feasibility.command("list")
def list_requests(
    state: Annotated[str, typer.Option(help="Only this state, such as questionnaire_sent.")] = "",
    due_by: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="Only answers due by this day.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Number of lines.")] = 50,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """List what the own centre is asked; for the coordination all requests."""
    from services.cli.feasibility import print_requests, read_requests
    from services.cli.gateway import open_gateway

    filters = {name: value for name, value in (("state", state), ("due_by", due_by)) if value}
    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = read_requests(gateway, filters, limit)
    if as_json:
        print_json({"items": found})
    else:
        print_requests(found)


@feasibility.command("show")
def show(submission: Submission, centre: Centre, as_json: AsJson = False, url: Url = "") -> None:
    """Show a request: the study, where it stands, what can be done, and how long everything took."""
    from services.cli.feasibility import print_request, request_path
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = gateway.read(request_path(submission, centre))
    if as_json:
        print_json(found)
    else:
        print_request(found)


@feasibility.command("result")
def result(submission: Submission, as_json: AsJson = False, url: Url = "") -> None:
    """Show the result of a dossier over all centres; for the coordination also each request."""
    from services.cli.feasibility import BASE, print_result
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = gateway.read(f"{BASE}/submissions/{submission}/feasibility")
    if as_json:
        print_json(found)
    else:
        print_result(found)


@feasibility.command("ask")
def ask(
    submission: Submission,
    centre: Annotated[list[str] | None, typer.Option(help="These centres; for the coordination only.")] = None,
    by: Annotated[
        list[str] | None, typer.Option(help="Instead: those that fit by indication, age or capability.")
    ] = None,
    capability: Annotated[
        list[str] | None, typer.Option(help="With --by capability: what they must be able to do.")
    ] = None,
    on: Day = "",
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Ask centres about a dossier. Without --centre or --by: those that fit by disease and age."""
    from services.cli.feasibility import ask as send
    from services.cli.gateway import open_gateway

    given: dict[str, Any] = {"on": on} if on else {}
    given |= {"centres": split_values(centre)} if centre else {"by": split_values(by or ["indication", "age"])}
    given |= {"capabilities": split_values(capability)} if capability else {}
    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = send(gateway, submission, given)
    if as_json:
        print_json(found)
    else:
        typer.echo(f"{found['asked']} centres asked")


@feasibility.command("step")
def step(
    submission: Submission,
    centre: Centre,
    action: Annotated[str, typer.Argument(metavar="STEP", help="What was done: `show` lists what is possible.")],
    on: Day = "",
    reason: Annotated[str, typer.Option(help="Why: a code, required to decline and not to select.")] = "",
    text: Annotated[str, typer.Option(help="In words; a question, or its answer.")] = "",
    days: Annotated[int, typer.Option(help="With a questionnaire: days to answer it; default: 14.")] = 0,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Take a step of a request, such as triage, send_questionnaire, submit or decline."""
    from services.cli.feasibility import print_request
    from services.cli.feasibility import step as send
    from services.cli.gateway import open_gateway

    values = {"on": on, "reason": reason, "text": text, "days": days}
    given = {"action": action, **{name: value for name, value in values.items() if value}}
    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = send(gateway, submission, centre, given)
    if as_json:
        print_json(found)
    else:
        print_request(found)


@feasibility.command("questionnaire")
def questionnaire(
    submission: Submission,
    centre: Centre,
    language: Annotated[Language, typer.Option("--language", help="Of the questions.")] = Language.FR,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the answers so far as a file for `cleio feasibility answer`.")
    ] = False,
    url: Url = "",
) -> None:
    """Show the questionnaire with draft and suggested answers."""
    from services.cli.feasibility import print_questionnaire, request_path, template
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        sheet = gateway.read(f"{request_path(submission, centre)}/answers")
    if as_json:
        print_json(template(sheet))
    else:
        print_questionnaire(sheet, language)


@feasibility.command("answer")
def answer(
    submission: Submission,
    centre: Centre,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON, as `questionnaire --json` prints it.")],
    suggestions: Annotated[bool, typer.Option("--suggestions", help="Also take what is suggested.")] = False,
    submit: Annotated[bool, typer.Option("--submit", help="Then submit the answers as a whole.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the answers and save nothing.")] = False,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Save answers as the draft, or submit them."""
    from services.cli.feasibility import answer as send
    from services.cli.feasibility import print_saved, read_file
    from services.cli.feasibility import step as take
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        given = read_file(file)
        sheet = send(gateway, submission, centre, given, suggestions=suggestions, dry_run=dry_run)
        if submit and not dry_run:
            take(gateway, submission, centre, {"action": "submit"})
    if as_json:
        print_json(sheet)
    else:
        print_saved(sheet, dry_run=dry_run)


@feasibility.command("gate")
def gate(
    submission: Submission,
    centre: Centre,
    finess: Annotated[str, typer.Option(help="FINESS EJ of the entity that signed: records its agreement.")] = "",
    signed_by: Annotated[str, typer.Option(help="The function of the signatory, no name.")] = "",
    signed_on: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The day of the last signature.")] = "",
    valid_until: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The last day in force.")] = "",
    evidence: Annotated[str, typer.Option(help="The reference of the signed document.")] = "",
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Show the confidentiality gate of a centre on a dossier, or record a signed agreement (coordination)."""
    from services.cli.feasibility import print_gate, read_gate, sign
    from services.cli.gateway import open_gateway

    given = {
        "finess_ej": finess, "signed_by": signed_by, "signed_on": signed_on, "valid_until": valid_until,
        "evidence": evidence,
    }  # fmt: skip
    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = sign(gateway, submission, centre, given) if finess else read_gate(gateway, submission, centre)
    if as_json:
        print_json(found)
    else:
        print_gate(found)


@feasibility.command("entity")
def entity(
    centre: Centre,
    finess: Annotated[str, typer.Option(help="The FINESS number of the legal entity (FINESS EJ).")],
    name: Annotated[str, typer.Option(help="The name of the legal entity.")],
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Record the legal entity that signs for a centre (coordination)."""
    from services.cli.feasibility import set_entity
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = set_entity(gateway, centre, {"finess_ej": finess, "name": name})
    if as_json:
        print_json(found)
    else:
        typer.echo(f"{found['centre']}  {found['finess_ej']}  {found['name']}")
