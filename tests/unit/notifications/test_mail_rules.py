"""When messages are due, what they say of each type of event, and which mail servers are accepted."""

from datetime import UTC, datetime

import pytest

from services.notifications.channels.smtp import read_smtp_url
from services.notifications.deliveries.model import Claim
from services.notifications.link_tokens import MailTokens
from services.notifications.mailing.messages import SENTENCES, WORDS, Writer, sentence_of
from services.notifications.mailing.model import Parcel
from services.notifications.settings import NotificationsSettings
from services.notifications.subscriptions.frequency import Frequency, next_message
from shared.settings import SettingError
from shared.vocabulary.events import EVENT_TYPES

# Of features that send their events from the same release on.
COMING = {
    "submission": (
        "received",
        "updated",
        "decided",
        "withdrawn",
        "published",
    ),
    "feasibility": (
        "requested",
        "answered",
        "decided",
        "due",
    ),
    "capability": (
        "changed",
        "expiring",
    ),
    "activation": ("changed",),
    "enrolment": (
        "changed",
        "requested",
        "decided",
        "expired",
        "decision_due",
    ),
    "referral": (
        "sent",
        "answered",
        "updated",
        "check_again",
    ),
    "trial": (
        "safety_hold",
        "class_alert",
    ),
    "review": (
        "opened",
        "decided",
        "closed",
    ),
    "subscription": ("test",),
}


@pytest.mark.parametrize(
    ("frequency", "now", "due"),
    [
        ("immediate", "2026-11-30T04:00", "2026-11-30T04:00"),
        ("daily", "2026-11-30T05:59", "2026-11-30T06:00"),  # 07:00 in winter
        ("daily", "2026-11-30T06:00", "2026-12-01T06:00"),
        ("daily", "2026-03-28T06:00", "2026-03-29T05:00"),  # the night in which summer time begins
        ("daily", "2026-10-24T05:00", "2026-10-25T06:00"),  # the night in which it ends
        ("weekly", "2026-11-30T05:59", "2026-11-30T06:00"),  # a Monday
        ("weekly", "2026-11-30T06:00", "2026-12-07T06:00"),
        ("weekly", "2026-12-01T12:00", "2026-12-07T06:00"),
    ],
)
def test_a_digest_is_due_on_the_next_morning_in_france(frequency: Frequency, now: str, due: str) -> None:
    given, expected = (datetime.fromisoformat(one).replace(tzinfo=UTC) for one in (now, due))
    assert next_message(frequency, given) == expected


def test_every_type_of_event_has_a_sentence_in_both_languages() -> None:
    coming = [f"{kind}.{what}" for kind, all_of_it in COMING.items() for what in all_of_it]
    assert [kind for kind in (*EVENT_TYPES, *coming) if kind not in SENTENCES] == []
    for words in (*SENTENCES.values(), *WORDS.values()):
        assert set(words) == {"fr", "en"}
        assert all(words.values())
    assert sentence_of("trial.removed", "en") == SENTENCES["*.removed"]["en"]
    assert sentence_of("planet.discovered", "fr") == SENTENCES["*"]["fr"]


@pytest.mark.parametrize(
    ("subject", "data", "shown"),
    [
        ("trial/CL1000000002", '"identifier": "NCT03745287"', ("NCT03745287", "/en/trials/CL1000000002")),
        (
            "site/CL1000000002/fr-necker",
            '"trial": "NCT03745287", "trial_id": "CL1000000002"',
            ("NCT03745287", "/en/trials/CL1000000002"),
        ),
        ("submission/SUB-7K2M-Q9XT-4HWD", "", ("SUB-7K2M-Q9XT-4HWD", "/registry/v1/submissions/SUB-7K2M-Q9XT-4HWD")),
        (
            "place/REF-7K2M-Q9XT-4HWD",
            '"trial": "NCT03745287", "trial_id": "CL1000000002"',
            ("REF-7K2M-Q9XT-4HWD", "/registry/v1/referrals/REF-7K2M-Q9XT-4HWD"),
        ),
        (
            "feasibility/SUB-7K2M-Q9XT-4HWD/fr-necker",
            "",
            ("SUB-7K2M-Q9XT-4HWD", "/registry/v1/feasibility/SUB-7K2M-Q9XT-4HWD/fr-necker"),
        ),
        ("centre/fr-necker", "", ("fr-necker", "/en/centres/fr-necker")),
        ("trial/<script>", '"identifier": "a\\r\\nBcc: b@c.example"', ("", "/en")),
        ("record/ctgov/Marie Dupont", "", ("", "/en")),
    ],
)
def test_a_line_names_a_number_or_a_reference_and_nothing_else(subject: str, data: str, shown: tuple[str, str]) -> None:
    body = f'{{"type": "planet.discovered", "subject": "{subject}", "data": {{{data}}}}}'.encode()
    claim = Claim("d", "9d3c7a52-51c3-4a41-8b4e-2f6f1f0f7a10", "o", 1, 1, 0, "mailto:a@b.example", b"", body)
    writer = Writer("notices@cleio.example", "https://cleio.example", MailTokens(bytes(32)))
    message = writer.write(Parcel("a@b.example", "en", [claim]), datetime.now(UTC), datetime.now(UTC))
    name, path = shown
    plain = message.get_body(("plain",))
    assert plain is not None
    sentence = SENTENCES["*"]["en"]
    line = f"- {sentence}: {name}" if name else f"- {sentence}"
    assert plain.get_content().splitlines()[2:4] == [line, f"  https://cleio.example{path}"]


def test_only_a_server_on_this_machine_may_lack_encryption(monkeypatch: pytest.MonkeyPatch) -> None:
    far, near = read_smtp_url("smtp://cleio:p%40ss@mail.example"), read_smtp_url("smtp://127.0.0.1:25")
    assert (far.host, far.port, far.user, far.password, far.is_local) == ("mail.example", 587, "cleio", "p@ss", False)
    assert (near.is_local, read_smtp_url("smtps://mail.example").port) == (True, 465)
    assert "p@ss" not in repr(far)
    monkeypatch.setenv("CLEIO_NOTIFICATIONS_MAIL_FROM", "notices@cleio.example")
    for wrong in ("http://mail.example", "smtp://", "smtp://u:secret@mail.example:x", "smtp://mail.example/path"):
        monkeypatch.setenv("CLEIO_NOTIFICATIONS_SMTP_URL", wrong)
        with pytest.raises(SettingError, match="CLEIO_NOTIFICATIONS_SMTP_URL") as refused:
            NotificationsSettings()
        assert "secret" not in str(refused.value)
    monkeypatch.setenv("CLEIO_NOTIFICATIONS_SMTP_URL", "smtp://mail.example")
    monkeypatch.setenv("CLEIO_NOTIFICATIONS_MAIL_FROM", "notices@cleio.example\nBcc: x@y.example")
    with pytest.raises(SettingError, match="MAIL_FROM"):
        NotificationsSettings()
