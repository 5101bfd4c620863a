"""What waits, in sentences."""

import json
from importlib import resources
from typing import Any

from services.portal.pages.formats import Formats
from services.portal.work.worklist.reading import Waiting
from services.portal.work.worklist.view import sentences_of


def item(kind: str, due: str | None = None, *, overdue: bool = False, subject: str = "referral/REF-1") -> Any:
    label = {"fr": kind, "en": kind}
    head = {"kind": kind, "due": due, "overdue": overdue, "subject": subject, "trial": "CL1"}
    return {**head, "count": None, "label": label}


def test_what_is_late_comes_first_then_by_day_then_what_has_no_day() -> None:
    items = [
        item("stale_site", "2026-11-01", overdue=True, subject="site/T/fr-lille"),
        item("referral_to_answer", "2026-12-04"),
        item("referral_to_answer", "2026-12-02"),
        item("own_consent", "2026-11-30"),
        item("referral_to_check"),
    ]
    waiting = Waiting({"day": "2026-11-30", "items": items}, {"dossier_draft": 0, "receiver_failing": 2})
    assert [(one.text, one.due, one.overdue, one.path) for one in sentences_of(waiting, Formats("fr"))] == [
        ("1 site n'a pas été confirmé dans les trente derniers jours", "1er novembre 2026", 1, "/workspace/sites"),
        ("1 patient devenu majeur doit consentir lui-même", "30 novembre 2026", 0, "/workspace/referrals/REF-1"),
        (
            "2 demandes attendent la réponse de votre centre",
            "2 décembre 2026",
            0,
            "/workspace/referrals?state=sent",
        ),
        ("1 demande est à vérifier de nouveau", "", 0, "/workspace/referrals/REF-1"),
        ("2 abonnements n'atteignent plus leur récepteur", "", 0, "/workspace/subscriptions"),
    ]


def test_each_kind_of_the_worklist_has_a_sentence() -> None:
    kinds = json.loads((resources.files("services.registry.worklists") / "kinds.json").read_text("utf-8"))
    waiting = Waiting({"day": "2026-11-30", "items": [item(kind) for kind in kinds]}, {})
    assert all(one.text.startswith("1 ") for one in sentences_of(waiting, Formats("fr")))
