"""`cleio places`: which places the facilities of records are."""

from typing import Annotated

import typer

from services.cli.errors import one_line_errors
from services.cli.groups import Group
from services.cli.options import AsJson, Url
from services.cli.output import print_json

places = typer.Typer(
    cls=Group, help="Which places the facilities of records are.", no_args_is_help=True, rich_markup_mode=None
)

Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="Number of lines.")]
Key = Annotated[str, typer.Argument(metavar="KEY", help="The key of the facility text, as the lists give it.")]


@places.command("unmatched")
def list_unmatched(
    country: Annotated[str, typer.Option(help="Only this country, such as FR.")] = "",
    q: Annotated[str, typer.Option("--query", "-q", help="Words of the name or the city.")] = "",
    limit: Limit = 50,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """List facility texts that are no place yet: French ones first, then the most frequent."""
    from services.cli.gateway import open_gateway
    from services.cli.places import print_unmatched, read_places

    filters = {name: value for name, value in (("country", country), ("q", q)) if value}
    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = read_places(gateway, filters, limit, unmatched=True)
    if as_json:
        print_json({"items": found})
    else:
        print_unmatched(found)


@places.command("list")
def list_all(
    withdrawn: Annotated[bool, typer.Option(help="Also what was withdrawn or replaced.")] = False,
    limit: Limit = 50,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """List what people said which place a facility text is."""
    from services.cli.gateway import open_gateway
    from services.cli.places import print_places, read_places

    filters = {"withdrawn": "true"} if withdrawn else {}
    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = read_places(gateway, filters, limit, unmatched=False)
    if as_json:
        print_json({"items": found})
    else:
        print_places(found)


@places.command("assign")
def assign(
    reason: Annotated[str, typer.Option(help="Why: kept with the assignment.")],
    key: Annotated[str, typer.Argument(metavar="[KEY]", help="The key of the facility text.")] = "",
    facility: Annotated[str, typer.Option(help="Without a key: the name, as records write it.")] = "",
    city: Annotated[str, typer.Option(help="Without a key: the city, as records write it.")] = "",
    country: Annotated[str, typer.Option(help="Without a key: the country.")] = "FR",
    centre: Annotated[str, typer.Option(help="It is this member centre, such as fr-necker.")] = "",
    finess: Annotated[str, typer.Option(help="It is the hospital with this FINESS number.")] = "",
    none: Annotated[bool, typer.Option("--none", help="It is no place of ours.")] = False,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Say which place a facility text is. The trials that have it are merged again within seconds."""
    from services.cli.gateway import open_gateway
    from services.cli.places import assign as send
    from services.cli.places import print_place

    texts = {"key": key, "facility": facility, "city": city, "country": country, "centre": centre, "finess": finess}
    given = {**{name: value for name, value in texts.items() if value}, "none": none, "reason": reason}
    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = send(gateway, given)
    if as_json:
        print_json(found)
    else:
        print_place(found)


@places.command("withdraw")
def withdraw(key: Key, as_json: AsJson = False, url: Url = "") -> None:
    """Withdraw what was said of a facility text: the rules by name hold again."""
    from services.cli.gateway import open_gateway
    from services.cli.places import print_place
    from services.cli.places import withdraw as send

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = send(gateway, key)
    if as_json:
        print_json(found)
    else:
        print_place(found)
