"""A sponsor declares places, lets a staggered cohort go on, and assigns a place; the centre reads who waits."""

import uuid
from collections.abc import Callable
from datetime import timedelta

from playwright.sync_api import Page, expect

from tests.browser.signing_in import sign_in
from tests.browser.studies import TODAY, caller, send_referral
from tests.e2e.conftest import System

TRIAL = "CLEIO-DEMO-0005"
CENTRE = "fr-strasbourg"
OWNER = {"owner": "demo-sponsor", "reason": "Example."}


def test_a_sponsor_releases_a_cohort_and_assigns_its_place(
    site: System, new_page: Callable[[], Page], check: Callable[[Page], None]
) -> None:
    sponsor, others = new_page(), new_page()
    for user in ("coordination", "clinician"):
        sign_in(site, others, user)
    sign_in(site, sponsor, "sponsor")
    coordination = caller(site, "demo-coordination")
    coordination.send("POST", f"/trials/{TRIAL}/owner", OWNER, **{"If-Match": "*", "Idempotency-Key": uuid.uuid4().hex})
    sponsor.goto(f"{site.url}/workspace")
    sponsor.get_by_role("navigation", name="Espace de travail").get_by_role("link", name="Places").click()
    expect(sponsor.get_by_text("Aucune place n'est encore déclarée")).to_be_visible()
    sponsor.get_by_label("Numéro de l'essai").fill("NCT00000000")
    sponsor.get_by_role("button", name="Voir ses places").click()
    expect(sponsor.get_by_text("Aucun essai dont vous pouvez lire les places")).to_be_visible()
    check(sponsor)
    sponsor.get_by_label("Numéro de l'essai").fill(TRIAL)
    sponsor.get_by_role("button", name="Voir ses places").click()
    _declare(sponsor, offered="1", interval="28")
    expect(sponsor.get_by_text("Les places sont déclarées")).to_be_visible()

    hospital = caller(site, "demo-hospital")
    first, second = (
        send_referral(hospital, TRIAL, CENTRE, cohort="1", urgency=urgency, place=True)
        for urgency in ("urgent", "standard")
    )
    sponsor.goto(f"{site.url}/workspace")
    sponsor.get_by_role("link", name="1 cohorte attend la décision").click()
    expect(sponsor.get_by_text("fermée : la décision de continuer manque")).to_be_visible()
    expect(sponsor.get_by_role("row").filter(has_text=first)).to_contain_text("aucune place à attribuer maintenant")
    # Before the last dosing: the page says so at the field, and keeps what was typed.
    sponsor.get_by_label("Numéro de la décision").fill("CSI 2026-03")
    sponsor.get_by_label("Décidé le").evaluate("field => field.removeAttribute('min')")
    sponsor.get_by_label("Décidé le").fill("2020-01-01")
    sponsor.get_by_role("button", name="Ouvrir la place suivante").click()
    expect(sponsor.locator(".field-wrong")).to_contain_text("avant la dernière administration")
    expect(sponsor.get_by_label("Numéro de la décision")).to_have_value("CSI 2026-03")
    check(sponsor)
    sponsor.get_by_label("Décidé le").fill(TODAY.isoformat())
    sponsor.get_by_role("button", name="Ouvrir la place suivante").click()
    expect(sponsor.get_by_text("La décision de continuer est enregistrée")).to_be_visible()

    row = sponsor.get_by_role("row").filter(has_text=second)
    row.get_by_text("Attribuer la place").first.click()
    row.get_by_label("Raison").fill("Le produit disponible convient à cette demande.")
    row.get_by_role("button", name="Attribuer la place").click()
    expect(sponsor.get_by_text("La place est attribuée")).to_be_visible()
    expect(sponsor.get_by_role("row").filter(has_text=second)).to_contain_text("place réservée")

    opening = sponsor.get_by_role("region", name="Ouverture des sites")
    opening.get_by_role("link", name="Hôpitaux universitaires de Strasbourg").click()
    sponsor.get_by_text("Donner le feu vert").click()
    light = sponsor.locator("#green_light")
    light.get_by_label("Fait le").fill(TODAY.isoformat())
    light.get_by_role("button", name="Enregistrer").click()
    expect(light.get_by_role("alert")).to_contain_text("Convention unique signée")
    contract = sponsor.locator("#contract")
    contract.get_by_text("Dire où cela en est").click()
    contract.get_by_label("Fait le").fill(TODAY.isoformat())
    check(sponsor)
    contract.get_by_role("button", name="Enregistrer").click()
    expect(sponsor.get_by_text("C'est enregistré")).to_be_visible()
    expect(contract.locator(".status-open")).to_have_text("fait")

    sign_in(site, others, "centre-strasbourg")
    others.goto(f"{site.url}/workspace/sites")
    others.get_by_role("link", name=f"Places d'inclusion et liste d'attente {TRIAL}").click()
    expect(others.get_by_role("row").filter(has_text=first)).to_contain_text("urgente")
    expect(others.get_by_role("link", name=second)).to_be_visible()


def _declare(page: Page, offered: str, interval: str) -> None:
    """Declare places at a centre which the sponsor assigns, with staggered dosing; the last one was a month ago."""
    page.get_by_text("Déclarer des places : Hôpitaux universitaires de Strasbourg").click()
    form = page.locator("form").filter(has=page.locator(f'input[name="centre"][value="{CENTRE}"]'))
    form.get_by_label("Places proposées, en tout").fill(offered)
    form.get_by_label("Qui attribue les places").select_option("sponsor")
    form.get_by_label("Jours entre deux administrations").fill(interval)
    form.get_by_label("La place suivante demande aussi une décision").check()
    form.get_by_label("Dernière administration ailleurs").fill((TODAY - timedelta(days=30)).isoformat())
    form.get_by_role("button", name="Enregistrer").click()
