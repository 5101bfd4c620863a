"""`cleio trial`: the published trials."""

from typing import Annotated

import typer

from services.cli.errors import one_line_errors
from services.cli.options import AsJson, Language, Url
from services.cli.output import print_json

trials = typer.Typer(help="The published trials.", no_args_is_help=True, rich_markup_mode=None)

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
    near: Annotated[str, typer.Option(help="Trials near this place first: latitude,longitude.")] = "",
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
