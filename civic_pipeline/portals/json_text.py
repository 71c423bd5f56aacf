"""Reads a JSON text of any length value by value, through a window that moves over it."""

import json
from collections.abc import Iterator
from typing import Any, TextIO

from civic_pipeline.portals.json_rows import MAX_ROW_BYTES

_CHUNK_CHARACTERS = 1 << 20


class InvalidJson(ValueError):
    """The text is not the JSON that a reader expects."""


class JsonText:
    """Reads JSON from a file through a window that moves over its text."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._window, self._at = file, "", 0
        self._decoder = json.JSONDecoder(parse_constant=_refuse)

    def members(self) -> Iterator[str]:
        """The names of an object's members. The caller must read each value before the next name."""
        self._expect("{")
        while self.next_character() != "}":
            name, _ = self.value()
            if not isinstance(name, str):
                raise InvalidJson(f"expected a name, got {name!r}")
            self._expect(":")
            yield name
            if self.next_character() != "}":
                self._expect(",")
        self._expect("}")

    def elements(self) -> Iterator[tuple[Any, str]]:
        """The values of an array, each with its JSON text."""
        self._expect("[")
        while self.next_character() != "]":
            yield self.value()
            if self.next_character() != "]":
                self._expect(",")
        self._expect("]")

    def value(self) -> tuple[Any, str]:
        """The next value and its JSON text."""
        self.next_character()
        more = _CHUNK_CHARACTERS
        while True:
            try:
                value, end = self._decoder.raw_decode(self._window, self._at)
            except json.JSONDecodeError as error:
                if not self._read_on(more):
                    raise InvalidJson(f"{error.msg} at {self._window[self._at : self._at + 60]!r}") from error
            else:
                if end < len(self._window) or not self._read_on(more):
                    text = self._window[self._at : end]
                    self._at = end
                    return value, text
            if len(self._window) - self._at > MAX_ROW_BYTES // 4:
                raise InvalidJson(
                    f"the value {self._window[self._at : self._at + 60]!r} ... is too long for a feature, or has no end"
                )
            more *= 2

    def next_character(self) -> str:
        """The next character that is not blank, without moving past it; empty at the end."""
        while True:
            while self._at < len(self._window):
                if self._window[self._at] not in " \t\r\n":
                    return self._window[self._at]
                self._at += 1
            if not self._read_on(_CHUNK_CHARACTERS):
                return ""

    def _expect(self, character: str) -> None:
        actual = self.next_character()
        if actual != character:
            raise InvalidJson(f"expected {character!r}, got {actual!r}" if actual else "it is truncated")
        self._at += 1

    def _read_on(self, characters: int) -> bool:
        """Read more of the file into the window. False at the end of the file."""
        text = self._file.read(characters)
        self._window, self._at = self._window[self._at :] + text, 0
        return bool(text)


def _refuse(constant: str) -> None:
    raise InvalidJson(f"{constant} is not a JSON number")
