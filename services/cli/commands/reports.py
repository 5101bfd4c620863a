"""`cleio report`: how long each step takes."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.errors import one_line_errors
from services.cli.options import AsJson, Language, Url
from services.cli.output import print_json, print_message


def report(
    view: Annotated[str, typer.Argument(metavar="[VIEW]", help="network, centre or fcrin.")] = "",
    centre: Annotated[str, typer.Option(help="Of this centre, such as fr-lille.")] = "",
    year: Annotated[int, typer.Option(min=0, help="Only cases that began in this year; 0: all.")] = 0,
    plots: Annotated[Path | None, typer.Option(help="Also write the plots, SVG and CSV, into this folder.")] = None,
    lang: Annotated[Language, typer.Option(help="Language of the names.")] = Language.FR,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Show how long each step takes."""
    from services.cli.gateway import open_gateway
    from services.cli.reports import print_report, read_report, write_plots

    query = {"view": view or ("centre" if centre else ""), "centre": centre, "year": str(year) if year else ""}
    given = {name: value for name, value in query.items() if value}
    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = read_report(gateway, given, as_csv=as_csv, language=lang)
        written = write_plots(gateway, given, plots, lang) if plots else []
    if as_csv:
        typer.echo(found, nl=False)
    elif as_json:
        print_json(found)
    else:
        print_report(found, lang)
    for file in written:
        print_message(str(file))
