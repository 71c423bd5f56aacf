"""What is secret, and its place taken wherever words leave this process: messages, tracebacks, manifests.

Secrets come from the environment alone; a person may also paste an address that holds one.
"""

import os
import re
from urllib.parse import quote, quote_plus

# The variables that hold a secret. Of an address, what follows the host is one too: errors name it alone. Of a mail server,
# it is a user and password before the host, which we do not use and somebody may write.
SECRETS = ("SOCRATA_APP_TOKEN", "CIVIC_NOTIFY_URL", "CIVIC_NOTIFY_SMTP", "CIVIC_SERVE_TOKEN")

# Shorter values would strike innocent words; no service gives out such secrets.
_SHORTEST = 6
_USER = re.compile(r"(?<=://)[^/?#\s'\"]+@")
_NAMED = re.compile(
    r"([?&;](?:\$|%24)*(?:[\w.-]*[-_.])?"
    r"(?:token|apptoken|api_?key|key|secret|password|passwd|pwd|auth|authorization|signature|sig|credential)=)[^&;#\s'\"]+",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"\w+://[^/?#]*(.*)", re.DOTALL)


def redacted(text: str) -> str:
    """`text` without the secrets of the environment, users and passwords of addresses, and parameters that hold a token."""
    for name in SECRETS:
        for secret in _forms(name, os.environ.get(name, "")):
            text = text.replace(secret, f"<{name}>")
    return _NAMED.sub(r"\1<redacted>", _USER.sub("<redacted>@", text))


def _forms(name: str, value: str) -> list[str]:
    """How a secret may be written, longest first."""
    plain = value.strip()
    user = plain.rpartition("@")[0]
    forms = {user, user.partition(":")[2]} if name == "CIVIC_NOTIFY_SMTP" else {value, plain}
    if found := _ADDRESS.fullmatch(plain):
        forms.add(found[1])
    written = {form for secret in forms for form in (secret, quote(secret, safe=""), quote_plus(secret))}
    return sorted((form for form in written if len(form) >= _SHORTEST), key=len, reverse=True)
