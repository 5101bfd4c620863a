"""Options that several commands share."""

import shutil
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

Url = Annotated[str, typer.Option(help="Address of the gateway.", show_default="http://127.0.0.1:$CLEIO_PORT")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text for people.")]


class Service(StrEnum):
    REGISTRY = "registry"
    MATCHING = "matching"
    NOTIFICATIONS = "notifications"
    PORTAL = "portal"


class Source(StrEnum):
    CTGOV = "ctgov"
    CTIS = "ctis"
    EUCTR = "euctr"
    ISRCTN = "isrctn"
    ECLAIRE = "eclaire"


class TemplateFormat(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"
    NDJSON = "ndjson"


class Language(StrEnum):
    FR = "fr"
    EN = "en"


def program_name() -> str:
    """Return how to call this program in the next command."""
    return sys.argv[0] if Path(sys.argv[0]).name == "cleio" and shutil.which("cleio") is None else "cleio"


def split_values(given: Sequence[str]) -> list[str]:
    """Split the values of an option that may be repeated or hold several values, separated by commas or spaces."""
    return [value for text in given for value in text.replace(",", " ").split()]
