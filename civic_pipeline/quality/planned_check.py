"""A check before it runs."""

from dataclasses import dataclass

from civic_pipeline.catalog import Expectation, Severity
from civic_pipeline.warehouse import CheckResult
from civic_pipeline.warehouse.checks import Layer


@dataclass(frozen=True)
class PlannedCheck:
    """One check of one table. Great Expectations runs the `expectation`, if there is one; `result` makes the CheckResult."""

    table: str
    name: str
    layer: Layer
    severity: Severity
    description: str
    expectation: Expectation | None = None

    def result(
        self,
        passed: bool,
        evaluated: int | None = None,
        unexpected: float | None = None,
        examples: tuple[str, ...] = (),
    ) -> CheckResult:
        return CheckResult(
            self.table, self.name, self.layer, self.severity, passed, self.description, evaluated, unexpected, examples
        )

    def not_run(self, why: str) -> CheckResult:
        return CheckResult(self.table, self.name, self.layer, self.severity, False, self.description, not_run=why)
