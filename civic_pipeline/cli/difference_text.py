"""The difference of two releases as text and as JSON."""

import json
from dataclasses import asdict

from civic_pipeline.foreign_text import in_one_line
from civic_pipeline.releases import Difference


def to_json(difference: Difference) -> str:
    """One JSON object. Decimals and dates are strings, so that no value is rounded."""
    return json.dumps(asdict(difference), default=str, indent=1, ensure_ascii=False)


def as_text(difference: Difference) -> str:
    """One line per table, followed by its changes."""
    lines = [f"From {difference.before} to {difference.after}"]
    lines += [f"+ {table}" for table in difference.tables_added]
    lines += [f"- {table}" for table in difference.tables_removed]
    for table in difference.tables:
        rows = f"{table.rows_before:,} -> {table.rows_after:,} rows"
        if table.keys_added is None:
            lines.append(f"~ {table.table}: {rows}")
        else:
            lines.append(
                f"~ {table.table}: {rows}; {table.keys_added:,} added, {table.keys_removed:,} removed, {table.keys_changed:,} changed"
            )
        lines += [f"    + column {name}" for name in table.columns_added]
        lines += [f"    - column {name}" for name in table.columns_removed]
        lines += [f"    ~ column {change}" for change in table.columns_retyped]
        for column in table.columns:
            totals = (
                f", total {column.total_before:,} -> {column.total_after:,}"
                if column.total_before is not None and column.total_after is not None
                else ""
            )
            lines.append(
                f"    {column.column}: differs in {column.rows_changed:,} of {table.rows_after:,} rows{totals}"
            )
        lines += [f"      {example}" for example in table.examples]
    if len(lines) == 1:
        lines.append("All tables are identical.")
    return "\n".join(map(in_one_line, lines))
