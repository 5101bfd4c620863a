"""`cleio patient`: records of patients in any format."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.errors import one_line_errors
from services.cli.groups import Group
from services.cli.options import AsJson, Language, Url

patients = typer.Typer(
    cls=Group, help="Records of patients in any format.", no_args_is_help=True, rich_markup_mode=None
)


@patients.command("read")
def read(
    patient: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="FHIR R4 Bundle, Phenopacket, zip of OMOP tables or native patient; -: input."
        ),
    ],
    lang: Annotated[Language, typer.Option(help="Language of what was not understood.")] = Language.FR,
    as_of: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The day of evaluation.")] = "",
    synthetic: Annotated[
        bool,
        typer.Option("--synthetic", help="The patient is invented. An administrator may read only such patients."),
    ] = False,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Print a record as the native patient; on standard error what was not understood or not used of it.

    The native patient can be completed and matched: `cleio patient read FILE > patient.json`. Nothing is stored or
    logged. Sends CLEIO_TOKEN if it is set. An installation with CLEIO_PUBLIC_URL requires it.
    """
    from services.cli.gateway import open_gateway
    from services.cli.matching import print_reading, request_reading

    with one_line_errors(), open_gateway(url, authentication="optional") as gateway:
        answer = request_reading(gateway, patient, lang, as_of, synthetic=synthetic)
    if as_json:
        typer.echo(answer.text)
    else:
        print_reading(answer.body, lang)
