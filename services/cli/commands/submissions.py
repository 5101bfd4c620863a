"""`cleio submissions`: dossiers of studies."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.errors import one_line_errors
from services.cli.groups import Group
from services.cli.options import AsJson, Language, Url
from services.cli.output import print_json

submissions = typer.Typer(
    cls=Group,
    help="Dossiers of studies, from a draft to a published trial.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Dossier = Annotated[str, typer.Argument(metavar="DOSSIER", help="The reference of the dossier: SUB-…")]
Reason = Annotated[str, typer.Option(help="Why: kept with the step.")]
TextLanguage = Annotated[Language, typer.Option(help="Language of findings.")]


@submissions.command("list")
def list_all(
    state: Annotated[str, typer.Option(help="Only this state, such as screening.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Number of lines.")] = 50,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """List the own dossiers, newest first; for the coordination all."""
    from services.cli.gateway import open_gateway
    from services.cli.submissions import SUBMISSIONS, print_heads

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = gateway.first(limit, SUBMISSIONS, {"state": state} if state else None)
    if as_json:
        print_json({"items": found})
    else:
        print_heads(found)


@submissions.command("show")
def show(submission: Dossier, lang: TextLanguage = Language.FR, as_json: AsJson = False, url: Url = "") -> None:
    """Show where a dossier stands, what was done, what can be done, and what to correct."""
    from services.cli.gateway import open_gateway
    from services.cli.submissions import SUBMISSIONS, print_dossier, print_screening

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = gateway.read(f"{SUBMISSIONS}/{submission}")
        screened = None if as_json else gateway.read(f"{SUBMISSIONS}/{submission}/screening")
    if screened is None:
        print_json(found)
    else:
        print_dossier(found)
        print_screening(screened, lang)


@submissions.command("create")
def create(
    content: Annotated[Path | None, typer.Option(help="A file with the content (JSON).")] = None,
    number: Annotated[str, typer.Option("--from", help="Instead: fill it from this trial of the registry.")] = "",
    usdm: Annotated[Path | None, typer.Option(help="Instead: a digital protocol in USDM 4 (JSON).")] = None,
    lang: TextLanguage = Language.FR,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Create a draft: empty, from a file, a trial or a protocol."""
    from services.cli.gateway import open_gateway
    from services.cli.submissions import create_dossier, print_dossier, print_findings

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        dossier, findings = create_dossier(gateway, content, number, usdm)
    if as_json:
        print_json({"submission": dossier, "findings": findings})
    else:
        print_dossier(dossier)
        print_findings(findings, lang)


@submissions.command("edit")
def edit(
    submission: Dossier,
    content: Annotated[Path, typer.Argument(metavar="FILE", help="The whole content (JSON).")],
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Replace the content of a draft."""
    from services.cli.gateway import open_gateway
    from services.cli.submissions import edit_content, print_dossier

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = edit_content(gateway, submission, content)
    if as_json:
        print_json(found)
    else:
        print_dossier(found)


@submissions.command("screen")
def screen(submission: Dossier, lang: TextLanguage = Language.FR, as_json: AsJson = False, url: Url = "") -> None:
    """Screen a dossier: scope, the 24 items of the WHO, consistency. Changes nothing."""
    from services.cli.gateway import open_gateway
    from services.cli.submissions import SUBMISSIONS, print_screening

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = gateway.read(f"{SUBMISSIONS}/{submission}/screening")
    if as_json:
        print_json(found)
    else:
        print_screening(found, lang)


@submissions.command("step")
def step(
    submission: Dossier,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="Such as submit, screen, withdraw, amend.")],
    reason: Reason = "",
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Take a step: `show` lists what is possible."""
    from services.cli.gateway import open_gateway
    from services.cli.submissions import act, print_dossier

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = act(gateway, submission, "steps", {"action": action, "reason": reason})
    if as_json:
        print_json(found)
    else:
        print_dossier(found)


@submissions.command("decide")
def decide(
    submission: Dossier,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="consent, decide or publish.")],
    answer: Annotated[str, typer.Option(help="To decide: accepted or declined.")] = "",
    reason: Reason = "",
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Consent, accept, decline, or ask for the publication."""
    from services.cli.gateway import open_gateway
    from services.cli.submissions import act, print_dossier

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = act(gateway, submission, "decisions", {"action": action, "answer": answer, "reason": reason})
    if as_json:
        print_json(found)
    else:
        print_dossier(found)


@submissions.command("diff")
def diff(
    submission: Dossier,
    earlier: Annotated[int, typer.Option("--from", min=1, help="The number of the earlier version.")],
    later: Annotated[int, typer.Option("--to", min=0, help="That of the later one; 0: the draft.")] = 0,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Compare two submitted versions, field by field."""
    from services.cli.gateway import open_gateway
    from services.cli.submissions import SUBMISSIONS, print_diff

    query = {"from": str(earlier), **({"to": str(later)} if later else {})}
    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = gateway.read(f"{SUBMISSIONS}/{submission}/versions/diff", query)
    if as_json:
        print_json(found)
    else:
        print_diff(found)


@submissions.command("comment")
def comment(
    submission: Dossier,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The remark: no person is named in it.")],
    field: Annotated[str, typer.Option(help="The field that it is about, such as /trial/phase.")] = "",
    internal: Annotated[bool, typer.Option("--internal", help="For the coordination only.")] = False,
    url: Url = "",
) -> None:
    """Comment on a dossier or on one of its fields."""
    from services.cli.gateway import open_gateway
    from services.cli.submissions import add_comment

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = add_comment(gateway, submission, {"text": text, "pointer": field or None, "internal": internal})
    print_json(found)


@submissions.command("versions")
def versions(submission: Dossier, as_json: AsJson = False, url: Url = "") -> None:
    """List the submitted versions, with their score of WHO items."""
    from services.cli.gateway import open_gateway
    from services.cli.submissions import SUBMISSIONS, print_versions

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = gateway.read(f"{SUBMISSIONS}/{submission}/versions")
    if as_json:
        print_json(found)
    else:
        print_versions(found["items"])


@submissions.command("delegate")
def delegate(
    submission: Dossier,
    sponsor: Annotated[str, typer.Argument(metavar="SPONSOR", help="The id of the other sponsor.")],
    may_consent: Annotated[bool, typer.Option("--may-consent", help="It may also consent.")] = False,
    revoke: Annotated[bool, typer.Option("--revoke", help="End the delegation.")] = False,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Let another sponsor act on a dossier, or end that."""
    method, given = ("DELETE", None) if revoke else ("PUT", {"may_consent": may_consent})
    _set_parties(submission, method, f"delegates/{sponsor}", given, as_json=as_json, url=url)


@submissions.command("transfer")
def transfer(
    submission: Dossier,
    reason: Annotated[str, typer.Option(help="Why: kept with the step.")],
    sponsor: Annotated[str, typer.Argument(metavar="[SPONSOR]", help="Without it the offer is taken back.")] = "",
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Offer a dossier to another sponsor, or take the offer back."""
    given = {"to": sponsor or None, "reason": reason}
    _set_parties(submission, "POST", "transfer", given, as_json=as_json, url=url)


def _set_parties(submission: str, method: str, part: str, given: object, *, as_json: bool, url: str) -> None:
    from services.cli.gateway import open_gateway
    from services.cli.submissions import print_dossier, set_parties

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = set_parties(gateway, submission, method, part, given)
    if as_json:
        print_json(found)
    else:
        print_dossier(found)
