"""`cleio config`: the settings in effect."""

import typer

from services.cli.errors import one_line_errors
from services.cli.options import AsJson
from services.cli.output import print_json


def config(as_json: AsJson = False) -> None:
    """Print every setting of every service, with secrets masked."""
    import os

    from services.cli.config import effective_settings
    from services.cli.installation import existing_installation
    from services.cli.setting_names import warn_of_unknown_settings

    warn_of_unknown_settings(os.environ)
    with one_line_errors():
        existing_installation()
        settings = effective_settings()
    if as_json:
        print_json(settings)
        return
    for service, values in settings.items():
        typer.echo(service)
        for name, value in values.items():
            typer.echo(f"  {name:<48}{value}")
