"""Pages of the portal while a service does not answer, or refuses: what a person typed comes back."""

import html
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from tests.contract.matching import Line
from tests.contract.portal import COOKIE, Visitor, running_portal
from tests.contract.test_sign_in import registry

pytestmark = pytest.mark.anyio
__all__ = ["registry"]
EDITOR = "/criteria/CLEIO-DEMO-0005"
TYPED = "Écrit avant la panne"
RECORD = '{"as_of": "2026-11-30", "age": "P7Y", "facts": [{"kind": "condition", "codes": ["ORPHA:98896"]}]}'


class Busy(Line):
    """The network to a registry that answers some calls with 429."""

    refused = ""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.refused and request.url.path.endswith(self.refused):
            return httpx.Response(429, json={"title": "Trop de demandes", "code": "rate_limited"}, request=request)
        return await super().handle_async_request(request)


@pytest.fixture
def line(registry: FastAPI) -> Busy:
    return Busy(registry)


@pytest.fixture
async def visitor(line: Busy, registry: FastAPI, tmp_path: Path) -> AsyncIterator[Visitor]:
    """A browser of a portal whose matching service has stopped: nothing listens at its address."""
    stopped = Line(registry)
    stopped.up = False
    lines = {"registry": line, "matching": stopped}
    async with running_portal(f"sqlite:///{tmp_path / 'portal.db'}", registry, lines) as app, Visitor(app) as found:
        yield found


class Fields(HTMLParser):
    """Reads the fields of a page, as a browser would send them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self._area = self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "input" and name and (given.get("type") != "checkbox" or "checked" in given):
            self.sent[name] = value
        elif tag in {"textarea", "select"}:
            self._area, self._select = (name, "") if tag == "textarea" else ("", name)
            self.sent[name] = ""
        elif tag == "option" and "selected" in given:
            self.sent[self._select] = value

    def handle_data(self, data: str) -> None:
        if self._area:
            self.sent[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""


async def test_the_editor_keeps_the_text_when_services_fail(line: Busy, visitor: Visitor) -> None:
    await visitor.sign_in("author")
    opened = await visitor.get(EDITOR)
    assert opened.status_code == 200
    sent = {**Fields(opened.text).sent, "c0-fr": TYPED, "csrf": await visitor.csrf()}
    for action in ("check", "try"):
        answer = await visitor.post(EDITOR, data={**sent, "action": action})
        assert (answer.status_code, TYPED in answer.text) == (503, True)
        assert "Service momentanément indisponible" in answer.text
        assert "Ce que vous avez écrit est gardé" in answer.text
        assert "Aucune erreur" not in answer.text
    stale = await visitor.post(EDITOR, data={**sent, "action": "propose", "etag": '"v9"'})
    assert (stale.status_code, TYPED in stale.text) == (412, True)
    line.refused = "/proposals"
    busy = await visitor.post(EDITOR, data={**sent, "action": "propose"})
    assert (busy.status_code, TYPED in busy.text, "Trop de demandes" in busy.text) == (429, True, True)
    assert Fields(busy.text).sent["key"] != sent["key"]
    line.up, line.refused = False, ""
    gone = await visitor.post(EDITOR, data={**sent, "action": "propose"})
    assert (gone.status_code, TYPED in gone.text, "On ne sait pas si la proposition est arriv" in gone.text) == (
        503,
        True,
        True,
    )
    line.up = True
    # The same key: had the first one arrived, it would not be stored twice.
    again = Fields(gone.text).sent
    assert (again["key"], again["etag"]) == (sent["key"], sent["etag"])
    proposed = await visitor.post(EDITOR, data={**again, "csrf": sent["csrf"], "action": "propose"})
    assert (proposed.status_code, proposed.headers["location"]) == (303, f"{EDITOR}?proposed=1")


async def test_the_workbench_keeps_the_record_when_matching_has_stopped(visitor: Visitor) -> None:
    answer = await visitor.post("/match", data={"do": "read", "pasted": RECORD})
    assert (answer.status_code, answer.headers["cache-control"]) == (503, "no-store")
    assert html.unescape(answer.text).count(RECORD) == 1
    assert "Service momentanément indisponible" in answer.text
    state = '{"record": {"age": "P7Y"}, "notes": []}'
    answer = await visitor.post("/match", data={"do": "answer:x", "state": state, "q0f0-date": "2026-11-02"})
    assert (answer.status_code, '"age":"P7Y"' in html.unescape(answer.text)) == (503, True)
    assert Fields(answer.text).sent["q0f0-date"] == "2026-11-02"
    assert 'value="answer:x"' in answer.text  # try the same again


HERE = {"Sec-Fetch-Site": "same-origin"}


async def test_a_session_that_ended_brings_the_text_back_after_signing_in(visitor: Visitor) -> None:
    await visitor.sign_in("author")
    sent = {**Fields((await visitor.get(EDITOR)).text).sent, "c0-fr": TYPED, "action": "add"}
    stale = await visitor.csrf()
    visitor.cookies.set(COOKIE, "0" * 43)
    ended = await visitor.post(EDITOR, data=sent, headers=HERE)
    assert (ended.status_code, "Votre session a pris fin" in ended.text) == (401, True)
    kept = Fields(ended.text).sent
    assert (kept["c0-fr"], kept["csrf"]) == (TYPED, "")
    # A script keeps its own form; what another site sends is not brought back.
    for headers in ({**HERE, "HX-Request": "true"}, {"Sec-Fetch-Site": "cross-site"}, {}):
        assert TYPED not in (await visitor.post(EDITOR, data=sent, headers=headers)).text
    visitor.cookies.clear()
    await visitor.sign_in("author")
    for token in ("", stale):
        again = await visitor.post(EDITOR, data={**kept, "csrf": token}, headers=HERE)
        assert (again.status_code, Fields(again.text).sent["c0-fr"]) == (403, TYPED)
    # The form of a script gets the new token.
    script = await visitor.post(EDITOR, data={**kept, "csrf": stale}, headers={**HERE, "HX-Request": "true"})
    assert Fields(script.text).sent == {"csrf": await visitor.csrf()}
    back = await visitor.post(EDITOR, data=Fields(again.text).sent, headers=HERE)
    assert (back.status_code, Fields(back.text).sent["c0-fr"]) == (503, TYPED)


async def test_a_page_in_a_new_tab_says_where_the_record_is(visitor: Visitor) -> None:
    state = '{"record": {"age": "P7Y"}, "notes": []}'
    failed = await visitor.post("/match/summary", data={"state": state}, headers=HERE)
    assert (failed.status_code, "il est toujours dans l'onglet d'où vous venez" in html.unescape(failed.text)) == (
        503,
        True,
    )
    assert Fields(failed.text).sent["state"] == state  # try the same again
    refused = await visitor.post("/match/refer", data={"state": state, "refer": "x|y"}, headers=HERE)
    assert (refused.status_code, Fields(refused.text).sent["refer"]) == (401, "x|y")
