"""The text files of the sample: `portal.yml` for the demo portals, and a README that lists all defects."""

from collections.abc import Sequence

import yaml

from tools.sample.table import Table


class _WithoutAliases(yaml.SafeDumper):
    """Writes a date again where several files share it."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def portal_yml(tables: Sequence[Table]) -> str:
    # A JSON document is served by its name alone, as a workbook is.
    files = [{"file": table.file, **table.entry} for table in tables if not table.file.endswith(".json")]
    comment = "# Written by `python -m tools.sample`: what the demo portals serve here, and under which ids.\n"
    return comment + yaml.dump({"files": files}, Dumper=_WithoutAliases, sort_keys=False, width=120)


def readme(tables: Sequence[Table]) -> str:
    parts = [
        "# Sample data",
        "",
        (
            "**All data here is synthetic.** `python -m tools.sample` generates it, always with the same content. "
            "Agencies, funds,"
        ),
        (
            "services, counties and ZIP codes have real names; all vendors, firms, persons, payments, budget lines "
            "and case counts are invented."
        ),
        (
            "Ids and column names are the same as in the real datasets, so that the same definitions work with the "
            "demo portals and the live portals."
        ),
        "Do not cite numbers from these files.",
        "",
        "The files have the same kinds of defects as the real ones, on purpose. The tables list every defect and its count.",
        "",
        "| File | Rows | Columns |",
        "|---|---:|---:|",
        *(f"| `{table.file}` | {len(table.rows):,} | {len(table.header)} |" for table in tables),
        "",
    ]
    for table in tables:
        if table.defects:
            parts += [
                f"## {table.entry['dataset']}",
                "",
                f"`{table.file}`",
                "",
                "| Defect | Count |",
                "|---|---:|",
            ]
            parts += [f"| {what} | {count:,} |" for what, count in table.defects.items()]
            parts.append("")
    return "\n".join(parts)
