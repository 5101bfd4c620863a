"""Read and write the public contact of a centre over the API."""

from typing import Any

from services.portal.clients.api import Api, segment
from services.portal.pages.forms import Form

# fields of the API → fields of the form
FIELDS = {
    "/contact": "contact",
    "/contact/function": "function_fr",
    "/contact/function/fr": "function_fr",
    "/contact/function/en": "function_en",
    "/contact/email": "email",
    "/contact/phone": "phone",
    "/contact/url": "url",
}
# What the registry sets.
_HEAD = frozenset({"id", "version", "updated_at"})
_WAYS = ("email", "phone", "url")


async def centre_with_contact(api: Api, centre: str) -> tuple[dict[str, Any], str]:
    """Return a centre, and its version as the API wants it back."""
    answer = await api.call("GET", f"/registry/v1/centres/{segment(centre)}")
    return answer.body, answer.etag or ""


async def write_contact(api: Api, centre: str, form: Form) -> None:
    """Replace or remove the contact; everything else stays. The form holds the version that the visitor saw.

    :raises ApiError: 412, the centre has changed since; 422, a value is wrong.
    """
    present, _ = await centre_with_contact(api, centre)
    kept = {name: value for name, value in present.items() if name not in _HEAD}
    contact = None if form.one("action") == "remove" else contact_of(form)
    headers = {"If-Match": form.one("etag")}
    path = f"/registry/v1/centres/{segment(centre)}"
    await api.call("PUT", path, json={**kept, "contact": contact}, headers=headers)


def contact_of(form: Form) -> dict[str, Any]:
    """Return the contact that a form states. A function in one language only stands for both."""
    french, english = form.one("function_fr"), form.one("function_en")
    function = {"fr": french or english, "en": english or french}
    return {"function": function, **{name: form.one(name) or None for name in _WAYS}}
