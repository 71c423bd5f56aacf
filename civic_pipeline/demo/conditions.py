"""Parses the part of `where` that all protocols share: comparisons, lists and ranges with `and`, `or` and parentheses."""

import re
from collections.abc import Callable

_LITERAL = r"(?:(?:DATE|TIMESTAMP)\s*)?'(?:[^']|'')*'|[-+]?[0-9]+(?:\.[0-9]+)?"
_TOKEN = re.compile(
    rf"\s*(?:(?P<literal>{_LITERAL})|(?P<sign><=|>=|<>|!=|=|<|>|\(|\)|,)|(?P<name>[:@\w]+|`[^`]+`|\"[^\"]+\"))",
    re.IGNORECASE,
)
_COMPARISONS = {"<=", ">=", "<>", "!=", "=", "<", ">"}


class ConditionUnknown(ValueError):
    """The text is not a supported condition; the argument is the part that cannot be read."""


def conditions_sql(text: str, column_sql: Callable[[str], str]) -> str:
    """Return the DuckDB SQL of a `where` such as `OBJECTID >= 5 AND OBJECTID <= 9` or `:id > 'row-1'`; `true` for `1=1`.

    `column_sql` returns the SQL of a column and raises for an unknown name. Raises ConditionUnknown.
    """
    reader = _Reader(text, column_sql)
    sql = reader.alternatives()
    if reader.position < len(reader.tokens):
        raise ConditionUnknown(reader.rest())
    return sql


class _Reader:
    def __init__(self, text: str, column_sql: Callable[[str], str]) -> None:
        self.position = 0
        self._text, self._column_sql = text.rstrip(), column_sql
        self.tokens: list[tuple[str, str, int]] = []  # kind, text, start
        at = 0
        while at < len(self._text):
            match = _TOKEN.match(self._text, at)
            if not match or not match.lastgroup:
                raise ConditionUnknown(self._text[at:].strip())
            self.tokens.append((match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
            at = match.end()

    def rest(self) -> str:
        """Return the text that has not been read."""
        return self._text[self.tokens[self.position][2] :] if self.position < len(self.tokens) else self._text

    def alternatives(self) -> str:
        parts = [self._all()]
        while self._word("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else f"({' or '.join(parts)})"

    def _all(self) -> str:
        parts = [self._one()]
        while self._word("and"):
            parts.append(self._one())
        return " and ".join(parts)

    def _one(self) -> str:
        if self._sign("("):
            inner = self.alternatives()
            self._need(")")
            return f"({inner})" if " and " in inner else inner
        if self._next("literal"):
            left, sign, right = self._literal(), self._comparison(), self._literal()
            if (sign, left) == ("=", right):
                return "true"
            return f"{left} {sign} {right}"
        if not self._next("name"):
            raise ConditionUnknown(self.rest())
        column = self._column_sql(self._take().strip('`"'))
        negated = "not " if self._word("not") else ""
        if self._word("in"):
            return f"{column} {negated}in ({', '.join(self._list())})"
        if self._word("between"):
            low = self._literal()
            if not self._word("and"):
                raise ConditionUnknown(self.rest())
            return f"{column} {negated}between {low} and {self._literal()}"
        if self._word("is"):
            negated = "not " if self._word("not") else ""
            if not self._word("null"):
                raise ConditionUnknown(self.rest())
            return f"{column} is {negated}null"
        return f"{column} {self._comparison()} {self._literal()}"

    def _list(self) -> list[str]:
        self._need("(")
        values = [self._literal()]
        while self._sign(","):
            values.append(self._literal())
        self._need(")")
        return values

    def _literal(self) -> str:
        if not self._next("literal"):
            raise ConditionUnknown(self.rest())
        return re.sub("^(date|timestamp) *", "", self._take(), flags=re.IGNORECASE)

    def _comparison(self) -> str:
        if not self._next("sign") or self.tokens[self.position][1] not in _COMPARISONS:
            raise ConditionUnknown(self.rest())
        return self._take()

    def _need(self, sign: str) -> None:
        if not self._sign(sign):
            raise ConditionUnknown(self.rest())

    def _sign(self, sign: str) -> bool:
        return self._taken("sign", sign)

    def _word(self, word: str) -> bool:
        return self._taken("name", word)

    def _taken(self, kind: str, text: str) -> bool:
        here = self._next(kind) and self.tokens[self.position][1].lower() == text
        self.position += here
        return here

    def _next(self, kind: str) -> bool:
        return self.position < len(self.tokens) and self.tokens[self.position][0] == kind

    def _take(self) -> str:
        self.position += 1
        return self.tokens[self.position - 1][1]
