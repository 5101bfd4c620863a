"""`cleio enrolment`: places of enrolments, and who waits."""

from typing import Annotated, Any

import typer

from services.cli.errors import one_line_errors
from services.cli.groups import Group
from services.cli.options import AsJson, Url
from services.cli.output import print_json

enrolment = typer.Typer(
    cls=Group, help="Places of enrolments, and who waits.", no_args_is_help=True, rich_markup_mode=None
)

Trial = Annotated[str, typer.Argument(metavar="TRIAL", help="Any number of the trial.")]
Centre = Annotated[str, typer.Argument(metavar="CENTRE", help="The id of the centre, such as fr-necker.")]
Cohort = Annotated[str, typer.Argument(metavar="COHORT", help="The id of the cohort; all: the trial has none.")]


@enrolment.command("list")
def list_places(trial: Trial, as_json: AsJson = False, url: Url = "") -> None:
    """List the places of each centre and cohort of a trial."""
    from services.cli.enrolment import print_places, read_places
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = read_places(gateway, trial)
    if as_json:
        print_json({"items": found})
    else:
        print_places(found)


@enrolment.command("declare")
def declare(
    trial: Trial,
    centre: Centre,
    cohort: Cohort,
    offered: Annotated[int, typer.Option(min=0, help="All places: free, taken and used.")],
    hold_days: Annotated[int, typer.Option(help="For how many days a place is held. 0: as it is, at first 14.")] = 0,
    limit_months: Annotated[
        int, typer.Option(help="Months after which a referral without limit is too late. 0: as it is, at first 18.")
    ] = 0,
    allocation: Annotated[str, typer.Option(help="centre or sponsor: who assigns. Empty: as it is.")] = "",
    slots: Annotated[int, typer.Option(help="Manufacturing slots. -1: as they are.")] = -1,
    interval_days: Annotated[int, typer.Option(help="Days between dosings. -1: as they are.")] = -1,
    needs_decision: Annotated[bool, typer.Option(help="With --interval-days: each dosing takes a decision.")] = False,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Declare the places of a cohort at a centre."""
    from services.cli.enrolment import declare as send
    from services.cli.enrolment import print_places
    from services.cli.gateway import open_gateway

    given: dict[str, Any] = {"offered": offered}
    given |= {"hold_days": hold_days} if hold_days else {}
    given |= {"limit_months": limit_months} if limit_months else {}
    given |= {"allocation": allocation} if allocation else {}
    given |= {"manufacturing": {"slots": slots}} if slots >= 0 else {}
    if interval_days >= 0:
        given["staggering"] = {"interval_days": interval_days, "needs_decision": needs_decision}
    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = send(gateway, trial, centre, cohort, given)
    if as_json:
        print_json(found)
    else:
        print_places([found])


@enrolment.command("waiting")
def waiting(trial: Trial, centre: Centre, cohort: Cohort, as_json: AsJson = False, url: Url = "") -> None:
    """List who waits for a place, in the suggested order, and who has one."""
    from services.cli.enrolment import print_waiting, read_waiting
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = read_waiting(gateway, trial, centre, cohort)
    if as_json:
        print_json(found)
    else:
        print_waiting(found)


@enrolment.command("decide")
def decide(
    trial: Trial,
    centre: Centre,
    cohort: Cohort,
    referral: Annotated[str, typer.Argument(metavar="REFERRAL", help="The reference of the referral.")],
    decision: Annotated[
        str, typer.Argument(metavar="DECISION", help="assign, recollect, out_of_spec_release or withdraw.")
    ],
    reason: Annotated[str, typer.Option(help="Why; required out of the suggested order.")] = "",
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Assign a place, or decide what a manufacturing failure leaves open."""
    from services.cli.enrolment import decide as send
    from services.cli.enrolment import print_place
    from services.cli.gateway import open_gateway

    given = {"decision": decision, **({"reason": reason} if reason else {})}
    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = send(gateway, (trial, centre, cohort), referral, given)
    if as_json:
        print_json(found)
    else:
        print_place(found)


@enrolment.command("release")
def release(
    trial: Trial,
    cohort: Cohort,
    decided_on: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The day of the decision.")],
    reference: Annotated[str, typer.Option(help="The number of the decision.")],
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Release the next place of a staggered cohort after a dosing."""
    from services.cli.enrolment import print_places
    from services.cli.enrolment import release as send
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = send(gateway, trial, cohort, {"decided_on": decided_on, "reference": reference})
    if as_json:
        print_json({"items": found})
    else:
        print_places(found)
