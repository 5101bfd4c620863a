"""The signed-in visitor of a workspace, and the pages for each kind of organisation."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Depends

from services.portal.pages.visitors import CurrentVisitor, Visitor
from shared.values.problems import ForbiddenError, UnauthenticatedError
from shared.values.wire import Label

# path → name, and the kinds of organisation that have the page. What a person may do there, the API decides.
_PAGES: tuple[tuple[str, Label, frozenset[str]], ...] = (
    (
        "/workspace",
        Label(fr="À faire", en="To do"),
        frozenset({"hospital", "centre", "sponsor", "network", "association", "authority", "coordination"}),
    ),
    (
        "/workspace/referrals",
        Label(fr="Demandes d'adressage", en="Referrals"),
        frozenset({"hospital", "centre", "coordination"}),
    ),
    ("/workspace/sites", Label(fr="Sites à confirmer", en="Sites to confirm"), frozenset({"centre"})),
    ("/workspace/places", Label(fr="Places", en="Places"), frozenset({"centre", "sponsor", "coordination"})),
    ("/workspace/capabilities", Label(fr="Capacités", en="Capabilities"), frozenset({"centre"})),
    (
        "/workspace/dossiers",
        Label(fr="Dossiers", en="Dossiers"),
        frozenset({"sponsor", "coordination", "authority"}),
    ),
    ("/workspace/feasibility", Label(fr="Faisabilité", en="Feasibility"), frozenset({"centre", "coordination"})),
    (
        "/workspace/fit",
        Label(fr="Produit et centres", en="Product and centres"),
        frozenset({"centre", "sponsor", "coordination", "authority"}),
    ),
    ("/workspace/reviews", Label(fr="File de relecture", en="Review queue"), frozenset({"coordination"})),
    (
        "/workspace/reports",
        Label(fr="Délais et accès", en="Times and access"),
        frozenset({"centre", "coordination", "authority"}),
    ),
    (
        "/workspace/subscriptions",
        Label(fr="Abonnements", en="Subscriptions"),
        frozenset({"hospital", "centre", "sponsor", "network", "association", "authority", "coordination"}),
    ),
)

_EDITORS = frozenset({"admin", "editor"})
_FOR_CENTRES = Label(
    fr="Elle est pour les centres d'investigation, et votre organisation n'en est pas un.",
    en="It is for clinical investigation centres, and your organisation is none.",
)


async def worker_of(visitor: CurrentVisitor) -> Visitor:
    """Return the visitor, who is signed in.

    :raises UnauthenticatedError: 401, the visitor is not signed in.
    """
    if visitor.me is None:
        raise UnauthenticatedError
    return visitor


Worker = Annotated[Visitor, Depends(worker_of)]


def centre_of(visitor: Visitor) -> str:
    """Return the centre that the visitor's organisation is.

    :raises ForbiddenError: 403, it is no centre.
    """
    centre: str | None = visitor.me["centre"] if visitor.me else None
    if centre is None:
        raise ForbiddenError(_FOR_CENTRES)
    return centre


def may_edit(visitor: Visitor) -> bool:
    """Return whether a visitor may change places and sites, as far as the pages know; the API decides."""
    return visitor.me is not None and not _EDITORS.isdisjoint(visitor.me["roles"])


def menu_of(visitor: Visitor) -> Sequence[tuple[str, str]]:
    """Return path and name of each page of the visitor's workspace."""
    kind: Any = visitor.me["kind"] if visitor.me else None
    return [(path, getattr(name, visitor.language)) for path, name, kinds in _PAGES if kind in kinds]
