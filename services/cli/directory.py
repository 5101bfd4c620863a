"""Calls of the registry's operations on organisations, and where their clients and members are."""

from typing import Any
from urllib.parse import quote

from services.cli.gateway import PRECONDITION_FAILED, CallError, Gateway

NOT_FOUND = 404
ORGANISATIONS = "/registry/v1/organisations"


def organisation_path(organisation: str) -> str:
    return f"{ORGANISATIONS}/{quote(organisation, safe='')}"


def find_path(gateway: Gateway, collection: str, identifier: str, organisation: str) -> str:
    """Return the path of a client or a member (``collection``: "clients" or "members").

    Without an ``organisation`` search all that the caller may see.

    :raises CallError: when it is not found.
    """
    name = quote(identifier, safe="")
    if organisation:
        return f"{organisation_path(organisation)}/{collection}/{name}"
    caller = gateway.read("/registry/v1/me")
    coordination = caller["kind"] == "coordination"
    owners = [one["id"] for one in gateway.walk(ORGANISATIONS)] if coordination else [caller["organisation"]]
    for owner in owners:
        path = f"{organisation_path(owner)}/{collection}/{name}"
        try:
            gateway.send("GET", path)
        except CallError as error:
            if error.status != NOT_FOUND:
                raise
        else:
            return path
    raise CallError(f"{identifier} is not among the {collection} that you may see")


def create_organisation(gateway: Gateway, organisation: str, kind: str, name: str, centre: str = "") -> Any:
    """Create an organisation and return it.

    :raises CallError: when it exists already or the caller may not create it.
    """
    body = {"kind": kind, "name": name, "centre": centre or None}
    try:
        return gateway.send("PUT", organisation_path(organisation), body=body, headers={"If-None-Match": "*"}).json()
    except CallError as error:
        if error.status == PRECONDITION_FAILED:
            raise CallError(f"the organisation {organisation} exists already: cleio org show {organisation}") from None
        raise


def create_if_missing(gateway: Gateway, organisation: str, kind: str) -> bool:
    """Create the organisation unless it exists; return whether it was created.

    :raises CallError: when it exists with another kind, or is a centre that has to be created with its own command.
    """
    try:
        current = gateway.read(organisation_path(organisation))
    except CallError as error:
        if error.status != NOT_FOUND:
            raise
        if kind == "centre":
            raise CallError(
                f"a centre must name its entry in the network: cleio org create {organisation} --kind centre --centre …"
            ) from None
        create_organisation(gateway, organisation, kind, organisation)
        return True
    if current["kind"] != kind:
        raise CallError(f"{organisation} exists already, with the kind {current['kind']}")
    return False


def set_status(gateway: Gateway, organisation: str, status: str) -> Any:
    """Set the status of an organisation and return it."""
    path = organisation_path(organisation)
    unchanged = ("kind", "name", "centre")
    return gateway.change(
        path, lambda current: ("PUT", path, {**{name: current[name] for name in unchanged}, "status": status})
    ).json()
