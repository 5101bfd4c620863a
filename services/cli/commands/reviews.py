"""`cleio reviews`: what waits for the decision of a person."""

from typing import Annotated

import typer

from services.cli.errors import one_line_errors
from services.cli.groups import Group
from services.cli.options import AsJson, Language, Url
from services.cli.output import print_json, print_message

reviews = typer.Typer(
    cls=Group, help="What waits for the decision of a person.", no_args_is_help=True, rich_markup_mode=None
)

TextLanguage = Annotated[Language, typer.Option(help="Language of titles, reasons and answers.")]
Item = Annotated[
    str,
    typer.Argument(metavar="ITEM", help="As the list gives it, such as scope:CL00000012; or scope: and any number."),
]


@reviews.command("list")
def list_all(
    kind: Annotated[str, typer.Option(help="Only this kind, such as scope; the counts name all.")] = "",
    source: Annotated[str, typer.Option(help="Only what concerns this source, such as ctgov.")] = "",
    claimed: Annotated[str, typer.Option(help="yes or no: by anyone; mine: by you.")] = "",
    q: Annotated[str, typer.Option("--query", "-q", help="Words or a number.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Number of items.")] = 50,
    lang: TextLanguage = Language.FR,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """List what waits for a decision, oldest first, and how much of each kind."""
    from services.cli.gateway import open_gateway
    from services.cli.reviews import print_reviews, read_reviews

    filters = {"kind": kind, "source": source, "claimed": claimed, "q": q}
    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = read_reviews(gateway, {name: value for name, value in filters.items() if value}, limit)
    if as_json:
        print_json(found)
    else:
        print_reviews(found, lang)


@reviews.command("show")
def show(item: Item, lang: TextLanguage = Language.FR, as_json: AsJson = False, url: Url = "") -> None:
    """Show why an item waits, what can be decided, and what was decided."""
    from services.cli.gateway import open_gateway
    from services.cli.reviews import print_review, read_review

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = read_review(gateway, item)
    if as_json:
        print_json(found)
    else:
        print_review(found, lang)


@reviews.command("claim")
def claim(
    item: Item,
    free: Annotated[bool, typer.Option("--release", help="Release it for others.")] = False,
    url: Url = "",
) -> None:
    """Claim an item, so that others do not decide on it; or release it."""
    from services.cli.gateway import open_gateway
    from services.cli.reviews import act, release

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        if free:
            release(gateway, item)
        else:
            act(gateway, item, "claim")
    print_message(f"{item} {'released' if free else 'claimed'}")


@reviews.command("decide")
def decide(
    item: Item,
    answer: Annotated[str, typer.Argument(metavar="ANSWER", help="One of the answers that `show` lists.")],
    reason: Annotated[str, typer.Option(help="Why: kept with the decision.")],
    lang: TextLanguage = Language.FR,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Decide on an item. The decision takes effect at once and stays in force until it is undone."""
    from services.cli.gateway import open_gateway
    from services.cli.reviews import act, print_review

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = act(gateway, item, "decide", {"answer": answer, "reason": reason})
    if as_json:
        print_json(found)
    else:
        print_review(found, lang)


@reviews.command("undo")
def undo(item: Item, lang: TextLanguage = Language.FR, as_json: AsJson = False, url: Url = "") -> None:
    """Undo the last decision on an item."""
    from services.cli.gateway import open_gateway
    from services.cli.reviews import act, print_review

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = act(gateway, item, "undo")
    if as_json:
        print_json(found)
    else:
        print_review(found, lang)
