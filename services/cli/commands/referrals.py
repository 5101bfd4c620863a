"""`cleio referrals` and `cleio worklist`: patients referred to trials, and what waits."""

import json
from typing import Annotated, Any

import typer

from services.cli.errors import one_line_errors
from services.cli.groups import Group
from services.cli.options import AsJson, Language, Url
from services.cli.output import print_json

referrals = typer.Typer(
    cls=Group,
    help="Patients referred to trials: references, states and dates.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Reference = Annotated[str, typer.Argument(metavar="REFERENCE", help="The reference, such as REF-7K2M-Q9XT-4HWD.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="Number of lines.")]


def _given(**values: Any) -> dict[str, Any]:
    """Return the values that were given."""
    return {name: value for name, value in values.items() if value not in ("", None, [])}


@referrals.command("send")
def send(
    trial: Annotated[str, typer.Option(help="The id of the trial, or any of its numbers.")],
    centre: Annotated[str, typer.Option(help="The id of the centre, such as fr-necker.")],
    agreed_on: Annotated[str, typer.Option(help="The day of the patient's agreement, YYYY-MM-DD.")],
    agreed_by: Annotated[str, typer.Option(help="patient, one_holder, both_holders or representative.")] = "patient",
    minor: Annotated[bool, typer.Option("--minor", help="The patient is under 18.")] = False,
    adult_on: Annotated[str, typer.Option(help="Of a minor: the month of the 18th birthday, YYYY-MM.")] = "",
    urgency: Annotated[str, typer.Option(help="emergency, urgent or standard.")] = "standard",
    cohort: Annotated[str, typer.Option(help="The cohort of enrolment.")] = "",
    refer_before: Annotated[str, typer.Option(help="The last month in which a referral makes sense, YYYY-MM.")] = "",
    dosing_limit: Annotated[str, typer.Option(help="The last day on which dosing makes sense, YYYY-MM-DD.")] = "",
    disclose: Annotated[bool, typer.Option("--disclose", help="Ask to see what happens after consent.")] = False,
    place: Annotated[bool, typer.Option("--place", help="Ask for an enrolment place at once.")] = False,
    same_patient_as: Annotated[str, typer.Option(help="Another referral of this patient.")] = "",
    follows: Annotated[str, typer.Option(help="The referral that failed screening and is tried again.")] = "",
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Send a referral. The answer says where the file goes and which reference to quote."""
    from services.cli.gateway import open_gateway
    from services.cli.referrals import print_referral, send_referral

    given = {
        "trial": trial,
        "centre": centre,
        "patient_agreement": {"given": True, "on": agreed_on, "by": agreed_by},
        "minor": minor,
        "urgency": urgency,
        "disclose_after_consent": disclose,
        "place": place,
        **_given(cohort=cohort, adult_on=adult_on, refer_before=refer_before, dosing_limit=dosing_limit),
        **_given(same_patient_as=same_patient_as, follows=follows),
    }
    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = send_referral(gateway, given)
    if as_json:
        print_json(found)
    else:
        print_referral(found)


@referrals.command("list")
def list_all(
    state: Annotated[str, typer.Option(help="Only this state.")] = "",
    trial: Annotated[str, typer.Option(help="Only of this trial.")] = "",
    centre: Annotated[str, typer.Option(help="Only to this centre.")] = "",
    limit: Limit = 50,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """List the referrals that you sent or received, newest first."""
    from services.cli.gateway import open_gateway
    from services.cli.referrals import list_referrals, print_referrals

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = list_referrals(gateway, _given(state=state, trial=trial, centre=centre), limit)
    if as_json:
        print_json({"items": found})
    else:
        print_referrals(found)


@referrals.command("show")
def show(reference: Reference, as_json: AsJson = False, url: Url = "") -> None:
    """Show a referral with its steps, and what you can do."""
    from services.cli.gateway import open_gateway
    from services.cli.referrals import print_referral, read_referral

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = read_referral(gateway, reference)
    if as_json:
        print_json(found)
    else:
        print_referral(found)


@referrals.command("step")
def step(
    reference: Reference,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="What was done: `show` lists what is possible.")],
    on: Annotated[str, typer.Option(help="When it was done, YYYY-MM-DD.")],
    reason: Annotated[str, typer.Option(help="Why, by its code.")] = "",
    item: Annotated[list[str] | None, typer.Option(help="With more_asked: what is missing; may be repeated.")] = None,
    ask_again_on: Annotated[str, typer.Option(help="With not_now: when to ask again.")] = "",
    consent_by: Annotated[
        str, typer.Option(help="With consented: patient, both_holders, sole_authority or representative.")
    ] = "",
    sole_authority: Annotated[str, typer.Option(help="Why one holder consents alone, by its code.")] = "",
    assent: Annotated[str, typer.Option(help="Of a minor: given or not_able.")] = "",
    disclose: Annotated[
        bool | None, typer.Option(help="With consented: whether the hospital sees what happens from now on.")
    ] = None,
    of: Annotated[str, typer.Option(help="With patient_informed: what the patient was informed of.")] = "",
    accepted_on: Annotated[str, typer.Option(help="With transferred: when those who receive accepted.")] = "",
    out_of_specification: Annotated[
        bool | None, typer.Option("--out-of-specification", help="With released: out of specification.")
    ] = None,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Record what was done about a referral, and when."""
    from services.cli.gateway import open_gateway
    from services.cli.referrals import print_referral, record_step

    consent = _given(by=consent_by, sole_authority=sole_authority, assent=assent)
    given = _given(
        action=action,
        on=on,
        reason=reason,
        items=item,
        ask_again_on=ask_again_on,
        consent=consent or None,
        disclose=disclose,
        of=of,
        accepted_on=accepted_on,
        out_of_specification=out_of_specification,
    )
    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = record_step(gateway, reference, given)
    if as_json:
        print_json(found)
    else:
        print_referral(found)


@referrals.command("delete")
def delete(reference: Reference, url: Url = "") -> None:
    """Delete a referral with its steps: the patient objects, or asks for erasure."""
    from services.cli.gateway import open_gateway
    from services.cli.referrals import delete_referral

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        delete_referral(gateway, reference)
    typer.echo(f"{reference} is deleted")


def worklist(
    centre: Annotated[str, typer.Option(help="For the coordination: that of this centre.")] = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    calendar: Annotated[bool, typer.Option("--calendar", help="Print a calendar (RFC 5545).")] = False,
    lang: Annotated[Language, typer.Option(help="Language of CSV and calendar.")] = Language.FR,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """List what waits for you, and when it is due."""
    from services.cli.gateway import open_gateway
    from services.cli.referrals import print_worklist, read_worklist

    kind = "text/csv" if as_csv else "text/calendar" if calendar else "application/json"
    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = read_worklist(gateway, kind, centre, lang.value)
    if as_csv or calendar:
        typer.echo(found, nl=False)
    elif as_json:
        print_json(json.loads(found))
    else:
        print_worklist(json.loads(found))
