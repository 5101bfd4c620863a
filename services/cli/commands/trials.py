"""`cleio trial`: the published trials."""

from typing import Annotated

import typer

from services.cli.errors import one_line_errors
from services.cli.groups import Group
from services.cli.options import AsJson, Language, Url
from services.cli.output import print_json

trials = typer.Typer(cls=Group, help="The published trials.", no_args_is_help=True, rich_markup_mode=None)

TitleLanguage = Annotated[Language, typer.Option(help="Language of the titles.")]


@trials.command("list")
def list_all(
    q: Annotated[
        str, typer.Option("--query", "-q", help="Disease, product, gene, place, number, in French or English.")
    ] = "",
    status: Annotated[str, typer.Option(help="Only these recruitment statuses, with commas.")] = "",
    open_: Annotated[bool, typer.Option("--open", help="Only trials that recruit; with a place, there.")] = False,
    phase: Annotated[str, typer.Option(help="Only these phases, such as phase-2,phase-3.")] = "",
    age: Annotated[str, typer.Option(help="Only for a patient of this age, such as P8Y.")] = "",
    sex: Annotated[str, typer.Option(help="Only for this sex: female or male.")] = "",
    gene: Annotated[str, typer.Option(help="Only with these genes, such as SMN1.")] = "",
    condition: Annotated[str, typer.Option(help="Only this disease and its subtypes, such as ORPHA:98896.")] = "",
    country: Annotated[str, typer.Option(help="Only trials in this country, such as FR.")] = "",
    centre: Annotated[str, typer.Option(help="Only trials with a site at this centre, such as fr-necker.")] = "",
    departement: Annotated[str, typer.Option(help="Only with a site in this département, such as 67.")] = "",
    near: Annotated[
        str,
        typer.Option(
            help="Trials near a place first: latitude,longitude, a centre, département, commune or postal code."
        ),
    ] = "",
    radius: Annotated[int, typer.Option(min=0, help="With --near: only centres within so many kilometres.")] = 0,
    sort: Annotated[str, typer.Option(help="relevance, updated, start, identifier or distance.")] = "",
    no_demo: Annotated[bool, typer.Option("--no-demo", help="Leave out the fictitious demonstration trials.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Number of trials.")] = 50,
    lang: TitleLanguage = Language.FR,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """List and search published trials. Sends CLEIO_TOKEN if it is set."""
    from services.cli.gateway import open_gateway
    from services.cli.trials import print_trials, read_trials

    filters = {
        "q": q,
        "status": status,
        "open": "true" if open_ else "",
        "phase": phase,
        "age": age,
        "sex": sex,
        "gene": gene,
        "condition": condition,
        "country": country,
        "centre": centre,
        "departement": departement,
        "near": near,
        "radius": str(radius or ""),
        "sort": sort,
        "sample": "none" if no_demo else "",
    }
    with one_line_errors(), open_gateway(url, authentication="optional") as gateway:
        found = read_trials(gateway, {name: value for name, value in filters.items() if value}, limit)
    if as_json:
        print_json({"items": found})
    else:
        print_trials(found, lang)


@trials.command("show")
def show(
    trial: Annotated[str, typer.Argument(metavar="TRIAL", help="One of its numbers, such as NCT05096221.")],
    lang: TitleLanguage = Language.FR,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Show one trial and its sites. Sends CLEIO_TOKEN if it is set."""
    from services.cli.gateway import open_gateway
    from services.cli.trials import print_trial, read_trial

    with one_line_errors(), open_gateway(url, authentication="optional") as gateway:
        found = read_trial(gateway, trial)
    if as_json:
        print_json(found)
    else:
        print_trial(found, lang)


Trial = Annotated[str, typer.Argument(metavar="TRIAL", help="One of its numbers, such as NCT05096221.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would come of it; change nothing.")]


@trials.command("provenance")
def provenance(trial: Trial, as_json: AsJson = False, url: Url = "") -> None:
    """Show where each field of a trial comes from. Sends CLEIO_TOKEN if it is set."""
    from services.cli.gateway import open_gateway
    from services.cli.trials import print_origins, read_part

    with one_line_errors(), open_gateway(url, authentication="optional") as gateway:
        found = read_part(gateway, trial, "provenance")
    if as_json:
        print_json(found)
    else:
        print_origins(found["items"])


@trials.command("site-history")
def site_history(
    trial: Trial,
    centre: Annotated[str, typer.Argument(metavar="CENTRE", help="The id of the centre, such as fr-necker.")],
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """List what was known of a site after each change, newest first. Sends CLEIO_TOKEN if it is set."""
    from services.cli.gateway import open_gateway
    from services.cli.trials import print_site_history, read_part

    with one_line_errors(), open_gateway(url, authentication="optional") as gateway:
        found = read_part(gateway, trial, f"sites/{centre}/history")
    if as_json:
        print_json(found)
    else:
        print_site_history(found["items"])


@trials.command("statements")
def statements(trial: Trial, as_json: AsJson = False, url: Url = "") -> None:
    """List what people state of a trial, also what they have withdrawn."""
    from services.cli.gateway import open_gateway
    from services.cli.trials import print_statements, read_part

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = read_part(gateway, trial, "statements")
    if as_json:
        print_json(found)
    else:
        print_statements(found["items"])


@trials.command("conflicts")
def conflicts(
    trial: Annotated[str, typer.Argument(metavar="[TRIAL]", help="One of its numbers; absent: all trials.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Number of conflicts.")] = 50,
    lang: Annotated[Language, typer.Option(help="Language of what is to be done.")] = Language.FR,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """List where sources, or a source and a person, disagree, and what settles it."""
    from services.cli.gateway import open_gateway
    from services.cli.trials import print_conflicts, read_conflicts, read_part

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = read_part(gateway, trial, "conflicts")["items"] if trial else read_conflicts(gateway, limit)
    if as_json:
        print_json({"items": found})
    else:
        print_conflicts(found, lang)


@trials.command("merge")
def merge(
    trial: Trial,
    into: Annotated[str, typer.Argument(metavar="INTO", help="A number of the trial that stays.")],
    reason: Annotated[str, typer.Option(help="Why: kept in the log.")],
    dry_run: DryRun = False,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Merge a trial into another one, which then answers to all names of both. `unmerge` restores both."""
    from services.cli.duplicates import merge_trials, print_merge
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = merge_trials(gateway, trial, "merge", {"into": into, "reason": reason}, dry_run=dry_run)
    if as_json:
        print_json(found)
    else:
        print_merge(found)


@trials.command("unmerge")
def unmerge(
    trial: Annotated[str, typer.Argument(metavar="TRIAL", help="The merged trial: its own id or one of its numbers.")],
    reason: Annotated[str, typer.Option(help="Why: kept in the log.")],
    dry_run: DryRun = False,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Separate a trial that was merged into another one. Both are as if they had never been merged."""
    from services.cli.duplicates import merge_trials, print_merge
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = merge_trials(gateway, trial, "unmerge", {"reason": reason}, dry_run=dry_run)
    if as_json:
        print_json(found)
    else:
        print_merge(found)


@trials.command("assign")
def assign(
    record: Annotated[str, typer.Argument(metavar="SOURCE:RECORD", help="Such as ctgov:NCT05096221.")],
    reason: Annotated[str, typer.Option(help="Why: kept in the log.")] = "",
    to: Annotated[str, typer.Option(help="A number of the trial to which it belongs; absent: a new trial.")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Undo the last decision on the record.")] = False,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Assign a source record to another trial or to a new one, or undo that."""
    from services.cli.duplicates import assign_record, print_record
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = assign_record(gateway, record, None if undo else {"trial": to or None, "reason": reason})
    if as_json:
        print_json(found)
    else:
        print_record(found)


@trials.command("assignments")
def assignments(
    trial: Annotated[str, typer.Argument(metavar="[TRIAL]", help="One of its numbers; absent: all trials.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Number of entries.")] = 50,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """List which records were assigned to which trials and which trials were merged, newest first."""
    from services.cli.duplicates import print_assignments, read_assignments
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = read_assignments(gateway, trial, limit)
    if as_json:
        print_json({"items": found})
    else:
        print_assignments(found)
