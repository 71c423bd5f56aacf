"""Run the expectations of contracts with Great Expectations inside the build's DuckDB."""

from copy import copy
from dataclasses import replace
from datetime import date
from typing import Any

from civic_pipeline.catalog import Expectation
from civic_pipeline.foreign_text import shortened
from civic_pipeline.quality.failed_rows import failed_rows_sql
from civic_pipeline.quality.library import load_library
from civic_pipeline.quality.planned_check import PlannedCheck
from civic_pipeline.warehouse import Build, CheckResult, Staged

_EXAMPLES, _EXAMPLE_LENGTH = 5, 200  # a value of a portal may have a megabyte
_COULD_NOT_RUN = "the check could not run"


class Suites:
    """Great Expectations for one run. The library is imported when the first table is validated; that takes seconds."""

    def __init__(self, build: Build) -> None:
        self._build = build
        self._tables: Any = None

    def _open(self) -> None:
        gx = load_library()
        from civic_pipeline.quality import duckdb_dialect

        duckdb_dialect.use(self._build.connection)
        self._gx = gx
        self._context = gx.get_context(mode="ephemeral")
        self._context.variables.progress_bars = {"globally": False, "metric_calculations": False}
        self._tables = self._context.data_sources.add_sql("build", connection_string="duckdb:///:memory:")

    def validate(self, staged: Staged, checks: list[PlannedCheck]) -> list[CheckResult]:
        """Run `checks` on the staged table. Results do not show values of columns about persons.

        An expectation that cannot run has failed with severity critical.
        """
        if self._tables is None:
            self._open()
        from great_expectations.expectations.registry import get_expectation_impl

        planned = {check.name: check for check in checks}
        table, key, personal = staged.model.name, staged.model.contract.key, staged.model.personal
        schema, _, name = staged.table.partition(".")
        asset = self._tables.add_table_asset(table, table_name=name, schema_name=schema)
        batch = asset.get_batch(asset.build_batch_request())
        expectations = [
            get_expectation_impl(check.expectation.kind)(**_arguments(check, check.expectation))
            for check in checks
            if check.expectation
        ]
        # Not a validation definition: to store it with its suite and results takes the library 15% of the time of a table.
        outcome = batch.validate(
            self._gx.ExpectationSuite(name=table, expectations=expectations),
            result_format={"result_format": "SUMMARY", "partial_unexpected_count": _EXAMPLES},
        )
        outcomes = {_checked(result): result for result in outcome.results}
        results = [
            _without_values(result)
            if check.expectation and personal.intersection(check.expectation.columns)
            else result
            for name, check in planned.items()
            for result in [_result(check, outcomes[name])]
        ]
        broken = {result.name: planned[result.name].expectation for result in results if not result.passed}
        conditions = self._conditions(batch, [copy(e) for e in expectations if _name(e) in broken], key)
        queries = {
            name: failed_rows_sql(expectation, staged, conditions.get(name))
            for name, expectation in broken.items()
            if expectation
        }
        return [replace(result, failed_rows_sql=queries.get(result.name)) for result in results]

    def _conditions(self, batch: Any, failed: list[Any], key: tuple[str, ...]) -> dict[str, str]:
        """Check -> SQL condition of the rows that failed it. Asked for in a second pass, for failed checks only."""
        if not failed:
            return {}
        outcome = batch.validate(
            self._gx.ExpectationSuite(name="failed", expectations=failed),
            result_format={
                "result_format": "BOOLEAN_ONLY", "return_unexpected_index_query": True, "unexpected_index_column_names": list(key),
            },
        )  # fmt: skip
        queries = {_checked(result): (result.result or {}).get("unexpected_index_query") for result in outcome.results}
        return {name: query.rstrip("; \n").partition("\nWHERE ")[2] for name, query in queries.items() if query}


def _arguments(check: PlannedCheck, expectation: Expectation) -> dict[str, Any]:
    """The contract's arguments (`today` becomes the date of the run), with the name of the check to match the result."""
    today = date.today().isoformat()
    arguments = {key: today if value == "today" else value for key, value in expectation.arguments.items()}
    return arguments | {"severity": check.severity, "meta": {"check": check.name}, "notes": check.description}


def _checked(result: Any) -> str:
    """Name of the check a result belongs to."""
    return _name(result.expectation_config)


def _name(expectation: Any) -> str:
    return str(expectation.meta["check"])


def _result(check: PlannedCheck, result: Any) -> CheckResult:
    details = result.result or {}
    problem = _exception(result.exception_info)
    if problem:
        return CheckResult(check.table, check.name, check.layer, "critical", False, f"{_COULD_NOT_RUN}: {problem}")
    unexpected = details.get("unexpected_count")
    if unexpected is None and isinstance(details.get("observed_value"), int | float):
        observed = details["observed_value"]
        # For a query of unexpected rows the observed value counts them; for a statistic it is the value itself.
        if check.expectation and check.expectation.kind == "unexpected_rows_expectation":
            unexpected = observed
        elif not result.success:
            return check.result(False, details.get("element_count"), None, (f"observed {observed}",))
    values = (shortened(str(value), _EXAMPLE_LENGTH) for value in details.get("partial_unexpected_list") or ())
    examples = tuple(dict.fromkeys(values))[:_EXAMPLES]
    return check.result(bool(result.success), details.get("element_count"), unexpected, examples)


def _without_values(result: CheckResult) -> CheckResult:
    could_run = not result.description.startswith(_COULD_NOT_RUN)
    return replace(result, examples=(), description=result.description if could_run else _COULD_NOT_RUN)


def _exception(info: dict[str, Any] | None) -> str | None:
    """The message of an expectation that could not run; the library nests it one level deeper if a metric failed."""
    for entry in (info or {}, *(value for value in (info or {}).values() if isinstance(value, dict))):
        if entry.get("raised_exception"):
            return str(entry.get("exception_message", "unknown reason")).split("\n", 1)[0]
    return None
