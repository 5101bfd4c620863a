"""Sign in demonstration users in a browser."""

from playwright.sync_api import Page, expect

from tests.e2e.conftest import System


def sign_in(site: System, page: Page, user: str) -> None:
    """Sign in a demonstration user by its id."""
    page.goto(f"{site.url}/sign-in")
    page.locator(f'form[action$="/demonstration/{user}"] button').click()
    expect(page.get_by_role("button", name="Se déconnecter")).to_be_visible()
