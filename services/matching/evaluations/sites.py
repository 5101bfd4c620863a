"""The sites of a trial, best first. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from services.matching.clients.documents import Centre
from services.matching.evaluations.places import distance_km
from services.matching.snapshots.model import SnapshotTrial
from shared.vocabulary.durations import STALE_AFTER
from shared.vocabulary.recruitment import CLOSED_STATUSES, is_open


def site_answers(
    trial: SnapshotTrial, centres: Mapping[str, Centre], cohort: str, departement: str | None, as_of: date
) -> list[dict[str, Any]]:
    """Return the sites (`schemas.SiteAnswer`).

    First those that recruit, were confirmed recently and have a place in the cohort, then the other recruiting ones,
    then the rest; each group by distance.
    """
    ranked = []
    for site in trial.record.sites:
        centre = centres.get(site.centre)
        stale = site.stale or site.confirmed_at is None or as_of - site.confirmed_at.date() > STALE_AFTER
        status = dict(site.cohorts).get(cohort, site.status)
        recruits = is_open(status) and trial.record.trial.status not in CLOSED_STATUSES
        has_place = any(name == cohort and places > 0 for name, places in site.slots)
        distance = None if centre is None else distance_km(departement, centre.lat, centre.lon)
        document = {
            "centre": site.centre,
            "name": site.centre if centre is None else centre.name,
            "city": None if centre is None else centre.city,
            "status": status,
            "slots": [{"cohort": name, "open": places} for name, places in site.slots],
            "stale": stale,
            "distance_km": distance,
        }
        rank = 0 if recruits and has_place and not stale else 1 if recruits else 2
        ranked.append((rank, distance is None, distance or 0, site.centre, document))
    return [document for *_, document in sorted(ranked, key=lambda one: one[:4])]
