"""The answers on the pages docs/analysts/<subject>.md: the rows of each query and a chart, from a release of the sample.

A question is a heading of level 2, a block of SQL, and a chart in an HTML comment: a Vega-Lite view as YAML, without data
and types. What follows the comment, up to the next heading, is written here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import Any

import duckdb
import yaml

from civic_pipeline.errors import FileInvalid, writing
from civic_pipeline.releases import connect
from civic_pipeline.replacing import replace_text

_QUESTION = re.compile(
    r"^## (?:\d+\. )?(?P<title>[^\n]+)\n(?:(?!^## ).)*?"
    r"^```sql\n(?P<sql>.*?)^```\n+<!-- chart\n(?P<chart>.*?)^-->\n(?P<answer>.*?)(?=^## |\Z)",
    re.MULTILINE | re.DOTALL,
)
_ROWS_SHOWN = 15
_WIDTH = 520
# Distinguishable with the common colour deficiencies: Okabe and Ito, https://jfly.uni-koeln.de/color/
_COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000"]
_TICK = (
    "abs(datum.value) >= 1e9 ? format(datum.value / 1e9, ',.3~r') + 'B'"
    " : abs(datum.value) >= 1e6 ? format(datum.value / 1e6, ',.3~r') + 'M' : format(datum.value, ',')"
)
# A font that vl-convert brings, so that the widths of texts are the same on every machine.
_CONFIG = {
    "font": "Liberation Sans", "aria": False, "view": {"continuousHeight": 220, "discreteHeight": {"step": 20}},
    "axisQuantitative": {"labelExpr": _TICK, "tickCount": 5}, "axisX": {"labelAngle": 0}, "axisY": {"labelLimit": 280, "maxExtent": 320},
    "line": {"strokeWidth": 2},
    "range": {"category": _COLOURS}, "mark": {"color": _COLOURS[0]}, "title": {"anchor": "start", "fontSize": 12},
}  # fmt: skip
# Vega writes these for scripts and for animations; the picture is the same without them.
_NEEDLESS = re.compile(
    r' (?:opacity="1"|pointer-events="none"|aria-\w+="[^"]*"|role="[^"]*"|class="[^"]*"|stroke-miterlimit="10"'
    r'|font-family="Liberation Sans"|transform="translate\(0,0\)")'
    r'|<text [^>]*opacity="0">[^<]*</text>|<path [^>]*d="(?:M0,0h0v0h0Z)?"[^>]*/>'
)
_FINE = re.compile(r"\d+\.\d{2,}")


@dataclass(frozen=True)
class _Answer:
    columns: list[str]
    rows: list[tuple[Any, ...]]


def write_answers(folder: Path, warehouse: Path, *, check: bool) -> list[str]:
    """Write the answers into the pages of `folder`, and the charts into `folder`/charts; with `check`, only compare.

    `warehouse` is a release of the sample. Returns the names of pages and charts that were missing, outdated or needless.
    Raises FileInvalid (a query fails or has no rows, a chart is not valid), WarehouseMissing, DiskFull, NotWritable.
    """
    written: dict[Path, str] = {}
    with connect(warehouse) as connection:
        for page in sorted(folder.glob("*.md")):
            written |= _answered(page, folder / "charts", connection)
    stale = [path for path, text in written.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    gone = [path for path in sorted(folder.glob("charts/*")) if path not in written]
    if not check:
        with writing(folder):
            (folder / "charts").mkdir(exist_ok=True)
            for path in stale:
                replace_text(path, written[path])
            for path in gone:
                path.unlink()
    return [path.relative_to(folder).as_posix() for path in stale + gone]


def _answered(page: Path, charts: Path, connection: duckdb.DuckDBPyConnection) -> dict[Path, str]:
    """The page with its answers, and its charts."""
    text = page.read_text(encoding="utf-8")
    questions = list(_QUESTION.finditer(text))
    asked = {question.start("sql") for question in questions}
    for block in re.finditer("^```sql\n", text, re.MULTILINE):
        if block.end() not in asked:
            raise _mistake(
                page, text, block.start(), "add a chart after the query: <!-- chart ... -->, below one heading ##"
            )
    written: dict[Path, str] = {}
    parts, end = list[str](), 0
    for number, question in enumerate(questions, 1):
        chart = charts / f"{page.stem}_{number:02}.svg"
        answer = _ask(page, text, question, connection)
        written[chart] = _draw(page, text, question, answer)
        picture = f"![Chart: {question['title']}](charts/{chart.name})"
        parts += [text[end : question.start("answer")], f"\n{_table(answer)}\n\n{picture}\n\n"]
        end = question.end("answer")
    parts.append(text[end:])
    written[page] = "".join(parts).rstrip() + "\n"
    return written


def _ask(page: Path, text: str, question: re.Match[str], connection: duckdb.DuckDBPyConnection) -> _Answer:
    try:
        result = connection.execute(question["sql"])
        answer = _Answer([name for name, *_ in result.description], result.fetchall())
    except duckdb.Error as error:
        raise _mistake(page, text, question.start("sql"), str(error)) from error
    if not answer.rows:
        raise _mistake(page, text, question.start("sql"), "the query has no rows on the sample")
    return answer


def _table(answer: _Answer) -> str:
    lines = [answer.columns, ["---" if _is_text(answer, name) else "---:" for name in answer.columns]]
    lines += [
        [_shown(name, value) for name, value in zip(answer.columns, row, strict=True)]
        for row in answer.rows[:_ROWS_SHOWN]
    ]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    more = len(answer.rows) - _ROWS_SHOWN
    return f"{table}\n\nand {more:,} more {'row' if more == 1 else 'rows'}" if more > 0 else table


def _is_text(answer: _Answer, name: str) -> bool:
    return not any(isinstance(value, int | float | Decimal) for value in _values(answer, name))


def _values(answer: _Answer, name: str) -> list[Any]:
    place = answer.columns.index(name)
    return [row[place] for row in answer.rows]


def _shown(name: str, value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case int() if name.endswith("year"):
            return str(value)
        case int():
            return f"{value:,}"
        case Decimal():
            return f"{value:,f}"
        case float():  # parallel sums differ in their last digits
            return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
        case list():
            return ", ".join(_shown(name, item) for item in value)
        case _:
            return " ".join(str(value).split()).replace("|", "\\|")


def _draw(page: Path, text: str, question: re.Match[str], answer: _Answer) -> str:
    """The chart as SVG. Raises FileInvalid."""
    import altair as alt
    import vl_convert
    from jsonschema import ValidationError

    def mistake(what: str) -> FileInvalid:
        return _mistake(page, text, question.start("chart"), what)

    try:
        view = yaml.safe_load(question["chart"])
        axes = [axis for encoding in _encodings(view) for axis in encoding.items()]
    except (yaml.YAMLError, AttributeError, TypeError) as error:
        raise mistake(f"the chart is not a Vega-Lite view in YAML: {error}") from error
    used: dict[str, Any] = {}
    for channel, axis in axes:
        if "field" not in axis:
            continue
        if axis["field"] not in answer.columns:
            raise mistake(f"{channel}: the query has no column {axis['field']!r}; it has {', '.join(answer.columns)}")
        if channel in {"x2", "y2"}:  # the other end of a bar has the type and the title of the first
            continue
        if "title" not in axis and channel not in used:
            raise mistake(f"{channel}: add a title, with the unit in parentheses")
        for key, value in ({"title": used.get(channel)} | _defaults(answer, axis["field"])).items():
            axis.setdefault(key, value)
        used[channel] = axis["title"]
    names = sorted({axis["field"] for _, axis in axes if "field" in axis})
    rows = [
        dict(zip(names, map(_plain, values), strict=True))
        for values in zip(*(_values(answer, name) for name in names), strict=True)
    ]
    whole = {"width": _WIDTH, "title": _wrapped(question["title"])} | view | {"data": {"values": rows}}
    kind = alt.Chart if "mark" in view else alt.LayerChart
    try:
        valid = kind.from_dict(whole).to_dict()
    except ValidationError as error:
        raise mistake(f"the chart is not valid: {error}") from error
    described = "; ".join(f"{channel}: {title}" for channel, title in used.items())
    return _accessible(vl_convert.vegalite_to_svg(valid | {"config": _CONFIG}), question["title"], described)


def _encodings(view: Mapping[str, Any]) -> Iterator[dict[str, dict[str, Any]]]:
    if "encoding" in view:
        yield view["encoding"]
    for layer in view.get("layer", ()):
        yield from _encodings(layer)


def _defaults(answer: _Answer, name: str) -> dict[str, Any]:
    """Vega-Lite's type of a column. Names stay in the order of the query; days are not moved by a machine's time zone."""
    if name.endswith("year"):
        return {"type": "ordinal"}
    if any(isinstance(value, date) for value in _values(answer, name)):
        return {"type": "temporal", "scale": {"type": "utc"}}
    return {"type": "nominal", "sort": None} if _is_text(answer, name) else {"type": "quantitative"}


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            return float(value)
        case float():
            return float(f"{value:.6g}")
        case date():
            return value.isoformat()
        case _:
            return value


def _wrapped(title: str) -> Sequence[str]:
    """The title in lines that are no wider than the chart."""
    lines = [""]
    for word in title.split():
        if len(lines[-1]) + len(word) > 80:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _accessible(svg: str, title: str, described: str) -> str:
    """The SVG without what only scripts need, with a title and a description for screen readers."""
    svg = re.sub("<[^>]+>", lambda tag: _FINE.sub(lambda number: f"{float(number[0]):.4g}", tag[0]), svg)
    start, rest = _NEEDLESS.sub("", svg).split(">", 1)
    while "<g></g>" in rest:
        rest = rest.replace("<g></g>", "")
    start = start.replace("<svg", '<svg role="img" font-family="Liberation Sans, Arial, sans-serif"')
    return f"{start}><title>{escape(title)}</title><desc>{escape(described)}</desc>{rest}\n"


def _mistake(page: Path, text: str, position: int, what: str) -> FileInvalid:
    return FileInvalid(page, [(text.count("\n", 0, position) + 1, what)])
