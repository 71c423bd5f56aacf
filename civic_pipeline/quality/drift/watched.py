"""The columns of a clean table that drift compares, chosen from its contract and its dataset."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from civic_pipeline.catalog import Column
from civic_pipeline.errors import CatalogIncomplete
from civic_pipeline.warehouse import Model

YEAR = "fiscal_year"
_CATEGORIES = ("agency_name", "department_name")
_PAYEES = ("vendor_name",)
_TIMES = ("fiscal_year", "fiscal_period")
_UNITS_OF_NAMES = {"code", "fiscal year", "month of fiscal year"}


@dataclass(frozen=True)
class Watched:
    """Columns of one clean table by their role.

    `columns` describe a row: all but its ids. Two rows equal in them are one row published twice. `records` are those that
    do not change when a source gives new codes to its records or renames a category. `lines` are those without times, to
    compare one year with another. `ids` are the ids that the publisher gives. `amounts` are the control totals; if none is
    declared, `measures` are the columns that count or measure something.
    """

    columns: tuple[str, ...]
    records: tuple[str, ...]
    lines: tuple[str, ...]
    amounts: tuple[str, ...]
    measures: tuple[str, ...]
    categories: tuple[str, ...]
    year: str | None
    dated_by: str | None
    payee: str | None
    ids: tuple[str, ...] = ()

    @property
    def is_ledger(self) -> bool:
        """Whether rows are dated amounts, so that a month without rows is a gap."""
        return bool(self.amounts) and self.dated_by is not None

    def among(self, names: Collection[str]) -> "Watched":
        """The same for a version that has only the columns `names`."""

        def kept(columns: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(column for column in columns if column in names)

        def one(column: str | None) -> str | None:
            return column if column in names else None

        return replace(
            self,
            columns=kept(self.columns),
            records=kept(self.records),
            lines=kept(self.lines),
            amounts=kept(self.amounts),
            measures=kept(self.measures),
            categories=kept(self.categories),
            year=one(self.year),
            dated_by=one(self.dated_by),
            payee=one(self.payee),
            ids=kept(self.ids),
        )


def watched(model: Model) -> Watched:
    """The columns to compare in the clean table `model`. Raises CatalogIncomplete if `drift` names a column it does not have."""
    contract, dataset = model.contract, model.dataset
    if dataset is None:
        raise ValueError(f"{model.name} is made of no dataset")
    names = [column.name for column in contract.columns]
    drift = dataset.drift
    named = [*(drift.slices or ()), *([drift.payee] if drift.payee else [])]
    unknown = [name for name in named if name not in names]
    if unknown:
        raise CatalogIncomplete(
            f"drift names {', '.join(unknown)}, which {model.name} does not have. It has {', '.join(names)}."
        )
    personal = [name for name in drift.slices or () if name in contract.personal]
    if personal:
        raise CatalogIncomplete(
            f"drift.slices of {model.name} names {', '.join(personal)}, a column about persons. Remove it: checks show slices."
        )
    shown = [name for name in names if name not in contract.personal]
    categories = drift.slices if drift.slices is not None else tuple(n for n in _CATEGORIES if n in shown)[:1]
    # A key of one column is an id; each column of a longer key describes the record. A source may have less in a key than the clean table:
    # a day, where each county has a column.
    describing = set(contract.key) if len(contract.key) > 1 else set[str]()
    is_key = {column.name for column in contract.columns if column.source in dataset.key} - describing
    ids = {*contract.key, *(is_key if len(dataset.key) == 1 else ())} - describing
    columns = [column for column in contract.columns if column.name not in ids]
    if not columns:  # there are no other columns
        columns = list(contract.columns)
    codes = {column.name for column in columns if column.name in is_key and column.type == "VARCHAR"}
    records = [column.name for column in columns if column.name not in {*codes, *categories}]
    times = {column.name for column in columns if column.type in {"DATE", "TIMESTAMP"}} | set(_TIMES)
    return Watched(
        columns=tuple(column.name for column in columns),
        records=tuple(records) or tuple(column.name for column in columns),
        lines=tuple(column.name for column in columns if column.name not in times),
        amounts=contract.control_totals,
        measures=() if contract.control_totals else tuple(column.name for column in columns if _is_measure(column)),
        categories=categories,
        year=YEAR if YEAR in names else None,
        dated_by=dataset.dated_by,
        payee=drift.payee or next((name for name in _PAYEES if name in names), None),
        ids=tuple(name for name in names if name in ids - set(contract.key)),
    )


def _is_measure(column: Column) -> bool:
    is_number = column.type.startswith(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DOUBLE", "DECIMAL"))
    return is_number and column.unit is not None and column.unit not in _UNITS_OF_NAMES
