"""`cleio match`: match one patient with the published trials."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.errors import fail
from services.cli.options import AsJson, Language, Url


def match(
    patient: Annotated[
        Path,
        typer.Argument(
            metavar="PATIENT",
            help="Native patient, FHIR R4 Bundle, Phenopacket or zip of OMOP tables; -: standard input.",
        ),
    ],
    lang: Annotated[Language, typer.Option(help="Language of the answer.")] = Language.FR,
    trial: Annotated[str, typer.Option(help="Show every criterion of this trial, with its reason and evidence.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Number of trials in the table.")] = 10,
    synthetic: Annotated[
        bool,
        typer.Option("--synthetic", help="The patient is invented. An administrator may match only such patients."),
    ] = False,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Show which trials fit a patient, where and when. Pre-screening only: a clinician decides.

    Sends CLEIO_TOKEN if it is set. An installation with CLEIO_PUBLIC_URL requires it.
    """
    from services.cli.gateway import CallError, open_gateway
    from services.cli.match_table import print_criteria, print_match
    from services.cli.matching import request_match

    try:
        with open_gateway(url, authentication="optional") as gateway:
            answer = request_match(gateway, patient, lang, synthetic=synthetic)
        if as_json:
            typer.echo(answer.text)
        elif trial:
            print_criteria(answer.body, trial, lang)
        else:
            print_match(answer.body, lang, limit)
    except CallError as error:
        fail(str(error))
