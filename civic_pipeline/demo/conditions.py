"""The part of a `where` that both protocols share: comparisons of a column with a value, joined by `and`."""

import re
from collections.abc import Callable

_LITERAL = r"(?:(?:DATE|TIMESTAMP)\s+)?'(?:[^']|'')*'|[-+]?[0-9]+(?:\.[0-9]+)?"
_COMPARISON = re.compile(
    rf"\s*\(?\s*([:@\w]+|`[^`]+`|\"[^\"]+\"|[0-9]+)\s*(<=|>=|<>|!=|=|<|>)\s*({_LITERAL})\s*\)?\s*", re.IGNORECASE
)
_AND = re.compile(r"\band\b", re.IGNORECASE)


class ConditionUnknown(ValueError):
    """The text is not a chain of comparisons; the argument is the part we cannot read."""


def conditions_sql(text: str, column_sql: Callable[[str], str]) -> str:
    """DuckDB SQL of a `where` such as `OBJECTID >= 5 AND OBJECTID <= 9` or `:id > 'row-1'`; `true` for `1=1`.

    `column_sql` turns a column's name into SQL and raises for a name it does not know.
    """
    parts, position = [], 0
    while True:
        found = _COMPARISON.match(text, position)
        if not found:
            raise ConditionUnknown(text[position:].strip() or text)
        name, operator, literal = found.groups()
        left = name if name.isdigit() else column_sql(name.strip('`"'))
        parts.append(f"{left} {operator} {re.sub('^(date|timestamp) +', '', literal, flags=re.IGNORECASE)}")
        position = found.end()
        if position == len(text):
            return " and ".join(parts)
        joined = _AND.match(text, position)
        if not joined:
            raise ConditionUnknown(text[position:].strip())
        position = joined.end()
