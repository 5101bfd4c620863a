"""`cleio capabilities`: what centres can do, which are able to give a product, and how patients are followed."""

from typing import Annotated, Any

import typer

from services.cli.errors import one_line_errors
from services.cli.groups import Group
from services.cli.options import AsJson, Language, Url, split_values
from services.cli.output import print_json

capabilities = typer.Typer(
    cls=Group,
    help="What centres can do, and which can give a product.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Centre = Annotated[str, typer.Argument(metavar="CENTRE", help="The id of the centre, such as fr-lille.")]
Code = Annotated[str, typer.Argument(metavar="CODE", help="A code of `cleio capabilities codes`.")]
Trial = Annotated[str, typer.Argument(metavar="TRIAL", help="The id of the trial, or any of its numbers.")]
Lang = Annotated[Language, typer.Option(help="Language of the texts.")]


@capabilities.command("codes")
def codes(lang: Lang = Language.FR, as_json: AsJson = False, url: Url = "") -> None:
    """List the codes, with what each requires, its usual validity and its usual lead time."""
    from services.cli.capabilities import CODES, print_codes
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url) as gateway:
        found = gateway.read(CODES)
    if as_json:
        print_json(found)
    else:
        print_codes(found["items"], lang)


@capabilities.command("list")
def list_of_centre(centre: Centre, as_json: AsJson = False, url: Url = "") -> None:
    """List what a centre stated, with its state of today. Sends CLEIO_TOKEN if it is set."""
    from services.cli.capabilities import capabilities_of, print_capabilities
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="optional") as gateway:
        found = gateway.read(capabilities_of(centre))
    if as_json:
        print_json(found)
    else:
        print_capabilities(found["items"])


@capabilities.command("set")
def set_capability(
    centre: Centre,
    code: Code,
    scope: Annotated[str, typer.Option(help="adult, paediatric or both.")],
    absent: Annotated[bool, typer.Option("--absent", help="The centre does not have it.")] = False,
    planned_from: Annotated[str, typer.Option(help="With --absent: from when it expects to have it.")] = "",
    evidence: Annotated[str, typer.Option(help="The reference of the authorisation or document.")] = "",
    issuer: Annotated[str, typer.Option(help="Who issued it.")] = "",
    finess: Annotated[str, typer.Option(help="The FINESS number of the place (FINESS ET).")] = "",
    valid_from: Annotated[str, typer.Option(help="The first valid day, YYYY-MM-DD.")] = "",
    valid_until: Annotated[str, typer.Option(help="The last valid day, YYYY-MM-DD.")] = "",
    limit: Annotated[str, typer.Option(help="A further limit, such as a product class.")] = "",
    note: Annotated[str, typer.Option(help="A note for the parties of trials.")] = "",
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """State what a centre has, or does not have. What was stated before is replaced."""
    from services.cli.capabilities import capabilities_of, print_capabilities, state
    from services.cli.gateway import open_gateway

    texts = {
        "planned_from": planned_from, "evidence": evidence, "issuer": issuer, "finess_et": finess,
        "valid_from": valid_from, "valid_until": valid_until, "scope_note": limit, "note": note,
    }  # fmt: skip
    given = {"scope": scope, "held": not absent, **{name: value for name, value in texts.items() if value}}
    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = state(gateway, capabilities_of(centre, code), given)
    if as_json:
        print_json(found)
    else:
        print_capabilities([found])


@capabilities.command("remove")
def remove_capability(centre: Centre, code: Code, url: Url = "") -> None:
    """Remove what was stated of a capability: nothing is known of it any more."""
    from services.cli.capabilities import remove
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        remove(gateway, centre, code)


@capabilities.command("fit")
def fit(
    trial: Trial,
    centre: Annotated[str, typer.Option(help="Only this centre.")] = "",
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Show which centres are able to give the product of a trial, and what the others lack."""
    from services.cli.capabilities import of_trial, print_fit
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = gateway.read(of_trial(trial, "fit"), {"centre": centre} if centre else None)
    if as_json:
        print_json(found)
    else:
        print_fit(found)


@capabilities.command("needs")
def needs(
    trial: Trial,
    needed: Annotated[list[str] | None, typer.Option("--need", help="A code that each site needs.")] = None,
    not_needed: Annotated[
        list[str] | None, typer.Option("--not-needed", help="CODE=REASON: it is not needed although the rules ask.")
    ] = None,
    complete: Annotated[bool, typer.Option("--complete", help="Nothing more is needed.")] = False,
    url: Url = "",
) -> None:
    """Show what the sponsor states that sites need; with an option, state it."""
    from services.cli.capabilities import of_trial, state
    from services.cli.gateway import open_gateway

    reasons = [text.partition("=") for text in not_needed or ()]
    given: dict[str, Any] = {
        "needed": [{"code": code} for code in split_values(needed or ())],
        "not_needed": [{"code": code, "reason": reason or code} for code, _, reason in reasons],
        "complete": complete,
    }
    path = of_trial(trial, "needs")
    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = state(gateway, path, given) if any(given.values()) else gateway.read(path)
    print_json(found)


@capabilities.command("follow-up")
def follow_up(
    trial: Trial,
    dosed_on: Annotated[str, typer.Option(help="The day of dosing: gives each visit its day.")] = "",
    adult_on: Annotated[str, typer.Option(help="The month in which the patient turns 18, YYYY-MM.")] = "",
    years: Annotated[int, typer.Option(min=0, help="State the length of follow-up in years.")] = 0,
    month: Annotated[list[int] | None, typer.Option(help="With --years: a visit, in months after dosing.")] = None,
    reference: Annotated[str, typer.Option(help="With --years: the version of the protocol.")] = "",
    lang: Lang = Language.FR,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Show how long patients are followed after dosing, and when; with --years, state it."""
    from services.cli.capabilities import of_trial, print_follow_up, state
    from services.cli.gateway import open_gateway

    path = of_trial(trial, "follow-up")
    days = {name: value for name, value in (("dosed_on", dosed_on), ("adult_on", adult_on)) if value}
    with one_line_errors(), open_gateway(url, authentication="required" if years else "optional") as gateway:
        if years:
            state(gateway, path, {"years": years, "months": sorted(month or ()), "reference": reference})
        found = gateway.read(path, days)
    if as_json:
        print_json(found)
    else:
        print_follow_up(found, lang)
