"""Secrets are removed from text in every form in which they can appear, and nothing else is removed."""

import subprocess
import sys
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
    ("text", "shown"),
    [
        (f"header {TOKEN}", "header <SOCRATA_APP_TOKEN>"),
        (f"header {TOKEN}\n.", "header <SOCRATA_APP_TOKEN>."),
        ("q=tOkEn%2Bwith%2Fsigns%3D7&f=1", "q=<SOCRATA_APP_TOKEN>&f=1"),
        (f"{WEBHOOK} failed", "<CIVIC_NOTIFY_URL> failed"),
        ("Max retries exceeded with url: /services/T00000/B00000/xyzzyxyzzy?x=1 (", "Max retries exceeded with url: <CIVIC_NOTIFY_URL> ("),
        ("no port: 'hunter2hunter2@mail.example.com:25'", "no port: '<CIVIC_NOTIFY_SMTP>@mail.example.com:25'"),
        ("Bearer serve-token-1", "Bearer <CIVIC_SERVE_TOKEN>"),
    ],
)  # fmt: skip
def test_secrets_of_the_environment_are_removed(text: str, shown: str) -> None:
    assert redacted(text) == shown
    assert str(CivicError(text)) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://user:pass@host.gov/x", "https://<redacted>@host.gov/x"),
        ("https://user:p@ss@host.gov/x", "https://<redacted>@host.gov/x"),
        ("https://h/x.csv?$limit=1&$$app_token=abc&id=2", "https://h/x.csv?$limit=1&$$app_token=<redacted>&id=2"),
        ("https://h/x.csv?%24%24app_token=abc", "https://h/x.csv?%24%24app_token=<redacted>"),
        ("https://h/x?token=abc#z", "https://h/x?token=<redacted>#z"),
        ("https://h/x?X-Amz-Signature=abc&api_key=1&apikey=2", "https://h/x?X-Amz-Signature=<redacted>&api_key=<redacted>&apikey=<redacted>"),
        ("https://h/x?accessToken=abc&pass=1&jwt=2&SESSIONID=3", "https://h/x?accessToken=<redacted>&pass=<redacted>&jwt=<redacted>&SESSIONID=<redacted>"),
        ("https://h/x?t%6fken=abc&api%2Dkey=1", "https://h/x?t%6fken=<redacted>&api%2Dkey=<redacted>"),
        ("https://h/x?sv=2024&sp=r&se=2026-01-01&k=abc", "https://h/x?sv=<redacted>&sp=<redacted>&se=<redacted>&k=<redacted>"),
        ("https://h/x?ZXlKaGJHY2k", "https://h/x?<redacted>"),
        ("https://h/x?ZXlKaGJHY2k&f=json", "https://h/x?<redacted>&f=json"),
        ("https://h/x?f=json&key%3Dabc&download", "https://h/x?f=json&<redacted>&download"),
        ("https://h/x?ZXlKaGJHY2k#top", "https://h/x?<redacted>#top"),
        ("https://h/x?ZXlKaGJHY2k=", "https://h/x?<redacted>"),
        ("https://h/x?=ZXlKaGJHY2k&f=json", "https://h/x?<redacted>&f=json"),
        (f"https://h/x?{'a' * 201}=abc", "https://h/x?<redacted>"),
        ("https://h/x?token='abc'", "https://h/x?token=<redacted>'"),
        ("https://h/x?q=https%3A%2F%2Fh%2F%3Ftoken%3Dabc", "https://h/x?q=<redacted>"),
        ("https://h/x;jsessionid=abc?f=json", "https://h/x;jsessionid=<redacted>"),
        ("https://h/x#access_token=abc", "https://h/x#access_token=<redacted>"),
        ("/rows.csv?ticket=abc (", "/rows.csv?ticket=<redacted> ("),
        ("https://h/x?fOrMat=csv&%66=json&F=1&refine.ward=3", "https://h/x?fOrMat=csv&%66=json&F=1&refine.ward=3"),
        ("https://h/x?sig=abc&password=def'", "https://h/x?sig=<redacted>&password=<redacted>'"),
    ],
)  # fmt: skip
def test_secrets_in_an_address_are_removed(text: str, shown: str) -> None:
    assert redacted(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a@b.org",
        "https://h/@user/x?q=a@b&$where=year%3D2024&limit=3&accessType=DOWNLOAD",
        "key=1",
        "12:30",
        "x" * 1000,
    ],
)
def test_other_text_is_unchanged(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.usefixtures("planted")
def test_the_repr_of_a_value_shows_no_secret() -> None:
    settings = Settings.from_environment()
    assert settings.socrata_token is not None
    for value in (settings, Access(socrata_token=settings.socrata_token), WebhookNotifier(WEBHOOK)):
        assert redacted(repr(value)) == repr(value), f"{type(value).__name__} shows a secret"


def test_every_setting_that_holds_a_secret_is_listed() -> None:
    """By our naming: settings with TOKEN, SECRET, PASSWORD or KEY in their name, and the addresses of notifications."""
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
def test_a_failed_notification_does_not_reveal_its_address(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dagster stores the whole traceback of a sensor, including causes in which other libraries quote the address."""

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
    shown = "".join(traceback.format_exception(failed.value))
    assert "xyzzy" not in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize("text", ["a", "http://", "://a?"])
def test_a_long_text_is_searched_once(text: str) -> None:
    # In a process of its own: a pattern that begins anew at each place would take hours.
    script = f"from civic_pipeline.redaction import redacted; print(len(redacted({text!r} * 500_000)))"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert int(ended.stdout) > 0
