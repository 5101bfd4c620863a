"""A sponsor makes a dossier from a protocol; the coordination screens it, asks centres, and returns another one."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.signing_in import sign_in
from tests.browser.studies import caller
from tests.contract.submissions import CONTENT
from tests.e2e.conftest import System

PROTOCOL = Path(__file__).parents[2] / "docs" / "examples" / "usdm-study.json"


def test_a_sponsor_makes_a_dossier_and_reads_why_it_is_returned(
    site: System, new_page: Callable[[], Page], check: Callable[[Page], None]
) -> None:
    sponsor, coordination = new_page(), new_page()
    sign_in(site, sponsor, "sponsor")
    sponsor.goto(f"{site.url}/workspace/dossiers")
    check(sponsor)
    sponsor.get_by_label("Choisir un fichier USDM").set_input_files(PROTOCOL)
    expect(sponsor.get_by_label("Protocole USDM 4 (JSON)")).not_to_have_value("")
    sponsor.get_by_role("button", name="Lire le protocole").click()
    expect(sponsor.get_by_role("heading", level=1)).to_have_text("EX-101 in Duchenne muscular dystrophy (fictitious)")
    expect(sponsor.get_by_text("Complétude :")).to_contain_text("/ 24")
    check(sponsor)

    program = caller(site, "demo-sponsor")
    reference = program.create("/submissions", {"content": CONTENT})["reference"]
    program.act(f"/submissions/{reference}", "submit")
    sign_in(site, coordination, "coordination")
    coordination.goto(f"{site.url}/workspace/dossiers")
    expect(coordination.get_by_role("img", name="Âge et délai des dossiers en cours")).to_be_visible()
    expect(coordination.get_by_role("row").filter(has_text=reference)).to_contain_text("Démonstration – Promoteur")
    check(coordination)
    coordination.get_by_role("row").filter(has_text=reference).get_by_role("link").click()
    coordination.get_by_role("button", name="Commencer l'examen").click()
    expect(coordination.get_by_text("En examen")).to_be_visible()
    coordination.get_by_text("Renvoyer au promoteur").first.click()
    coordination.get_by_label("Raison").locator("visible=true").fill("Préciser les visites.")
    coordination.get_by_role("button", name="Renvoyer au promoteur").click()
    expect(coordination.get_by_text("C'est enregistré")).to_be_visible()
    check(coordination)

    sponsor.goto(f"{site.url}/workspace/dossiers/{reference}?earlier=1")
    expect(sponsor.get_by_role("heading", name="Étapes et décisions").locator("..")).to_contain_text(
        "Préciser les visites."
    )
    expect(sponsor.get_by_text("Aucun changement.")).to_be_visible()


def test_a_sponsor_chooses_what_centres_see_and_the_coordination_asks_one(
    site: System, new_page: Callable[[], Page], check: Callable[[Page], None]
) -> None:
    sponsor, coordination = new_page(), new_page()
    sign_in(site, sponsor, "sponsor")
    sign_in(site, coordination, "coordination")
    program, network = caller(site, "demo-sponsor"), caller(site, "demo-coordination")
    reference = program.create("/submissions", {"content": CONTENT})["reference"]
    program.act(f"/submissions/{reference}", "submit")
    for action in ("screen", "open_feasibility"):
        network.act(f"/submissions/{reference}", action)
    sponsor.goto(f"{site.url}/workspace/dossiers/{reference}")
    sponsor.get_by_text("Ce que les centres voient avant l'accord de confidentialité").click()
    sponsor.get_by_label("résumé").check()
    sponsor.get_by_role("button", name="Enregistrer les champs visibles").click()
    expect(sponsor.get_by_label("résumé")).to_be_checked()
    # An organisation that is no sponsor cannot act for one: the page says so and keeps the id.
    sponsor.locator("summary", has_text="Déléguer").click()
    sponsor.get_by_label("Identifiant de l'organisation").first.fill("demo-hospital")
    sponsor.get_by_role("button", name="Déléguer", exact=True).click()
    expect(sponsor.get_by_role("alert")).to_be_visible()
    expect(sponsor.get_by_label("Identifiant de l'organisation").first).to_have_value("demo-hospital")
    check(sponsor)

    coordination.goto(f"{site.url}/workspace/dossiers/{reference}")
    coordination.get_by_text("Interroger des centres").click()
    coordination.get_by_label("CHU de Lille").check()
    check(coordination)
    coordination.get_by_role("button", name="Interroger ces centres").click()
    expect(
        coordination.get_by_role("table", name="Demandes aux centres").or_(
            coordination.get_by_role("region", name="Demandes aux centres")
        )
    ).to_contain_text("CHU de Lille")
