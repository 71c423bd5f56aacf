"""Notifications to the log, a webhook (Slack, Teams, ...) or by e-mail, and a heartbeat after successful runs."""

import os
import smtplib
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from email.message import EmailMessage
from threading import Thread
from typing import Protocol

import requests

from civic_pipeline.errors import NotificationFailed, SettingInvalid
from civic_pipeline.settings import waits


@dataclass(frozen=True)
class Notification:
    """One message. `body` has one line per problem."""

    subject: str
    body: str
    run_id: str


class Notifier(Protocol):
    def send(self, notification: Notification) -> None:
        """Deliver the notification. Raises NotificationFailed."""
        ...


@dataclass(frozen=True)
class LogNotifier:
    """Writes to `log`, a function that takes one text."""

    log: Callable[[str], None]

    def send(self, notification: Notification) -> None:
        self.log(f"{notification.subject} (run {notification.run_id})\n{notification.body}")


@dataclass(frozen=True)
class WebhookNotifier:
    """Posts JSON with a `text` field, which Slack, Mattermost and Teams accept."""

    url: str = field(repr=False)

    def send(self, notification: Notification) -> None:
        text = f"{notification.subject}\n{notification.body}"
        message = {"text": text, "run_id": notification.run_id}
        try:
            _in_time(lambda seconds: requests.post(self.url, json=message, timeout=seconds).raise_for_status())
        except (requests.RequestException, TimeoutError) as error:
            # The address of a webhook is a secret, and requests quotes it in its messages.
            raise NotificationFailed("webhook", type(error).__name__) from None


@dataclass(frozen=True)
class EmailNotifier:
    """Sends an e-mail through the SMTP server `host:port`."""

    server: str
    sender: str
    recipients: tuple[str, ...]

    def send(self, notification: Notification) -> None:
        message = EmailMessage()
        message["Subject"], message["From"], message["To"] = (
            notification.subject,
            self.sender,
            ", ".join(self.recipients),
        )
        message.set_content(f"{notification.body}\n\nRun {notification.run_id}")
        host, _, port = self.server.partition(":")

        def send(seconds: int) -> None:
            with smtplib.SMTP(host, int(port or 25), timeout=seconds) as server:
                server.send_message(message)

        try:
            _in_time(send)
        except (OSError, ValueError, smtplib.SMTPException) as error:  # ValueError: the port is not a number
            raise NotificationFailed("e-mail", str(error)) from None


def notifier_from_environment(log: Callable[[str], None]) -> Notifier:
    """The notifier that CIVIC_NOTIFY selects: log (default), webhook (CIVIC_NOTIFY_URL) or email (CIVIC_NOTIFY_SMTP, _FROM, _TO).

    Raises SettingInvalid for another value, or if a variable that the notifier needs is not set.
    """
    kind = os.environ.get("CIVIC_NOTIFY", "log")
    match kind:
        case "log":
            return LogNotifier(log)
        case "webhook":
            return WebhookNotifier(_required("CIVIC_NOTIFY_URL", "the webhook's address"))
        case "email":
            recipients = tuple(
                _required("CIVIC_NOTIFY_TO", "e-mail addresses, separated by commas").replace(" ", "").split(",")
            )
            return EmailNotifier(
                _required("CIVIC_NOTIFY_SMTP", "host:port"),
                _required("CIVIC_NOTIFY_FROM", "the sender's address"),
                recipients,
            )
    raise SettingInvalid("CIVIC_NOTIFY", kind, "log, webhook or email")


def send_heartbeat() -> None:
    """Request CIVIC_HEARTBEAT_URL, if it is set: a monitoring service there alerts if the request is missing.

    Raises NotificationFailed.
    """
    url = os.environ.get("CIVIC_HEARTBEAT_URL")
    if not url:
        return
    try:
        _in_time(lambda seconds: requests.get(url, timeout=seconds).raise_for_status())
    except (requests.RequestException, TimeoutError) as error:
        # The address is a secret, and requests quotes it in its messages.
        raise NotificationFailed("heartbeat", type(error).__name__) from None


def _in_time(send: Callable[[int], None]) -> None:
    """Call `send` with CIVIC_NOTIFY_SECONDS, and wait no longer. Raises TimeoutError, and what it raises.

    The timeouts of sockets count from byte to byte, and none of them covers the look-up of a name.
    """
    seconds, outcome = waits().notify_seconds, Future[None]()

    def run() -> None:
        try:
            send(seconds)
        except (OSError, ValueError, smtplib.SMTPException) as error:
            outcome.set_exception(error)
        else:
            outcome.set_result(None)

    Thread(target=run, daemon=True).start()
    outcome.result(timeout=seconds)


def _required(name: str, meaning: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise SettingInvalid(name, value, meaning)
    return value
