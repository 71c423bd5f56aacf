"""The quality report of one run: an index by subject with failures first, and a page per checked table.

Plain HTML without scripts: it opens from disk without a network. Values from portals are escaped.
"""

import shutil
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from civic_pipeline.errors import writing
from civic_pipeline.warehouse import CheckResult

KEPT_REPORTS = 10
_STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;"
    "border-bottom:1px solid #ddd;overflow-wrap:anywhere}td.n,th.n{text-align:right}h2{margin-top:2rem}"
    ".failed{color:#b00020;font-weight:600}.warning{color:#8a5a00;font-weight:600}nav a{margin-right:1rem}"
)


def report_page(reports: Path, run_id: str, table: str | None = None) -> Path:
    """The page of a table in the report of a run; without a table, the index."""
    return reports / run_id / (f"{table}.html" if table else "index.html")


def write_report(
    reports: Path, run_id: str, subjects: Mapping[str, str], results: Mapping[str, Sequence[CheckResult]]
) -> Path | None:
    """Write the pages of `results` (table -> the checks of this run), and remove the oldest reports.

    `subjects` has the subject of each table. Returns the index, or None if nothing was checked.
    """
    if not results:
        return None
    with writing(reports):
        report_page(reports, run_id).parent.mkdir(parents=True, exist_ok=True)
        for table, rows in results.items():
            report_page(reports, run_id, table).write_text(_table_page(table, subjects[table], rows), encoding="utf-8")
        index = report_page(reports, run_id)
        index.write_text(_index(run_id, subjects, results), encoding="utf-8")
        _keep_newest(reports)
    return index


def _index(run_id: str, subjects: Mapping[str, str], results: Mapping[str, Sequence[CheckResult]]) -> str:
    failed = [result for rows in results.values() for result in rows if result.failed]
    failed.sort(key=lambda result: (result.severity != "critical", result.table, result.name))
    total = sum(len(rows) for rows in results.values())
    counts = f"{total:,} expectations of {len(results):,} tables were checked, {len(failed):,} failed."
    rest = "An unchanged table is not checked again and not listed."
    body = ["<h1>Quality report</h1>", f"<p>Run {escape(run_id)}. {counts} {rest}</p>"]
    if failed:
        body.append(
            "<h2>Failed</h2><table><tr><th>Table<th>Expectation<th>Severity<th class=n>Unexpected<th>Expected, examples</tr>"
        )
        body += [
            f"<tr><td>{_link(r.table)}<td>{escape(r.name)}<td class={_class(r)}>{escape(r.severity)}"
            f"<td class=n>{_number(r.unexpected)}<td>{escape(r.description)}{_examples(r)}</tr>"
            for r in failed
        ]
        body.append("</table>")
    by_subject: dict[str, list[str]] = {}
    for table in results:
        by_subject.setdefault(subjects[table], []).append(table)
    links = (f'<a href="#{escape(subject)}">{escape(subject)}</a>' for subject in sorted(by_subject))
    body.append(f"<nav>{' '.join(links)}</nav>")
    for subject, tables in sorted(by_subject.items()):
        body.append(
            f'<h2 id="{escape(subject)}">{escape(subject)}</h2><table><tr><th>Table<th class=n>Expectations<th class=n>Failed</tr>'
        )
        for table in sorted(tables, key=lambda name: (-_failures(results[name]), name)):
            count = _failures(results[table])
            mark = " failed" if count else ""
            remark = _not_run(results[table])
            body.append(
                f'<tr><td>{_link(table)}{remark}<td class=n>{len(results[table]):,}<td class="n{mark}">{count:,}</tr>'
            )
        body.append("</table>")
    return _page("Quality report", body)


def _table_page(table: str, subject: str, results: Sequence[CheckResult]) -> str:
    body = [
        f"<p><a href=index.html>Quality report</a> / {escape(subject)}</p><h1>{escape(table)}</h1>",
        "<table><tr><th>Expectation<th>Verdict<th>Severity<th class=n>Evaluated<th class=n>Unexpected<th>Expected, examples</tr>",
    ]
    body += [
        f"<tr><td>{escape(r.name)}<td class={_class(r)}>{escape(r.verdict)}<td>{escape(r.severity)}<td class=n>{_number(r.evaluated)}"
        f"<td class=n>{_number(r.unexpected)}<td>{escape(r.description)}{_examples(r)}</tr>"
        for r in sorted(results, key=lambda result: (not result.failed, result.severity != "critical", result.name))
    ]
    return _page(table, [*body, "</table>"])


def _page(title: str, body: Sequence[str]) -> str:
    lines = "\n".join(body)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n{lines}\n</body></html>\n"
    )


def _link(table: str) -> str:
    return f'<a href="{escape(table)}.html">{escape(table)}</a>'


def _class(result: CheckResult) -> str:
    if not result.failed:
        return "passed"
    return "failed" if result.severity == "critical" else "warning"


def _examples(result: CheckResult) -> str:
    """The examples, and a link to the file of failed rows."""
    shown = "".join(f"<br><code>{escape(example)}</code>" for example in result.examples)
    if result.failed_rows:
        shown += f'<br><a href="{escape(result.failed_rows.as_uri())}">failed rows</a>'
    return shown


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.10g}"


def _not_run(results: Sequence[CheckResult]) -> str:
    """Why no check of a table ran; empty if one did."""
    reasons = [result.not_run for result in results if result.not_run]
    return f" {escape(reasons[0])}" if reasons and len(reasons) == len(results) else ""


def _failures(results: Sequence[CheckResult]) -> int:
    return sum(result.failed for result in results)


def _keep_newest(reports: Path) -> None:
    for old in sorted(
        (p for p in reports.iterdir() if p.is_dir() and p.name != "failed"), key=lambda p: p.stat().st_mtime
    )[:-KEPT_REPORTS]:
        shutil.rmtree(old)
