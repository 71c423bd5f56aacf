"""`marts.mart_mwbe_participation`: dollars to certified firms, with the uncertainty of the matches, over two denominators.

With A the dollars of a vendor on days on which its firm was certified, and p the probability of the match:
expected = Σ A p, low = Σ A [p >= 0.99], high = Σ A [p >= 0.5], and the interval is that of the Poisson-binomial sum.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING, Any

from civic_pipeline.methods.linkage.firms import hash_id
from civic_pipeline.methods.linkage.measures import AUTO, REVIEW, sum_intervals

if TYPE_CHECKING:
    import pyarrow as pa

_SEED = 17
# Published breakdowns: the columns that are not summed over.
_BREAKDOWNS: dict[str, tuple[str, ...]] = {
    "city": (), "agency": ("agency_id",), "industry": ("industry",), "agency and industry": ("agency_id", "industry"),
    "owner group": ("owner_group",), "agency, industry and owner group": ("agency_id", "industry", "owner_group"),
}  # fmt: skip
# Owners of other payees have no published group: a group's share is of what all payees were paid, in this breakdown.
_WHOLE = {"owner group": "city", "agency, industry and owner group": "agency and industry"}
_GROUP_NOT_PUBLISHED = "No register that publishes groups of owners lists these firms, or not surely enough."
_DENOMINATORS = ("all", "eligible")
# Disjoint parts, so that mbe + wbe - dual = unduplicated to the cent.
_PARTS = ("mbe_only", "wbe_only", "dual")
_GROUPS = {
    "mbe": ("mbe_only", "dual"), "wbe": ("wbe_only", "dual"), "dual": ("dual",), "unduplicated": _PARTS,
}  # fmt: skip


@dataclass
class _Cell:
    """Cents paid, and cents of each part by vendor."""

    paid: int = 0
    certified: dict[str, dict[int, int]] = field(default_factory=lambda: {part: defaultdict(int) for part in _PARTS})


def participation(tables: Mapping[str, "pa.Table"]) -> "pa.Table":
    """One row per city, fiscal year, quarter or whole year, breakdown, group and denominator.

    A group of owners has rows only where its firms were paid while certified.
    """
    rows = tables["marts.fct_participation_spend"].to_pylist()
    vendors = {vendor: i for i, vendor in enumerate(dict.fromkeys(row["vendor_id"] for row in rows if row["firm_id"]))}
    probabilities = [0.0] * len(vendors)
    cells: dict[tuple[Any, ...], _Cell] = defaultdict(_Cell)
    for row in rows:
        position = vendors.get(row["vendor_id"])
        if position is not None:
            probabilities[position] = row["match_probability"]
        for key in _cells_of(row):
            cell = cells[key]
            cell.paid += _cents(row["paid_amount"])
            for part in _PARTS:
                if position is not None and (cents := _cents(row[f"{part}_amount"])):
                    cell.certified[part][position] += cents
    return _table(cells, probabilities)


def _cells_of(row: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The cells that a row counts in: (city, year, quarter or None, breakdown, agency, industry, owner group, denominator)."""
    denominators = _DENOMINATORS if row["exclusion_reason"] == "none" else ("all",)
    return [
        (
            row["city"], row["fiscal_year"], quarter, breakdown,
            row["agency_id"] if "agency_id" in columns else None, row["industry"] if "industry" in columns else None,
            row["owner_group"] if "owner_group" in columns else None, denominator,
        )
        for quarter, (breakdown, columns), denominator in product(
            (row["fiscal_quarter"], None), _BREAKDOWNS.items(), denominators
        )
    ]  # fmt: skip


def _table(cells: Mapping[tuple[Any, ...], _Cell], probabilities: list[float]) -> "pa.Table":
    import pyarrow as pa

    published = [
        (key, group)
        for key in sorted(cells, key=_order)
        if key[3] not in _WHOLE or any(cells[key].certified.values())
        for group in _GROUPS
    ]
    sums = [_of_group(cells[key], group) for key, group in published]
    intervals = sum_intervals([(list(cents), list(cents.values())) for cents in sums], probabilities, _SEED)
    columns: dict[str, list[Any]] = defaultdict(list)
    for (key, group), cents, (low, high) in zip(published, sums, intervals, strict=True):
        city, year, quarter, breakdown, agency, industry, owner_group, denominator = key
        of_all = (city, year, quarter, _WHOLE.get(breakdown, breakdown), agency, industry, None, denominator)
        paid, parts = cells[of_all].paid, cells[key].certified
        # Rounded by part, so that the groups add up.
        expected = sum(round(sum(c * probabilities[v] for v, c in parts[part].items())) for part in _GROUPS[group])
        values: dict[str, Any] = {
            "participation_id": hash_id(*(None if part is None else str(part) for part in (*key, group))),
            "city": city,
            "fiscal_year": year,
            "fiscal_quarter": quarter,
            "breakdown": breakdown,
            "agency_id": agency,
            "industry": industry,
            "owner_group": owner_group,
            "not_published": _GROUP_NOT_PUBLISHED if breakdown in _WHOLE and not owner_group else None,
            "certified_group": group,
            "denominator": denominator,
            "denominator_amount": _dollars(paid),
            "expected_amount": _dollars(expected),
            "low_amount": _dollars(sum(c for v, c in cents.items() if probabilities[v] >= AUTO)),
            "high_amount": _dollars(sum(c for v, c in cents.items() if probabilities[v] >= REVIEW)),
            "interval_low_amount": _dollars(round(low)),
            "interval_high_amount": _dollars(round(high)),
            "interval_method": "Poisson-binomial, 2,000 stratified draws",
            "expected_share": expected / paid if paid > 0 else None,
            "interval_low_share": low / paid if paid > 0 else None,
            "interval_high_share": high / paid if paid > 0 else None,
            "vendor_count": sum(probabilities[v] >= REVIEW for v in cents),
            "prime_payments_only": True,
        }
        for name, value in values.items():
            columns[name].append(value)
    return pa.table({name: pa.array(columns[name], type=kind) for name, kind in _schema().items()})


def _of_group(cell: _Cell, group: str) -> dict[int, int]:
    """Cents by vendor."""
    total: dict[int, int] = defaultdict(int)
    for part in _GROUPS[group]:
        for vendor, cents in cell.certified[part].items():
            total[vendor] += cents
    return dict(sorted(total.items()))


def _order(key: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(str(part) for part in key)


def _cents(amount: Decimal) -> int:
    return int(amount * 100)


def _dollars(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def _schema() -> dict[str, Any]:
    import pyarrow as pa

    money, text, share = pa.decimal128(38, 2), pa.string(), pa.float64()
    return {
        "participation_id": text, "city": text, "fiscal_year": pa.int32(), "fiscal_quarter": pa.int32(), "breakdown": text,
        "agency_id": text, "industry": text, "owner_group": text, "not_published": text, "certified_group": text,
        "denominator": text, "denominator_amount": money,
        "expected_amount": money, "low_amount": money, "high_amount": money, "interval_low_amount": money,
        "interval_high_amount": money, "interval_method": text, "expected_share": share, "interval_low_share": share,
        "interval_high_share": share, "vendor_count": pa.int64(), "prime_payments_only": pa.bool_(),
    }  # fmt: skip
