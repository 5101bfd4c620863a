"""Makes the connector of a source."""

from collections.abc import Callable, Mapping
from typing import Final

from services.registry.synchronisation.connectors import ctgov, ctis, eclaire, euctr, isrctn
from services.registry.synchronisation.connectors.cleio import CleioConnector
from services.registry.synchronisation.connectors.ctgov import CtgovConnector
from services.registry.synchronisation.connectors.ctis import CtisConnector
from services.registry.synchronisation.connectors.eclaire import EclaireConnector
from services.registry.synchronisation.connectors.euctr import EuctrConnector
from services.registry.synchronisation.connectors.fetching import Fetcher
from services.registry.synchronisation.connectors.isrctn import IsrctnConnector
from services.registry.synchronisation.model import Connector
from services.registry.synchronisation.plan import CLEIO, SyncPlan
from shared.clients.outbound import OutboundClient

_REGISTERS: Final[Mapping[str, tuple[Callable[[Fetcher, SyncPlan], Connector], str]]] = {
    "ctgov": (CtgovConnector, ctgov.BASE),
    "ctis": (CtisConnector, ctis.BASE),
    "eclaire": (EclaireConnector, eclaire.BASE),
    "euctr": (EuctrConnector, euctr.BASE),
    "isrctn": (IsrctnConnector, isrctn.BASE),
}


def open_connector(source: str, plan: SyncPlan, outbound: OutboundClient) -> Connector:
    """Return the connector of a source.

    :raises KeyError: there is no such source.
    """
    fetcher = Fetcher(outbound, address_of(source, plan), plan.pause_seconds, plan.token.get_secret_value())
    if source.startswith(CLEIO):
        return CleioConnector(source, fetcher)
    return _REGISTERS[source][0](fetcher, plan)


def address_of(source: str, plan: SyncPlan | None) -> str:
    """Return the address of a source, without a slash at its end.

    :raises KeyError: there is no such source.
    """
    return (plan.url.rstrip("/") if plan is not None else "") or _REGISTERS[source][1]
