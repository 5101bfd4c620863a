"""`cleio submissions`: studies that sponsors submit, and what is decided on them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.errors import one_line_errors
from services.cli.options import AsJson, Language, Url
from services.cli.output import print_json

submissions = typer.Typer(
    help="Studies that sponsors submit, and what is decided.", no_args_is_help=True, rich_markup_mode=None
)

Reference = Annotated[str, typer.Argument(metavar="DOSSIER", help="The reference of the dossier: SUB-…")]
Content = Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="The content, as JSON.")]
Lang = Annotated[Language, typer.Option("--lang", help="Language of the findings.")]
Reason = Annotated[str, typer.Option(help="Why: kept with the step.")]
Day = Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The day when it happened; default: today.")]


@submissions.command("list")
def list_all(
    state: Annotated[str, typer.Option(help="Only this state, such as submitted.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Number of lines.")] = 50,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """List the own dossiers; for the coordination all."""
    from services.cli.gateway import open_gateway
    from services.cli.submissions import print_submissions, read_submissions

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = read_submissions(gateway, {"state": state} if state else {}, limit)
    if as_json:
        print_json({"items": found})
    else:
        print_submissions(found)


@submissions.command("show")
def show(reference: Reference, as_json: AsJson = False, url: Url = "") -> None:
    """Show where a dossier stands and what can be done."""
    from services.cli.gateway import open_gateway
    from services.cli.submissions import path_of

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        _print(gateway.read(path_of(reference)), as_json=as_json)


@submissions.command("create")
def create(
    content: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="A file with the content.")] = None,
    number: Annotated[str, typer.Option("--from", help="Begin with what the registry has of this trial.")] = "",
    usdm: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="A protocol in USDM 4.")] = None,
    language: Lang = Language.FR,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Create a draft, also from a trial or a protocol."""
    from services.cli.gateway import CallError, open_gateway
    from services.cli.submissions import create as send
    from services.cli.submissions import print_findings, read_file

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        if usdm is not None and (content is not None or number):
            raise CallError("give --usdm alone: a protocol fills the whole dossier")
        given: dict[str, Any] = {"content": read_file(content)} if content else {}
        given |= {"from": number} if number else {}
        found = send(gateway, read_file(usdm) if usdm else given)
    if as_json:
        print_json(found)
        return
    _print(found["submission"], as_json=False)
    if found["findings"]:
        print_findings(found["findings"], language)


@submissions.command("edit")
def edit(reference: Reference, file: Content, as_json: AsJson = False, url: Url = "") -> None:
    """Replace the content of a draft."""
    from services.cli.submissions import read_file

    with one_line_errors():
        given = {"content": read_file(file)}
    _change(reference, "PUT", "content", given, as_json=as_json, url=url)


@submissions.command("screen")
def screen(reference: Reference, language: Lang = Language.FR, as_json: AsJson = False, url: Url = "") -> None:
    """Screen a dossier: scope, the 24 items of the WHO, consistency."""
    from services.cli.gateway import open_gateway
    from services.cli.submissions import path_of, print_screening

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = gateway.read(f"{path_of(reference)}/screening")
    if as_json:
        print_json(found)
    else:
        print_screening(found, language)


@submissions.command("step")
def step(
    reference: Reference,
    action: Annotated[str, typer.Argument(metavar="STEP", help="What is done: `show` lists what is possible.")],
    reason: Reason = "",
    on: Day = "",
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Take a step, such as submit, screen, return, withdraw or amend."""
    given = {"action": action, **_given(reason=reason, on=on)}
    _change(reference, "POST", "steps", given, as_json=as_json, url=url)


@submissions.command("decide")
def decide(
    reference: Reference,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="consent, decide or publish.")],
    answer: Annotated[str, typer.Option(help="To decide: accepted or declined.")] = "",
    reason: Reason = "",
    on: Day = "",
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Consent to the publication, accept or decline, or publish."""
    given = {"action": action, **_given(answer=answer, reason=reason, on=on)}
    _change(reference, "POST", "decisions", given, as_json=as_json, url=url)


@submissions.command("versions")
def versions(reference: Reference, as_json: AsJson = False, url: Url = "") -> None:
    """List the versions that were submitted."""
    from services.cli.gateway import open_gateway
    from services.cli.submissions import path_of, print_versions

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = gateway.read(f"{path_of(reference)}/versions")
    if as_json:
        print_json(found)
    else:
        print_versions(found["items"])


@submissions.command("diff")
def diff(
    reference: Reference,
    first: Annotated[int, typer.Option("--from", min=1, help="The earlier version.")],
    last: Annotated[int, typer.Option("--to", min=0, help="The later version; default: the working content.")] = 0,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Compare two versions, and say whether the criteria change."""
    from services.cli.gateway import open_gateway
    from services.cli.submissions import path_of, print_diff

    query = {"from": str(first), **({"to": str(last)} if last else {})}
    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = gateway.read(f"{path_of(reference)}/versions/diff", query)
    if as_json:
        print_json(found)
    else:
        print_diff(found)


@submissions.command("comment")
def comment(
    reference: Reference,
    text: Annotated[str, typer.Argument(metavar="[TEXT]", help="The comment; without it all are listed.")] = "",
    pointer: Annotated[str, typer.Option(help="The field that it is about, such as /trial/phase.")] = "",
    internal: Annotated[bool, typer.Option("--internal", help="Only the coordination reads it.")] = False,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Comment on a dossier, or list the comments."""
    from services.cli.gateway import open_gateway, read_json
    from services.cli.submissions import path_of, print_comments

    path = f"{path_of(reference)}/comments"
    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        if text:
            given = {"text": text, "internal": internal, **_given(pointer=pointer)}
            found = {"items": [read_json(gateway.send("POST", path, body=given))]}
        else:
            found = gateway.read(path, {"limit": "200"})
    if as_json:
        print_json(found)
    else:
        print_comments(found["items"])


@submissions.command("delegate")
def delegate(
    reference: Reference,
    organisation: Annotated[str, typer.Argument(metavar="SPONSOR", help="The id of the other sponsor.")],
    may_consent: Annotated[bool, typer.Option("--may-consent", help="It may also consent to the publication.")] = False,
    revoke: Annotated[bool, typer.Option("--revoke", help="End the delegation.")] = False,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Let another sponsor act on a dossier, or end that."""
    method, given = ("DELETE", None) if revoke else ("PUT", {"may_consent": may_consent})
    _change(reference, method, f"delegates/{organisation}", given, as_json=as_json, url=url)


@submissions.command("transfer")
def transfer(
    reference: Reference,
    reason: Annotated[str, typer.Option(help="Why: kept with the step.")],
    organisation: Annotated[str, typer.Argument(metavar="[SPONSOR]", help="Without it the offer is taken back.")] = "",
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Offer a dossier to another sponsor, or take it back."""
    given = {"to": organisation or None, "reason": reason}
    _change(reference, "POST", "transfer", given, as_json=as_json, url=url)


def _given(**options: str) -> dict[str, str]:
    return {name: value for name, value in options.items() if value}


def _change(reference: str, method: str, part: str, given: Any, *, as_json: bool, url: str) -> None:
    from services.cli.gateway import open_gateway
    from services.cli.submissions import change

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = change(gateway, reference, method, part, given)
    _print(found, as_json=as_json)


def _print(found: Any, *, as_json: bool) -> None:
    from services.cli.submissions import print_submission

    if as_json:
        print_json(found)
    else:
        print_submission(found)
