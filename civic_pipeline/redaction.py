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
_LONGEST_NAME = 200
_PARAMETER = re.compile(rf"([?&;#])([^?=&;#\s'\"]{{1,{_LONGEST_NAME}}})=(['\"]?[^&;#\s'\"]+)")
# The path before the query ends at the next "://": else each of many would be looked at to the end of the text.
_QUERY = re.compile(r"(://(?:(?!://)[^\s'\"?#])*\?)([^\s'\"#]+)")
_PART = re.compile(r"[^&;]+")
# Nobody can list the names that services give to their secrets. These parameters of portals and of files select, order or
# format rows; every other value is taken for a secret. Names are compared decoded, in lower case and without Socrata's $.
_HARMLESS = frozenset(
    "select where order group having limit offset q query"  # Socrata, OpenDataSoft
    " f id layers sublayer outfields outsr insr returngeometry returncountonly returnidsonly returndistinctvalues resultoffset"
    " resultrecordcount orderbyfields objectids filter[slug]"  # ArcGIS
    " dataset lang timezone use_labels delimiter rows start sort refine exclude disjunctive"  # OpenDataSoft
    " service request version typename typenames outputformat srsname bbox"  # WFS
    " accesstype download format page per_page size year month date from to sheet gid output v location tab no_mobile".split()
)
_ADDRESS = re.compile(r"\w+://[^/?#]*(.*)", re.DOTALL)


def redacted(text: str) -> str:
    """Return `text` without secrets: values of `SECRETS`, users and passwords in addresses, parameters but those in `_HARMLESS`."""
    for name in SECRETS:
        for secret in _forms(name, os.environ.get(name, "")):
            text = text.replace(secret, f"<{name}>")
    return _QUERY.sub(_without_bare, _PARAMETER.sub(_without_secret, _USER.sub("<redacted>@", text)))


def doubtful_parts(address: str) -> list[str]:
    """What of an address may be a secret, for messages: a user, and the names of parameters that are not known to be harmless."""
    users = ["the user"] if _USER.search(address) else []
    query = _QUERY.search(address)
    bare = ["a text without a name"] if query and any(map(_is_bare, _PART.findall(query[2]))) else []
    return users + bare + [match[2] for match in _PARAMETER.finditer(address) if not _is_harmless(match[2], match[3])]


def _without_bare(query: re.Match[str]) -> str:
    return query[1] + _PART.sub(lambda part: "<redacted>" if _is_bare(part[0]) else part[0], query[2])


def _without_secret(parameter: re.Match[str]) -> str:
    value = parameter[3] if _is_harmless(parameter[2], parameter[3]) else "<redacted>"
    return f"{parameter[1]}{parameter[2]}={value}"


def _is_bare(part: str) -> bool:
    """Whether a part of a query is no name=value, but a text that may be a secret itself, such as dG9rZW4=."""
    name, _, value = part.partition("=")
    return (not name or not value or len(name) > _LONGEST_NAME) and not _is_harmless(name)


def _is_harmless(name: str, value: str = "") -> bool:
    if "://" in unquote(value):  # another address, which may hold a secret
        return False
    # refine.ward and disjunctive.ward name a column after the dot
    plain = re.sub(r"^(refine|exclude|disjunctive)\..*", r"\1", unquote(name).lower().removeprefix("$"))
    return plain in _HARMLESS


def _forms(name: str, value: str) -> list[str]:
    """The forms in which a secret can appear in text (plain and percent-encoded), longest first."""
    plain = value.strip()
    user = plain.rpartition("@")[0]
    forms = {user, user.partition(":")[2]} if name == "CIVIC_NOTIFY_SMTP" else {value, plain}
    if address := _ADDRESS.fullmatch(plain):
        forms.add(address[1])
    encoded = {form for secret in forms for form in (secret, quote(secret, safe=""), quote_plus(secret))}
    return sorted((form for form in encoded if len(form) >= _MIN_LENGTH), key=len, reverse=True)
