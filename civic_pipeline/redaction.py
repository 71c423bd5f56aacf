"""Removes secrets from text before it leaves this process: error messages, tracebacks, logs and manifests.

Secrets come from environment variables, or from an address that a user gives to `civic capture` or `civic add`.
"""

import os
import re
from urllib.parse import quote, quote_plus, unquote

# Environment variables that hold a secret. In an address, everything after the host is secret too, because libraries quote
# it without the host. CIVIC_NOTIFY_SMTP may contain a user and password before the host, although we do not use them.
SECRETS = ("SOCRATA_APP_TOKEN", "CIVIC_NOTIFY_URL", "CIVIC_NOTIFY_SMTP", "CIVIC_SERVE_TOKEN")

# A shorter value could occur in ordinary text, and no service issues such short secrets.
_MIN_LENGTH = 6
_USER = re.compile(r"(?<=://)[^/?#\s'\"]+@")
_PARAMETER = re.compile(r"([?&;])([^?=&;#\s'\"]{1,200})=([^&;#\s'\"]+)")
# A parameter is secret if one of the words of its name is: accessToken, x-amz-signature, $$app_token, t%6Fken.
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_SECRET_WORDS = frozenset(
    "token apptoken accesstoken key apikey accesskey secret password passwd passphrase pass pwd auth authorization bearer"
    " signature sig hmac credential credentials jwt session sessionid sid".split()
)
_ADDRESS = re.compile(r"\w+://[^/?#]*(.*)", re.DOTALL)


def redacted(text: str) -> str:
    """Return `text` without secrets: values of `SECRETS`, users and passwords in addresses, token parameters."""
    for name in SECRETS:
        for secret in _forms(name, os.environ.get(name, "")):
            text = text.replace(secret, f"<{name}>")
    return _PARAMETER.sub(_without_secret, _USER.sub("<redacted>@", text))


def _without_secret(parameter: re.Match[str]) -> str:
    words = {word.lower() for word in _WORD.findall(unquote(parameter[2]))}
    value = parameter[3] if words.isdisjoint(_SECRET_WORDS) else "<redacted>"
    return f"{parameter[1]}{parameter[2]}={value}"


def _forms(name: str, value: str) -> list[str]:
    """The forms in which a secret can appear in text (plain and percent-encoded), longest first."""
    plain = value.strip()
    user = plain.rpartition("@")[0]
    forms = {user, user.partition(":")[2]} if name == "CIVIC_NOTIFY_SMTP" else {value, plain}
    if address := _ADDRESS.fullmatch(plain):
        forms.add(address[1])
    encoded = {form for secret in forms for form in (secret, quote(secret, safe=""), quote_plus(secret))}
    return sorted((form for form in encoded if len(form) >= _MIN_LENGTH), key=len, reverse=True)
