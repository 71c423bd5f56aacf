"""Notifications about failed runs: where they are sent, what they contain, and that secret addresses are not shown."""

import smtplib
from email.message import EmailMessage
from typing import Any, Self

import pytest
import requests

from civic_pipeline.errors import NotificationFailed, SettingInvalid
from civic_pipeline.notify import EmailNotifier, LogNotifier, Notification, WebhookNotifier, notifier_from_environment

NOTIFICATION = Notification("civic_pipeline: nightly failed", "raw/x: no answer\nmarts/y: waits", "run-1")
SECRET = "https://hooks.town.gov/services/T0/s3cret"
EMAIL = {
    "CIVIC_NOTIFY": "email",
    "CIVIC_NOTIFY_SMTP": "mail.town.gov:587",
    "CIVIC_NOTIFY_FROM": "civic@town.gov",
    "CIVIC_NOTIFY_TO": "a@town.gov, b@town.gov",
}


def from_settings(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> object:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return notifier_from_environment(print)


def test_each_setting_selects_its_notifier(monkeypatch: pytest.MonkeyPatch) -> None:
    assert from_settings(monkeypatch, {}) == LogNotifier(print)
    assert from_settings(monkeypatch, {"CIVIC_NOTIFY": "webhook", "CIVIC_NOTIFY_URL": SECRET}) == WebhookNotifier(
        SECRET
    )
    assert from_settings(monkeypatch, EMAIL) == EmailNotifier(
        "mail.town.gov:587", "civic@town.gov", ("a@town.gov", "b@town.gov")
    )


@pytest.mark.parametrize(
    ("settings", "missing"),
    [({"CIVIC_NOTIFY": "webhook"}, "CIVIC_NOTIFY_URL")]
    + [({**EMAIL, name: ""}, name) for name in ("CIVIC_NOTIFY_SMTP", "CIVIC_NOTIFY_FROM", "CIVIC_NOTIFY_TO")]
    + [({"CIVIC_NOTIFY": "pigeon"}, "'pigeon' is not a valid CIVIC_NOTIFY.*log, webhook or email")],
)
def test_a_missing_or_unknown_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], missing: str
) -> None:
    with pytest.raises(SettingInvalid, match=missing):
        from_settings(monkeypatch, settings)


def test_the_log_gets_subject_run_and_every_problem() -> None:
    lines: list[str] = []
    LogNotifier(lines.append).send(NOTIFICATION)
    assert lines == ["civic_pipeline: nightly failed (run run-1)\nraw/x: no answer\nmarts/y: waits"]


def test_a_webhook_gets_text_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    posted: dict[str, Any] = {}

    def post(url: str, **arguments: Any) -> requests.Response:
        posted.update(arguments, url=url)
        response = requests.Response()
        response.status_code = 200
        return response

    monkeypatch.setattr(requests, "post", post)
    WebhookNotifier(SECRET).send(NOTIFICATION)
    assert posted["url"] == SECRET
    assert posted["json"] == {
        "text": "civic_pipeline: nightly failed\nraw/x: no answer\nmarts/y: waits",
        "run_id": "run-1",
    }
    assert posted["timeout"] > 0


@pytest.mark.parametrize("failure", ["no connection", "HTTP 500"])
def test_a_webhook_that_fails_keeps_its_address_secret(monkeypatch: pytest.MonkeyPatch, failure: str) -> None:
    def post(url: str, **_: Any) -> requests.Response:
        if failure == "no connection":
            raise requests.ConnectionError(f"Max retries exceeded with url: {url}")
        response = requests.Response()
        response.status_code, response.url = 500, url
        return response

    monkeypatch.setattr(requests, "post", post)
    with pytest.raises(NotificationFailed, match=r"webhook notification could not be sent.*CIVIC_NOTIFY_\*") as failed:
        WebhookNotifier(SECRET).send(NOTIFICATION)
    assert "s3cret" not in str(failed.value)
    assert failed.value.__suppress_context__  # nor in the traceback


class Mailbox:
    """An SMTP server in memory."""

    sent: list[EmailMessage]
    opened: tuple[Any, ...]

    def __init__(self, host: str, port: int, timeout: float) -> None:
        Mailbox.opened = (host, port, timeout > 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def send_message(self, message: EmailMessage) -> None:
        if "refused" in str(message["To"]):
            raise smtplib.SMTPRecipientsRefused({})
        Mailbox.sent.append(message)


@pytest.mark.parametrize(("server", "port"), [("mail.town.gov:587", 587), ("mail.town.gov", 25)])
def test_an_email_goes_to_every_recipient(monkeypatch: pytest.MonkeyPatch, server: str, port: int) -> None:
    monkeypatch.setattr(smtplib, "SMTP", Mailbox)
    Mailbox.sent = []
    EmailNotifier(server, "civic@town.gov", ("a@town.gov", "b@town.gov")).send(NOTIFICATION)
    (message,) = Mailbox.sent
    assert Mailbox.opened == ("mail.town.gov", port, True)
    assert (message["Subject"], message["From"], message["To"]) == (
        NOTIFICATION.subject,
        "civic@town.gov",
        "a@town.gov, b@town.gov",
    )
    assert message.get_content() == "raw/x: no answer\nmarts/y: waits\n\nRun run-1\n"


def test_an_email_that_cannot_be_sent_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtplib, "SMTP", Mailbox)
    with pytest.raises(NotificationFailed, match="e-mail notification could not be sent"):
        EmailNotifier("mail.town.gov", "civic@town.gov", ("refused@town.gov",)).send(NOTIFICATION)


def test_an_invalid_mail_server_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtplib, "SMTP", Mailbox)
    with pytest.raises((NotificationFailed, SettingInvalid), match=r"mail|SMTP"):
        EmailNotifier("mail.town.gov:smtp", "civic@town.gov", ("a@town.gov",)).send(NOTIFICATION)
