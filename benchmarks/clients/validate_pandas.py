"""Great Expectations on a pandas frame, as in its documentation. Arguments: Parquet, expectations (JSON)."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ["GX_ANALYTICS_ENABLED"] = "false"
parquet, expectations = sys.argv[1:]
began = time.perf_counter()
import great_expectations as gx  # noqa: E402 - the import is measured
import pandas as pd  # noqa: E402
from great_expectations.expectations.registry import get_expectation_impl  # noqa: E402

imported = time.perf_counter()
frame = pd.read_parquet(parquet)
# The usual and fastest types in pandas. The types of the file would become objects, which are slower.
frame["payment_date"] = pd.to_datetime(frame["payment_date"])
frame["amount"] = frame["amount"].astype(float)


def arguments(expected: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments with dates as pandas timestamps, because pandas cannot compare dates with text."""
    if expected["arguments"].get("column") != "payment_date":
        return dict(expected["arguments"])
    return {k: pd.Timestamp(v) if k in ("min_value", "max_value") else v for k, v in expected["arguments"].items()}


suite = gx.ExpectationSuite(
    name="checkbook",
    expectations=[
        get_expectation_impl(expected["name"])(
            **arguments(expected), severity=expected["severity"], meta={"check": name}
        )
        for name, expected in json.loads(Path(expectations).read_text()).items()
    ],
)
loaded, cpu = time.perf_counter(), time.process_time()
context = gx.get_context(mode="ephemeral")
context.variables.progress_bars = {"globally": False, "metric_calculations": False}
batch = (
    context.data_sources.add_pandas("frames")
    .add_dataframe_asset("checkbook")
    .add_batch_definition_whole_dataframe("all")
)
definition = context.validation_definitions.add(
    gx.ValidationDefinition(name="checkbook", data=batch, suite=context.suites.add(suite))
)
outcome = definition.run(
    batch_parameters={"dataframe": frame}, result_format={"result_format": "SUMMARY", "partial_unexpected_count": 5}
)
seconds, cpu = time.perf_counter() - loaded, time.process_time() - cpu
results = {
    result.expectation_config.meta["check"]: [
        bool(result.success),
        result.result.get("unexpected_count"),
        result.result.get("element_count"),
        None if result.result else str(result.exception_info),
    ]
    for result in outcome.results
}
print(
    json.dumps(
        {"import": imported - began, "load": loaded - imported, "seconds": seconds, "cpu": cpu, "results": results}
    )
)
