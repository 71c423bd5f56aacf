"""The text files beside the data: `portal.yml`, which the demo portals obey, and a README that owns up to the dirt."""

from collections.abc import Sequence

import yaml

from tools.sample.table import Table


def portal_yml(tables: Sequence[Table]) -> str:
    files = [{"file": table.file, **table.entry} for table in tables]
    comment = "# Written by `python -m tools.sample`: what the demo portals serve here, and under which ids.\n"
    return comment + yaml.safe_dump({"files": files}, sort_keys=False, width=120)


def readme(tables: Sequence[Table]) -> str:
    parts = [
        "# Sample data",
        "",
        (
            "**Everything here is synthetic.** `python -m tools.sample` makes it, with the same content "
            "every time. Agencies, funds,"
        ),
        (
            "services, counties and ZIP codes have their real names; every vendor, firm, person, payment, budget line "
            "and case count is invented."
        ),
        (
            "Ids and column names are those of the real datasets, so that the same definitions read the demo portals "
            "and the live ones."
        ),
        "Quote no number from these files.",
        "",
        "The files are dirty on purpose, in the ways the real ones are. What was put in, and how often:",
        "",
        "| File | Rows | Columns |",
        "|---|---:|---:|",
        *(f"| `{table.file}` | {len(table.rows):,} | {len(table.header)} |" for table in tables),
        "",
    ]
    for table in tables:
        if table.dirt:
            parts += [
                f"## {table.entry['dataset']}",
                "",
                f"`{table.file}`",
                "",
                "| What is wrong | How many |",
                "|---|---:|",
            ]
            parts += [f"| {what} | {count:,} |" for what, count in table.dirt.items()]
            parts.append("")
    return "\n".join(parts)
