"""The drift checks: each compares two versions of a table and reports changes beyond its limits."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from statistics import median

from civic_pipeline.catalog import Severity
from civic_pipeline.catalog.dataset import Drift, Limits
from civic_pipeline.quality.drift.comparison import Comparison
from civic_pipeline.quality.drift.profile import WHOLE, Amount, Slice, pairs_of
from civic_pipeline.quality.drift.watched import Watched

# Smaller slices change by chance, or because one record was corrected.
_FEWEST_ROWS_MOVED = 10
_FEWEST_ROWS_OF_TOTAL = 20
_FEWEST_ROWS_OF_SHARE = 200
_FEWEST_PAYEES = 50

_ALIKE = 0.9
_ZEROS = [n for n in range(-6, 7) if n]
_BUSINESS_DAYS_OF_LEDGER = 10
_BUSINESS_DAYS_SHARE = 0.6


@dataclass
class Finding:
    """The changes beyond a limit, with both numbers; `severity` is the highest one, None if there are none."""

    severity: Severity | None = None
    moves: list[tuple[bool, float, str]] = field(default_factory=list)

    def add(self, severity: Severity | None, size: float, text: str) -> None:
        """Add a change; without a severity nothing is added."""
        if severity is not None:
            self.moves.append((severity == "critical", size, text))
            self.severity = "critical" if "critical" in (severity, self.severity) else severity

    @property
    def examples(self) -> tuple[str, ...]:
        """The changes, highest severity and largest first."""
        return tuple(text for *_, text in sorted(self.moves, reverse=True))


@dataclass(frozen=True)
class Rule:
    """One check. `severity` is its highest severity; a smaller change is a warning.

    `looks_at_rows` is false if the check can fail although the rows are the same.
    """

    name: str
    severity: Severity
    description: str
    find: Callable[[Comparison], Finding]
    looks_at_rows: bool = True


def rules(watched: Watched, drift: Drift) -> list[Rule]:
    """The drift checks of a table, in order."""
    falls = f"by less than {drift.open.warn:.0%}, held back at {drift.open.hold:.0%}"
    moves = (
        f"a past fiscal year changes by less than {drift.closed.warn:.1%}, held back at {drift.closed.hold:.1%};"
        f" any other slice falls {falls}"
    )
    shares = f"by less than {drift.open.warn * 100:.0f} points, held back at {drift.open.hold * 100:.0f}"
    changed = f"less than {drift.changed.warn:.0%}, held back at {drift.changed.hold:.0%}"
    moved = f"less than {drift.open.warn:.0%} of those of a value, held back at {drift.open.hold:.0%}"
    rules = [
        Rule("drift__rows", "critical", f"rows: {moves}", _rows),
        Rule("drift__growth", "critical", f"rows and control totals grow by at most {drift.grow_at_most:.0%}", _growth),
        Rule("drift__missing_slices", "critical", "no fiscal year, month or category value disappears", _missing),
        Rule("drift__blank_share", "critical", f"the share of blanks rises {shares}", _blank_share),
        Rule("drift__emptied_columns", "critical", "no column loses all its values", _emptied_columns),
        Rule("drift__rows_twice", "critical", f"the share of rows that occur exactly twice rises {shares}", _rows_twice),
        Rule("drift__changed_rows", "critical", f"accepted rows that changed or are missing: {changed}", _changed_rows),
        Rule("drift__garbled_text", "warning", "rows with letters of a wrong encoding or codes of HTML do not become more", _garbled_text),
        Rule("drift__repeated_rows", "warning", "the number of rows published twice and dropped does not grow", _repeated_rows, False),
    ]  # fmt: skip
    rules += [
        Rule(f"drift__zeros__{name}", "warning", f"{name} that had values do not become 0", partial(_zeros, name))
        for name in watched.measures
    ]
    for name in watched.amounts:
        rules += [
            Rule(f"drift__total__{name}", "critical", f"the sum of {name}: {moves}", partial(_total, name)),
            Rule(
                f"drift__negative_share__{name}", "critical",
                f"the share of negative {name} changes {shares}, and does not fall by half",
                partial(_negative_share, name),
            ),
            Rule(f"drift__factor__{name}", "critical", f"{name} has not changed by a constant factor", partial(_factor, name)),
        ]  # fmt: skip
    rules += [
        Rule(f"drift__equal__{one}__{other}", "warning", f"{one} and {other} do not become equal", partial(_equal, (one, other)))
        for one, other in pairs_of(watched.amounts)
    ]  # fmt: skip
    rules += [
        Rule(f"drift__moved_rows__{name}", "critical", f"accepted rows are under another {name}: {moved}", partial(_moved_rows, name))
        for name in watched.categories
    ]  # fmt: skip
    rules += [
        Rule(
            f"drift__ids__{name}",
            "critical",
            f"rows without a {name} of their own rise by {changed}",
            partial(_ids, name),
            False,
        )
        for name in watched.ids
    ]
    if watched.payee:
        rules.append(Rule("drift__payees", "critical", f"distinct {watched.payee} per slice change {falls}", _payees))
    if watched.year and watched.amounts:
        text = f"no two fiscal years are equal in more than {_ALIKE:.0%} of their lines"
        rules.append(Rule("drift__years_alike", "critical", text, _years_alike))
    if watched.is_ledger:
        text = "a month has about as many business days with rows as the months around it, unless a coverage note explains it"
        rules.append(Rule("drift__business_days", "warning", text, _business_days))
    return rules


def _rows(c: Comparison) -> Finding:
    finding = Finding()
    for before, after in c.pairs():
        moved = after.rows - before.rows
        size = _size(c, before, moved, before.rows)
        if abs(moved) >= _FEWEST_ROWS_MOVED and c.matters(before, lambda part: part.rows, abs(moved)):
            text = f"{_label(before)}: {before.rows:,} -> {after.rows:,} rows ({moved / before.rows:+.1%})"
            finding.add(None if c.is_renamed(before, after) else _grade(size, _limits(c, before)), size, text)
    return finding


def _total(name: str, c: Comparison) -> Finding:
    finding = Finding()
    for before, after in c.pairs():
        was, now = before.amounts[name], after.amounts[name]
        if not was.gross or (before.name != WHOLE and before.rows < _FEWEST_ROWS_OF_TOTAL):
            continue
        moved = now.total - was.total
        size = _size(c, before, moved, was.gross)
        if c.matters(before, lambda part: part.amounts[name].gross, abs(moved)):
            text = f"{_label(before)}: {was.total:,.2f} -> {now.total:,.2f} ({moved / was.gross:+.1%})"
            finding.add(None if c.is_renamed(before, after) else _grade(size, _limits(c, before)), size, text)
    return finding


def _growth(c: Comparison) -> Finding:
    finding, (before, after) = Finding(), c.whole
    most = c.drift.grow_at_most
    grown = after.rows - before.rows
    if grown >= _FEWEST_ROWS_MOVED / 2 and grown > before.rows * most:
        finding.add(
            "critical", grown / before.rows, f"{before.rows:,} -> {after.rows:,} rows ({grown / before.rows:+.1%})"
        )
    for name, was in before.amounts.items():
        now = after.amounts[name]
        if was.gross and now.gross > was.gross * (1 + most):
            size = now.gross / was.gross - 1
            finding.add("critical", size, f"{name}: {was.total:,.2f} -> {now.total:,.2f} ({size:+.1%} without signs)")
    return finding


def _missing(c: Comparison) -> Finding:
    finding = Finding()
    for name, before in c.before.items():
        is_parent_gone = before.parent not in c.after
        if name in c.after or before.is_null or is_parent_gone or before.rows < _FEWEST_ROWS_MOVED:
            continue
        if c.is_renamed(before, None):
            continue
        parent = c.parent(before)
        sizes = [before.rows / parent.rows]
        sizes += [a.gross / parent.amounts[n].gross for n, a in before.amounts.items() if parent.amounts[n].gross]
        is_large = max(sizes) >= c.SHARE_THAT_MATTERS
        totals = "".join(f", {n} {a.total:,.2f}" for n, a in before.amounts.items())
        finding.add(
            "critical" if is_large else "warning",
            max(sizes),
            f"{_label(before)} is missing: it had {before.rows:,} rows{totals}",
        )
    return finding


def _negative_share(name: str, c: Comparison) -> Finding:
    finding = _shares(c, lambda part: part.amounts[name].negative, f"negative {name}", both_ways=True)
    for before, after in c.pairs():
        was, now = before.amounts[name].negative, after.amounts[name].negative
        if was >= _FEWEST_ROWS_OF_TOTAL and now * before.rows < was * after.rows / 2:
            text = f"{_label(before)}: {was:,} negative {name} in {before.rows:,} rows -> {now:,} in {after.rows:,}"
            finding.add("critical", was - now, text)
    return finding


def _blank_share(c: Comparison) -> Finding:
    finding = Finding()
    for column in c.watched.columns:
        blank = _shares(c, partial(_blanks, column), f"blank {column}", both_ways=False)
        for is_critical, size, text in blank.moves:
            finding.add("critical" if is_critical else "warning", size, text)
    return finding


def _emptied_columns(c: Comparison) -> Finding:
    finding, (before, after) = Finding(), c.whole
    for column, filled in before.filled.items():
        if filled < _FEWEST_ROWS_MOVED / 2 or not after.rows:
            continue
        was, now = filled / before.rows, after.filled[column] / after.rows
        text = f"{column}: {filled:,} values in {before.rows:,} rows -> {after.filled[column]:,} in {after.rows:,}"
        if now < was / 2:
            finding.add("critical", was - now, text)
        elif now < was * (1 - c.drift.open.hold) and filled >= _FEWEST_ROWS_OF_TOTAL:
            finding.add("warning", was - now, text)
    return finding


def _rows_twice(c: Comparison) -> Finding:
    return _shares(c, lambda part: part.twice, "of the rows occur exactly twice", both_ways=False, fewest=50)


def _changed_rows(c: Comparison) -> Finding:
    finding, (before, _) = Finding(), c.whole
    lost = c.lost_rows
    if lost >= _FEWEST_ROWS_MOVED:
        size = lost / before.rows
        finding.add(
            _grade(size, c.drift.changed),
            size,
            f"{lost:,} of {before.rows:,} accepted rows changed or are missing ({size:.1%})",
        )
    return finding


def _moved_rows(name: str, c: Comparison) -> Finding:
    finding = Finding()
    for value, (rows, moved) in c.moved_rows(name).items():
        if moved >= max(_FEWEST_ROWS_MOVED, c.SHARE_THAT_MATTERS * c.whole[0].rows):
            size = moved / rows
            text = f"{name} {value}: {moved:,} of {rows:,} rows are now under other values that were there before"
            finding.add(_grade(size, c.drift.open), size, text)
    return finding


def _ids(name: str, c: Comparison) -> Finding:
    finding, (before, after), (was, now) = Finding(), c.whole, c.different_values(name)
    size = (after.rows - now) / max(1, after.rows) - (before.rows - was) / max(1, before.rows)
    if after.rows - now >= _FEWEST_ROWS_MOVED:
        text = f"{was:,} different {name} in {before.rows:,} rows -> {now:,} in {after.rows:,}"
        finding.add(_grade(size, c.drift.changed), size, text)
    return finding


def _garbled_text(c: Comparison) -> Finding:
    finding = Finding()
    was, now = c.garbled_rows(c.accepted.relation), c.garbled_rows(c.staged.relation)
    if now - was >= _FEWEST_ROWS_MOVED and now > 2 * was:
        finding.add("warning", now - was, f"{was:,} rows with such text in the accepted version, {now:,} now")
    return finding


def _repeated_rows(c: Comparison) -> Finding:
    finding, was, now = Finding(), c.accepted.repeated_rows, c.staged.repeated_rows
    if now - was >= _FEWEST_ROWS_MOVED and now > 2 * was:
        finding.add("warning", now - was, f"{now:,} repeated rows were dropped, {was:,} in the accepted version")
    return finding


def _zeros(name: str, c: Comparison) -> Finding:
    finding = Finding()
    for before, after in c.pairs():
        was, now = before.zeros[name], after.zeros[name]
        size = now / max(1, after.rows) - was / max(1, before.rows)
        if now - was >= _FEWEST_ROWS_MOVED and min(before.rows, after.rows) >= _FEWEST_ROWS_OF_SHARE:
            text = f"{_label(before)}: {name} is 0 in {was:,} of {before.rows:,} rows -> {now:,} of {after.rows:,}"
            is_many = size >= c.drift.open.warn or now >= 2 * was + _FEWEST_ROWS_OF_TOTAL
            finding.add("warning" if is_many else None, size, text)
    return finding


def _factor(name: str, c: Comparison) -> Finding:
    finding = Finding()
    steady: dict[str, list[float]] = {}
    for before, after in c.pairs():
        was, now = before.amounts[name], after.amounts[name]
        if min(was.nonzero, now.nonzero) < (5 if before.name == WHOLE else _FEWEST_ROWS_OF_TOTAL):
            continue
        factor = math.exp(now.typical - was.typical)
        if before.rows == after.rows:
            steady.setdefault(before.kind, []).append(factor)
        # By one factor in all rows, the total changes as the typical amount does.
        is_constant = (
            before.rows == after.rows
            and abs(factor - 1) >= c.drift.open.warn
            and abs(now.gross / was.gross / factor - 1) < 0.001
        )
        is_shifted = any(abs(factor / 10.0**n - 1) < 0.02 for n in _ZEROS)
        if (is_shifted or is_constant) and c.matters(before, lambda part: part.rows, before.rows):
            finding.add("critical", abs(math.log(factor)), _factor_text(before, was, now, factor))
    for kind, factors in steady.items():
        middle = median(factors)
        share = sum(abs(factor / middle - 1) < 0.001 for factor in factors) / len(factors)
        if len(factors) >= 3 and share >= _ALIKE and abs(middle - 1) >= c.drift.closed.warn:
            text = f"{name} is {middle:.6g} times what it was in {share:.0%} of {len(factors)} slices by {_kind(kind)}"
            finding.add("critical", abs(math.log(middle)), text)
    return finding


def _equal(pair: tuple[str, str], c: Comparison) -> Finding:
    finding = _shares(c, lambda part: part.equal_amounts[pair], f"{pair[0]} = {pair[1]}", both_ways=False, fewest=50)
    finding.severity = finding.severity and "warning"  # a council may adopt exactly what was recommended
    return finding


def _payees(c: Comparison) -> Finding:
    finding = Finding()
    for before, after in c.pairs():
        was, now = before.payees or 0, after.payees or 0
        if was < _FEWEST_PAYEES:
            continue
        risen = now / was / max(1.0, after.rows / before.rows) - 1
        size = max(1 - now / was, risen if before.kind in (WHOLE, c.watched.year) else 0)
        if not c.is_renamed(before, after):
            finding.add(
                _grade(size, c.drift.open), size, f"{_label(before)}: {was:,} -> {now:,} payees ({now / was - 1:+.1%})"
            )
    return finding


def _years_alike(c: Comparison) -> Finding:
    finding = Finding()
    alike = {pair: share for pair, share in c.years_alike(c.staged.relation).items() if share > _ALIKE}
    known = {pair for pair, share in c.years_alike(c.accepted.relation).items() if share > _ALIKE} if alike else set()
    for (one, other), share in alike.items():
        if (one, other) not in known:
            finding.add("critical", share, f"{share:.1%} of the lines of {other} are also in {one}")
    return finding


def _business_days(c: Comparison) -> Finding:
    finding = Finding()
    before, after = c.paying_days(c.accepted.relation), c.paying_days(c.staged.relation)
    known = set(_between(before))
    for month in _between(after):
        days = after.get(month, 0)
        around = [after[other] for other in _around(month) if other in after]
        usual = median(around) if around else 0
        is_known = month in known and before.get(month, 0) == days
        if (
            is_known
            or month in c.declared_gaps
            or usual < _BUSINESS_DAYS_OF_LEDGER
            or days >= usual * _BUSINESS_DAYS_SHARE
        ):
            continue
        finding.add(
            "warning",
            usual - days,
            f"{month:%Y-%m}: {days} business days with rows, {usual:.0f} in the months around it",
        )
    return finding


def _shares(
    c: Comparison, part_of: Callable[[Slice], int], what: str, *, both_ways: bool, fewest: int = _FEWEST_ROWS_OF_SHARE
) -> Finding:
    """Slices in which the share of the rows counted by `part_of` changed."""
    finding = Finding()
    for before, after in c.pairs():
        if min(before.rows, after.rows) < (5 if before.name == WHOLE else fewest):
            continue
        was, now = part_of(before) / before.rows, part_of(after) / after.rows
        size = abs(now - was) if both_ways else now - was
        if size > 0 and c.matters(before, lambda part: part.rows, size * after.rows):
            text = f"{_label(before)}: {was:.1%} -> {now:.1%} {what}"
            finding.add(_grade(round(size, 9), c.drift.open), size, text)
    return finding


def _blanks(column: str, part: Slice) -> int:
    return part.rows - part.filled[column]


def _limits(c: Comparison, part: Slice) -> Limits:
    return c.drift.closed if c.is_closed(part) else c.drift.open


def _size(c: Comparison, part: Slice, moved: float, base: float) -> float:
    """The relative change of a slice: in both directions if it is closed, else only downwards."""
    return (abs(moved) if c.is_closed(part) else max(0, -moved)) / base


def _grade(size: float, limits: Limits) -> Severity | None:
    return "critical" if size >= limits.hold else "warning" if size >= limits.warn else None


def _factor_text(part: Slice, was: Amount, now: Amount, factor: float) -> str:
    return f"{_label(part)}: {was.total:,.2f} -> {now.total:,.2f}, typically {factor:.6g} times as much"


def _label(part: Slice) -> str:
    return part.name or "all rows"


def _kind(kind: str) -> str:
    return "month" if kind == "_month" else kind or "table"


def _between(days: dict[date, int]) -> Iterator[date]:
    """The months after the first one and before the last."""
    if days:
        month, last = _next(min(days)), max(days)
        while month < last:
            yield month
            month = _next(month)


def _around(month: date) -> list[date]:
    """Three months before and three after."""
    number = month.year * 12 + month.month - 1
    return [date((number + n) // 12, (number + n) % 12 + 1, 1) for n in (-3, -2, -1, 1, 2, 3)]


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)
