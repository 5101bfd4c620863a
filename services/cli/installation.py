"""The installation that a command works on."""

import os

from services.supervisor.installation import Installation


def existing_installation() -> Installation:
    """Read the installation from the environment.

    :raises CannotStartError: when its settings are invalid, or it does not exist.
    """
    installation = Installation.from_environment(os.environ)
    installation.check_created(os.environ)
    return installation


def named_installation() -> Installation:
    """Read the installation, which may be a new one only if CLEIO_DATA_DIR names its folder.

    :raises CannotStartError: as `existing_installation`.
    """
    return Installation.from_environment(os.environ) if os.environ.get("CLEIO_DATA_DIR") else existing_installation()
