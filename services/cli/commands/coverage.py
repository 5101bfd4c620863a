"""`cleio coverage`: how near the open sites are to the people of France."""

from typing import Annotated

import typer

from services.cli.errors import one_line_errors
from services.cli.options import AsJson, Language, Url
from services.cli.output import print_json


def coverage(
    condition: Annotated[
        str, typer.Argument(metavar="[DISEASE]", help="A code or a name, such as ORPHA:232 or drépanocytose.")
    ] = "",
    departement: Annotated[str, typer.Option(help="Only for this département, such as 67 or 974.")] = "",
    hours: Annotated[int, typer.Option(min=1, max=24, help="Also count the people within so many hours.")] = 2,
    age: Annotated[str, typer.Option(help="Only trials that take a person of this age, such as P8Y.")] = "",
    demo: Annotated[bool, typer.Option("--demo", help="Count the fictitious demonstration trials too.")] = False,
    lang: Annotated[Language, typer.Option(help="Language of the names.")] = Language.FR,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Show how near open sites are to people.

    Travel times are estimates. Sends CLEIO_TOKEN if it is set.
    """
    from services.cli.coverage import print_coverage, read_coverage
    from services.cli.gateway import open_gateway

    query = {"condition": condition, "departement": departement, "hours": str(hours), "age": age}
    query["sample"] = "demo" if demo else ""
    given = {name: value for name, value in query.items() if value}
    with one_line_errors(), open_gateway(url, authentication="optional") as gateway:
        found = read_coverage(gateway, given, as_csv=as_csv, language=lang)
    if as_csv:
        typer.echo(found, nl=False)
    elif as_json:
        print_json(found)
    else:
        print_coverage(found, lang)
