"""A model is a contract and one plain select, one select per place, or a Python function. The path is the name.

`sql/clean/<place>/<dataset>.sql` makes `clean.<place>_<dataset>`, `sql/marts/<subject>/<table>.sql` makes `marts.<table>`,
and so do the parts `sql/marts/<subject>/<table>/<place>.sql` together. Inputs are read from the SQL, never typed by hand.
A mart whose contract has `made_by` has no SQL: a function makes it, see `python_code`.
"""

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from sqlglot import exp

from civic_pipeline.catalog import Contract, Dataset, Subject, accepted_as
from civic_pipeline.warehouse.python_code import PythonCode
from civic_pipeline.warehouse.readable import READABLE
from civic_pipeline.warehouse.rule import Rule
from civic_pipeline.warehouse.selects import parse_select

_DESCRIBING = ("marts.dim_", "marts.bridge_")


@dataclass(frozen=True)
class Part:
    """One select of a model. `inputs` are the tables it reads, as `schema.table`."""

    path: Path
    sql: str
    query: exp.Query
    inputs: frozenset[str]

    @property
    def name(self) -> str:
        """The place whose rows it selects, if the model has several parts."""
        return self.path.stem

    def takes_rows_only_from(self, tables: Collection[str]) -> bool:
        """Whether every table that it takes rows from is in `tables`."""
        return _take_rows_only_from(self.inputs, tables)


@dataclass(frozen=True)
class Model:
    """One table: its contract, and its SQL or its Python code.

    `path` is the `.sql` file, the folder of the parts, or the file of the Python code; a table made by `code` has no parts.
    `dataset` is the source of a clean table, None for a mart.
    `rules` are the rules across tables that can hold it back. `missing_parts` names the parts that were left out.
    `personal` are the columns about persons, helper columns included: nothing outside the build shows them.
    `reads_personal` says whether a table that it reads has such columns. `histories` are the clean models that it reads as
    `clean_history.<table>`: run over every accepted capture.
    """

    schema: str
    table: str
    path: Path
    parts: tuple[Part, ...]
    contract: Contract
    contract_path: Path
    subject: Subject
    dataset: Dataset | None = None
    rules: tuple[Rule, ...] = ()
    missing_parts: tuple[str, ...] = ()
    personal: frozenset[str] = frozenset()
    reads_personal: bool = False
    code: PythonCode | None = None
    histories: tuple["Model", ...] = ()

    @property
    def name(self) -> str:
        return f"{self.schema}.{self.table}"

    @property
    def has_parts(self) -> bool:
        """Whether it is a folder of one select per place."""
        return not self.path.suffix

    @property
    def inputs(self) -> frozenset[str]:
        """The tables its SQL or its code reads, as `schema.table`."""
        return frozenset(self.code.inputs if self.code else ()).union(*(part.inputs for part in self.parts))

    @cached_property
    def sql(self) -> str:
        """Its select, or a union of its parts by column name; empty for a table made by Python."""
        if not self.parts:
            return ""
        if not self.has_parts:
            return self.parts[0].sql
        columns = ", ".join(self.parts[0].query.named_selects)
        return "\nunion all\n".join(f"select {columns} from (\n{part.sql}\n)" for part in self.parts)

    @cached_property
    def query(self) -> exp.Query:
        return parse_select(self.path, self.sql)

    def without(self, is_missing: Callable[[Part], bool]) -> "Model":
        """The model without the parts that are missing; unchanged if no part would be left.

        This way a table of all cities does not wait for the first capture of one city.
        """
        kept = tuple(part for part in self.parts if not is_missing(part))
        if not kept or kept == self.parts:
            return self
        missing = {part.name for part in self.parts} - {part.name for part in kept}
        return replace(self, parts=kept, missing_parts=tuple(sorted(missing)))

    @property
    def dating_inputs(self) -> list[str]:
        """The tables that date this one: its inputs but dimensions and bridges, which have no date of their own.

        A clean table as of every capture is as new as the clean table.
        """
        return sorted({accepted_as(name) for name in self.inputs if not name.startswith(_DESCRIBING)})

    def takes_rows_only_from(self, tables: Collection[str]) -> bool:
        """Whether all its parts do, or its code."""
        reads = [part.inputs for part in self.parts] or [self.inputs]
        return all(_take_rows_only_from(inputs, tables) for inputs in reads)

    @property
    def references(self) -> set[str]:
        """The other tables its checks read: those that its columns reference, and those that its rules read."""
        keys = {column.references for column in self.contract.columns if column.references}
        return keys.union(*(rule.reads for rule in self.rules)) - {self.name}

    @property
    def is_about_warehouse(self) -> bool:
        """Whether it reads what the night recorded of other tables, so that it is built after them."""
        return not self.inputs.isdisjoint(READABLE)

    @property
    def code_version(self) -> str:
        """A hash of the SQL or the Python code, and of the contract, for Dagster."""
        files = [
            self.code.version if self.code else self.sql,
            self.contract.model_dump_json(),
            *(rule.sql for rule in self.rules),
        ]
        return hashlib.sha256("".join(files).encode()).hexdigest()[:16]

    @property
    def description(self) -> str:
        """The grain and the caveats, for comments and catalogs."""
        contract = self.contract
        caveat = f"It cannot say: {contract.cannot_say}" if contract.cannot_say else None
        return " ".join(part for part in (f"Each row is {contract.each_row_is}.", contract.about, caveat) if part)


def _take_rows_only_from(inputs: Collection[str], tables: Collection[str]) -> bool:
    """Whether all of `inputs` that hold rows are in `tables`: not seeds, and not dimensions beside facts, which describe rows."""
    read = {name for name in inputs if not name.startswith("seeds.")}
    facts = {name for name in read if not name.startswith(_DESCRIBING)}
    return bool(read) and (facts or read) <= set(tables)
