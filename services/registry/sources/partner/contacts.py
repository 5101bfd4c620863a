"""The contact of a partner's record: a function, never a person."""

from typing import Any, Final

from services.registry.model.contact import Contact
from services.registry.sources.partner.values import SHORT, quiet
from services.registry.sources.reading import Reader, Section
from shared.values.wire import Label

CONTACT: Final = ("contact_function", "contact_organisation", "contact_email", "contact_url")


def names_person(record: dict[str, Any]) -> list[str]:
    """Return the members for a contact that name a person, or may: they are not kept."""
    if not any(record.get(key) for key in CONTACT):
        return []
    said = quiet(Section(Reader(), "", record))
    found: list[str] = []
    for key in CONTACT[:3]:
        written = said.line(key, SHORT)
        if key not in record or (written is None and not record[key]):
            continue
        label = Label(fr="x", en="x")
        try:
            if key == "contact_function":
                Contact(function=Label(fr=written or "@", en=written or "@"))
            elif key == "contact_organisation":
                Contact(function=label, organisation=written or "@")
            else:
                Contact(function=label, email=(written or "@").lower())
        except ValueError:
            found.append(key)
    return found


def contact(top: Section) -> Contact | None:
    """Return the contact, if the record gives one."""
    function = top.line("contact_function", SHORT)
    organisation, email = top.line("contact_organisation", SHORT), top.line("contact_email", SHORT)
    url = top.line("contact_url", 300)
    if function is None and (organisation or email or url):
        function = "Contact"
    if function is None:
        return None
    try:
        return Contact(
            function=Label(fr=function, en=function), organisation=organisation, email=email and email.lower(), url=url
        )
    except ValueError:
        top.reader.warn(
            "/contact_function",
            "contact_form",
            "indiquez une fonction, la boîte d'une fonction et une page https",
            "give a function, the mailbox of a function and an https page",
        )
        return None
