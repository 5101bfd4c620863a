"""Writes the messages. Of an event they hold a sentence, a public number or reference, and a link; nothing else."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from pathlib import Path
from typing import Any

from services.notifications.events.model import CONFIRM_TYPE
from services.notifications.link_tokens import MailTokens
from services.notifications.mailing.model import Parcel
from shared.values.language import Language

_DATA: dict[str, Any] = json.loads(Path(__file__).with_name("sentences.json").read_text(encoding="utf-8"))
# By type of event, then by its last part after `*.`; `*` for what is not known here.
SENTENCES: dict[str, dict[Language, str]] = _DATA["sentences"]
WORDS: dict[str, dict[Language, str]] = _DATA["words"]
# By kind of subject.
PATHS: dict[str, str] = _DATA["paths"]
# Numbers of registers, ids and references; nothing that a person could have written as a text.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9:_-]{0,39}")
_REFERENCE = re.compile(r"(?P<own>(?P<prefix>REF|SUB)(-[0-9A-Z]{4}){3})(?P<centre>/[a-z0-9-]{1,40})?")
_OF_PREFIX = {"REF": "referral", "SUB": "submission"}


@dataclass(frozen=True, slots=True)
class Line:
    """What a message says of one event. ``name`` empty: nothing that may be named."""

    sentence: str
    name: str
    url: str
    colon: str

    @property
    def text(self) -> str:
        named = f"{self.sentence}{self.colon}{self.name}" if self.name else self.sentence
        return f"- {named}\n  {self.url}"

    @property
    def html(self) -> str:
        shown = escape(self.name or self.url)
        return f'<li>{escape(self.sentence)}{self.colon}<a href="{escape(self.url)}">{shown}</a></li>'


class Writer:
    """Writes messages from ``sender``, with links to the gateway at ``public_url``."""

    def __init__(self, sender: str, public_url: str, tokens: MailTokens) -> None:
        self._sender = sender
        self._base = public_url.rstrip("/")
        self._tokens = tokens

    def write(self, parcel: Parcel, now: datetime, until: datetime) -> EmailMessage:
        """Write the message for a parcel. ``until``: the end of validity of a link to confirm."""
        events = [json.loads(claim.body) for claim in parcel.claims]
        if any(event["type"] == CONFIRM_TYPE for event in events):
            return self._confirmation(parcel, now, until)
        # Two events of which the same is said are one line.
        lines = list(dict.fromkeys(self._line(event, parcel.language) for event in events))
        leave = self._link("unsubscribe", self._tokens.make("unsubscribe", parcel.subscription))
        subject = lines[0].sentence if len(lines) == 1 else self._say("many", parcel, count=len(lines))
        message = self._message(parcel, now, subject)
        message["List-Unsubscribe"] = f"<{leave}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        intro, why, stop = (self._say(name, parcel) for name in ("intro", "why", "stop"))
        text = "\n".join(line.text for line in lines)
        _fill(
            message,
            f"{intro}\n\n{text}\n\n{why}\n{stop}{WORDS['colon'][parcel.language]}{leave}\n",
            f"<p>{escape(intro)}</p><ul>{''.join(line.html for line in lines)}</ul>"
            f'<p>{escape(why)}<br><a href="{escape(leave)}">{escape(stop)}</a></p>',
            parcel.language,
        )
        return message

    def _confirmation(self, parcel: Parcel, now: datetime, until: datetime) -> EmailMessage:
        link = self._link("confirm", self._tokens.make("confirm", parcel.subscription, until))
        message = self._message(parcel, now, self._say("confirm_subject", parcel))
        ask, ignore = self._say("confirm", parcel), self._say("ignore", parcel)
        _fill(
            message,
            f"{ask}\n\n{link}\n\n{ignore}\n",
            f'<p>{escape(ask)}</p><p><a href="{escape(link)}">{escape(link)}</a></p><p>{escape(ignore)}</p>',
            parcel.language,
        )
        return message

    def _message(self, parcel: Parcel, now: datetime, subject: str) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["From"] = self._sender
        message["To"] = parcel.address
        message["Subject"] = f"[CLEIO] {subject}"
        message["Date"] = format_datetime(now)
        message["Message-ID"] = f"<{_identity(parcel)}@{self._sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        return message

    def _line(self, event: Mapping[str, Any], language: Language) -> Line:
        name, path = _reference(event)
        url = self._base + _in_language(path, language)
        return Line(sentence_of(event["type"], language), name, url, WORDS["colon"][language])

    def _link(self, act: str, token: str) -> str:
        return f"{self._base}/notifications/v1/{act}/{token}"

    @staticmethod
    def _say(name: str, parcel: Parcel, **values: object) -> str:
        return WORDS[name][parcel.language].format(**values)


def sentence_of(kind: str, language: Language) -> str:
    """Return what happened, for a type of event; a general sentence for a type that is not known."""
    last = kind.rpartition(".")[2]
    found = SENTENCES.get(kind) or SENTENCES.get(f"*.{last}") or SENTENCES["*"]
    return found[language]


def _reference(event: Mapping[str, Any]) -> tuple[str, str]:
    """Return the public number or reference of an event's subject, and the path of what to read."""
    data = event["data"]
    kind, _, identifier = event["subject"].partition("/")
    if (reference := _REFERENCE.fullmatch(identifier)) is not None:
        # A place and its referral have one reference; a request for feasibility has that of its dossier, and a centre.
        kind = kind if reference["centre"] else _OF_PREFIX[reference["prefix"]]
        return reference["own"], PATHS[kind].format(id=identifier) if kind in PATHS else "/"
    if (trial := data.get("trial_id")) is not None:
        kind, identifier = "trial", trial
    number = data.get("trial") or data.get("identifier")
    named = [str(one) for one in (number, identifier) if one is not None and _NAME.fullmatch(str(one))]
    if not named:
        return "", "/"
    path = PATHS[kind].format(id=named[-1]) if kind in PATHS and named[-1] == identifier else "/"
    return named[0], path


def _in_language(path: str, language: Language) -> str:
    """Return the address of a page of the portal in a language; that of the API has none."""
    if language == "fr" or path.startswith("/registry/"):
        return path
    return f"/en{path}".rstrip("/")


def _identity(parcel: Parcel) -> str:
    """Name a message by its subscription and its deliveries: a repeated one has the same name, a longer one another."""
    numbers = sorted(claim.number for claim in parcel.claims)
    digest = hashlib.sha256(repr(numbers).encode(), usedforsecurity=False).hexdigest()[:8]
    return f"{parcel.subscription}.{numbers[0]}.{digest}"


def _fill(message: EmailMessage, text: str, html: str, language: Language) -> None:
    message.set_content(text)
    message.add_alternative(
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><body>{html}</body></html>', subtype="html"
    )
    # Last: a new content removes the headers about the content.
    message["Content-Language"] = language
