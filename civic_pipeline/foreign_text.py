"""Text of portals and files in messages: it can neither control a terminal nor begin a line of its own."""

import re

# Control characters, those that change the direction of text (Trojan Source, CVE-2021-42574), those that XML has not, and invisible tags.
_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe\uffff\U000e0000-\U000e007f]"
)
_LINES = re.compile(r"[\t\n]")


def printable(text: str) -> str:
    r"""`text` with control characters as `\x1b`; line breaks and tabs stay."""
    return _CONTROL.sub(_escaped, text)


def in_one_line(text: str) -> str:
    r"""`text` with control characters, line breaks and tabs as `\x1b`, `\n` and `\t`."""
    return _LINES.sub(_escaped, printable(text))


def shortened(text: str, length: int) -> str:
    """The beginning of `text`, with dots if something is missing."""
    return text if len(text) <= length else f"{text[: length - 3]}..."


def _escaped(character: re.Match[str]) -> str:
    return character[0].encode("unicode_escape").decode()
