"""Read subscriptions and act on them over the API."""

import asyncio
from collections.abc import Sequence
from typing import Any

from services.portal.clients.api import Api, segment
from services.portal.clients.names import centres_of, concepts_of, diseases_named
from services.portal.clients.pages_of_lists import every
from services.portal.clients.problems import ApiError
from services.portal.find.departements import DEPARTEMENTS
from services.portal.pages.formats import Formats
from services.portal.pages.forms import Form
from services.portal.work.subscriptions.view import PATHS, Health, Row, body_of, lines_of
from shared.values.wire import Label

_RECENT = 20
_PROPOSED = 4
_NO_DISEASE = Label(fr="aucune maladie de ce nom", en="no disease of this name")
_WHICH = Label(fr="laquelle ? Écrivez le code :", en="which one? Write the code:")
_REFUSED = Label(fr="Une maladie n'est pas reconnue", en="A disease is not recognised")


async def subscriptions_of(api: Api, formats: Formats) -> Sequence[Health]:
    """Return the subscriptions of the visitor's organisation with their last deliveries."""
    listed = await asyncio.gather(*(every(api, path) for path in PATHS.values()))
    rows = [(path, row) for path, found in zip(PATHS.values(), listed, strict=True) for row in found]
    logs, concepts = await asyncio.gather(
        asyncio.gather(*(api.get(f"{path}/{segment(row['id'])}/deliveries", limit=_RECENT) for path, row in rows)),
        concepts_of(api, [code for _, row in rows for code in row["filter"]["condition"]]),
    )
    names = {code: formats.label(one["label"]) for code, one in concepts.items()}
    return [
        Health(row, log["items"], {code: names.get(code, "") for code in row["filter"]["condition"]})
        for (_, row), log in zip(rows, logs, strict=True)
    ]


async def departements_of(api: Api) -> Sequence[tuple[str, str]]:
    """Return number and name of the départements that have a centre."""
    centres = await centres_of(api)
    codes = sorted({one["departement"] for one in centres.values() if one["member"]} & DEPARTEMENTS.keys())
    return [(code, f"{code} {DEPARTEMENTS[code].name}") for code in codes]


async def write(api: Api, form: Form, formats: Formats) -> Row:
    """Create a subscription. The answer about a webhook shows its secret once.

    :raises ApiError: 422, a disease or the address is refused.
    """
    body = body_of(form, await _codes(api, form, formats), None)
    path, headers = PATHS[_channel(form)], {"Idempotency-Key": form.one("key")}
    made: Row = (await api.call("POST", path, json=body, headers=headers)).body
    return made


async def act_on(api: Api, subscription: str, form: Form, formats: Formats) -> Row | None:
    """Edit, pause, resume, test or delete a subscription, or rotate its secret: the answer then shows it once.

    :raises ApiError: 412, it has changed since; 404, there is no such subscription; 422, a value is refused.
    """
    path = f"{PATHS[_channel(form)]}/{segment(subscription)}"
    action, version = form.one("action"), {"If-Match": form.one("etag")}
    if action == "rotate":
        headers = {**version, "Idempotency-Key": form.one("key")}
        hours = {"overlap_hours": int(form.one("hours")) if form.one("hours").isdecimal() else 24}
        rotated: Row = (await api.call("POST", f"{path}/rotate", json=hours, headers=headers)).body
        return rotated
    if action == "test":
        await api.call("POST", f"{path}/test", json={})
    elif action == "delete":
        await api.call("DELETE", path, headers=version)
    else:
        found = await api.get(path)
        body: dict[str, Any] = {name: found[name] for name in ("channel", "types", "filter")}
        if action == "edit":
            body = body_of(form, await _codes(api, form, formats), found)
        status = {"pause": "disabled", "resume": "active"}.get(action, found["status"])
        # An address that has not agreed yet stays so, whatever is sent.
        body["status"] = "active" if status == "unconfirmed" else status
        await api.call("PUT", path, json=body, headers=version)
    return None


def _channel(form: Form) -> str:
    return "email" if form.one("channel") == "email" else "webhook"


async def _codes(api: Api, form: Form, formats: Formats) -> list[str]:
    """Return the codes of the diseases that the form names, by code or by name.

    :raises ApiError: 422, a name means none or several.
    """
    lines = lines_of(form.text("diseases"))
    found = await asyncio.gather(*(_code(api, line, formats) for line in lines))
    faults = [{"pointer": "", "code": "unknown_disease", "detail": one} for one in found if " " in one]
    if faults:
        raise ApiError(422, "unknown_disease", formats.label(_REFUSED), None, faults)
    return list(dict.fromkeys(found))


async def _code(api: Api, line: str, formats: Formats) -> str:
    """Return the code of a disease, or what is wrong, in words."""
    code = line.split(" ", 1)[0]
    if ":" in code:
        return code
    proposed = await diseases_named(api, line, _PROPOSED)
    wanted = formats.sorting(line)
    exact = [one for one in proposed if wanted in {formats.sorting(name) for name in one["label"].values() if name}]
    chosen = exact or proposed
    if len(chosen) == 1:
        return str(chosen[0]["code"])
    if not chosen:
        return f"{formats.quoted(line)}{formats.colon}{formats.label(_NO_DISEASE)}"
    listed = "; ".join(f"{one['code']} {formats.label(one['label'])}" for one in chosen)
    return f"{formats.quoted(line)}{formats.colon}{formats.label(_WHICH)} {listed}"
