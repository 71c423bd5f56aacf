"""The checks of a table, derived from its contract before anything runs."""

from collections import Counter

from civic_pipeline.catalog import FRESH_FOR_DAYS, Contract, Expectation, Severity
from civic_pipeline.errors import CatalogIncomplete
from civic_pipeline.quality.drift import LAYER as DRIFT
from civic_pipeline.quality.drift import drift_checks
from civic_pipeline.quality.planned_check import PlannedCheck
from civic_pipeline.warehouse import Model
from civic_pipeline.warehouse.checks import Layer


def planned_checks(model: Model) -> dict[str, PlannedCheck]:
    """The checks of `model` by name."""
    contract, dataset = model.contract, model.dataset

    def plan(
        name: str, layer: Layer, severity: Severity, description: str, expectation: Expectation | None = None
    ) -> PlannedCheck:
        return PlannedCheck(model.name, name, layer, severity, description, expectation)

    checks = [plan("schema", "table", "critical", "columns and types equal the contract")]
    if model.schema == "clean":
        checks.append(
            plan("control_total__rows", "row", "critical", "every source row is clean, quarantined or a counted repeat")
        )
        checks += [
            plan(
                f"control_total__{column}",
                "row",
                "critical",
                f"the sum of {column} equals the source's, and no value has more decimals than {contract.column(column).type}",
            )
            for column in contract.control_totals
        ]
    if contract.row_rules:
        share = contract.tolerate_quarantined
        checks.append(
            plan("quarantine_tolerated", "row", "critical", f"at most {share:.2%} of the rows are quarantined")
        )
    if dataset and dataset.dated_by and dataset.cadence in FRESH_FOR_DAYS:
        days = FRESH_FOR_DAYS[dataset.cadence]
        checks.append(
            plan(
                "data_age",
                "time",
                "warning",
                f"the newest {dataset.dated_by} is at most {days} days old ({dataset.cadence} data)",
            )
        )
    checks += [
        plan(expected.name, "table", expected.severity, expected.why or _in_words(expected), expected)
        for expected in _expectations_of(contract)
    ]
    checks += [plan(name, DRIFT, severity, text) for name, severity, text in drift_checks(model)]
    checks += [plan(rule.name, "across", rule.severity, rule.description) for rule in model.rules]
    counts = Counter(check.name for check in checks)
    if twice := [name for name, count in counts.items() if count > 1]:
        raise CatalogIncomplete(f"{model.name} has two checks with the name {', '.join(twice)}; rename one of each.")
    return {check.name: check for check in checks}


def _expectations_of(contract: Contract) -> list[Expectation]:
    """The expectations that follow from the key and the references, then those of the contract."""
    implied = []

    def imply(name: str, kind: str, arguments: dict[str, object], why: str) -> None:
        implied.append(Expectation(name=name, kind=kind, arguments=arguments, severity="critical", why=why))

    key = list(contract.key)
    if len(key) == 1:
        imply("key_unique", "expect_column_values_to_be_unique", {"column": key[0]}, f"{key[0]} identifies a row")
    else:
        imply(
            "key_unique",
            "expect_compound_columns_to_be_unique",
            {"column_list": key},
            f"{', '.join(key)} together identify a row",
        )
    for column in key:
        imply(
            f"{column}__key_not_null",
            "expect_column_values_to_not_be_null",
            {"column": column},
            f"{column} is part of the key",
        )
    for column_model in contract.columns:
        if column_model.references:
            name, other = column_model.name, column_model.references
            imply(
                f"{name}__references", "unexpected_rows_expectation",
                {"unexpected_rows_query": f"select {', '.join(dict.fromkeys([*key, name]))} from {{batch}}"
                                          f" where {name} is not null and {name} not in (select there.{name} from {other} as there)"},
                f"every {name} exists in {other}",
            )  # fmt: skip
    return [*implied, *contract.expectations]


def _in_words(expectation: Expectation) -> str:
    arguments = ", ".join(f"{key} {value}" for key, value in expectation.arguments.items() if key != "column")
    subject = expectation.arguments.get("column", "")
    return f"{subject} {expectation.kind.removeprefix('expect_').replace('_', ' ')} {arguments}".strip()
