"""What is secret is taken out of words, however it is written, and nothing else is."""

import traceback

import pytest
import requests

from civic_pipeline.errors import CivicError, NotificationFailed
from civic_pipeline.notify import EmailNotifier, Notification, WebhookNotifier, notifier_from_environment
from civic_pipeline.portals import Access
from civic_pipeline.redaction import SECRETS, redacted
from civic_pipeline.settings import Settings

TOKEN, WEBHOOK = "tOkEn+with/signs=7", "https://hooks.example.com/services/T00000/B00000/xyzzyxyzzy?x=1"


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOCRATA_APP_TOKEN", f"{TOKEN}\n")
    monkeypatch.setenv("CIVIC_NOTIFY_URL", WEBHOOK)
    monkeypatch.setenv("CIVIC_NOTIFY_SMTP", "mailer:hunter2hunter2@mail.example.com:25")
    monkeypatch.setenv("CIVIC_SERVE_TOKEN", "serve-token-1")


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"header {TOKEN}", "header <SOCRATA_APP_TOKEN>"),
        (f"header {TOKEN}\n.", "header <SOCRATA_APP_TOKEN>."),
        ("q=tOkEn%2Bwith%2Fsigns%3D7&x=1", "q=<SOCRATA_APP_TOKEN>&x=1"),
        (f"{WEBHOOK} failed", "<CIVIC_NOTIFY_URL> failed"),
        ("Max retries exceeded with url: /services/T00000/B00000/xyzzyxyzzy?x=1 (", "Max retries exceeded with url: <CIVIC_NOTIFY_URL> ("),
        ("no port: 'hunter2hunter2@mail.example.com:25'", "no port: '<CIVIC_NOTIFY_SMTP>@mail.example.com:25'"),
        ("Bearer serve-token-1", "Bearer <CIVIC_SERVE_TOKEN>"),
    ],
)  # fmt: skip
def test_the_secrets_of_the_environment(said: str, shown: str) -> None:
    assert redacted(said) == shown
    assert str(CivicError(said)) == shown


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("https://user:pass@host.gov/x", "https://<redacted>@host.gov/x"),
        ("https://user:p@ss@host.gov/x", "https://<redacted>@host.gov/x"),
        ("https://h/x.csv?a=1&$$app_token=abc&b=2", "https://h/x.csv?a=1&$$app_token=<redacted>&b=2"),
        ("https://h/x.csv?%24%24app_token=abc", "https://h/x.csv?%24%24app_token=<redacted>"),
        ("https://h/x?token=abc#z", "https://h/x?token=<redacted>#z"),
        ("https://h/x?X-Amz-Signature=abc&api_key=1&apikey=2", "https://h/x?X-Amz-Signature=<redacted>&api_key=<redacted>&apikey=<redacted>"),
        ("https://h/x?sig=abc&password=def'", "https://h/x?sig=<redacted>&password=<redacted>'"),
    ],
)  # fmt: skip
def test_the_secrets_of_an_address(said: str, shown: str) -> None:
    assert redacted(said) == shown


@pytest.mark.parametrize(
    "text", ["", "a@b.org", "https://h/@user/x?q=a@b&keyboard=1&monkey=2&tokens=3", "key=1", "12:30", "x" * 1000]
)
def test_nothing_else_is(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.usefixtures("planted")
def test_no_value_shows_its_secret() -> None:
    settings = Settings.from_environment()
    assert settings.socrata_token is not None
    for value in (settings, Access(socrata_token=settings.socrata_token), WebhookNotifier(WEBHOOK)):
        assert redacted(repr(value)) == repr(value), f"{type(value).__name__} shows it"


def test_every_setting_that_holds_a_secret_is_known() -> None:
    """Named so by us: what is called a token, a secret, a password or a key, and the addresses of notices."""
    import re

    from civic_pipeline.settings import CHECKOUT

    read = {
        name
        for path in (CHECKOUT / "civic_pipeline").rglob("*.py")
        for name in re.findall(r'"((?:CIVIC|SOCRATA)_[A-Z_]+)"', path.read_text())
    }
    named = {name for name in read if re.search("TOKEN|SECRET|PASSWORD|KEY|NOTIFY_URL|NOTIFY_SMTP", name)}
    assert named == set(SECRETS)


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize("kind", ["webhook", "email"])
def test_a_notice_that_fails_tells_nobody_where_it_was_sent(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The traceback is what Dagster keeps of a sensor: with the causes that other libraries put their addresses into."""

    def refuse(*_: object, **__: object) -> None:
        raise requests.ConnectionError(f"Max retries exceeded with url: {WEBHOOK}")

    monkeypatch.setattr(requests, "post", refuse)
    monkeypatch.setenv("CIVIC_NOTIFY", kind)
    monkeypatch.setenv("CIVIC_NOTIFY_FROM", "us@example.com")
    monkeypatch.setenv("CIVIC_NOTIFY_TO", "you@example.com")
    notifier = notifier_from_environment(print)
    assert isinstance(notifier, WebhookNotifier | EmailNotifier)
    with pytest.raises(NotificationFailed) as failed:
        notifier.send(Notification("a subject", "a body", "a run"))
    kept = "".join(traceback.format_exception(failed.value))
    assert "xyzzy" not in kept
    assert "hunter2" not in kept
