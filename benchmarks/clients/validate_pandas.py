"""Great Expectations as its documentation has it, on a pandas frame. Arguments: Parquet, expectations (JSON)."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ["GX_ANALYTICS_ENABLED"] = "false"
parquet, expectations = sys.argv[1:]
began = time.perf_counter()
import great_expectations as gx  # noqa: E402 - the import is what is timed
import pandas as pd  # noqa: E402
from great_expectations.expectations.registry import get_expectation_impl  # noqa: E402

imported = time.perf_counter()
frame = pd.read_parquet(parquet)
# As frames usually hold them, and as fast as pandas gets: as objects, which the file's types would become, everything takes longer.
frame["payment_date"] = pd.to_datetime(frame["payment_date"])
frame["amount"] = frame["amount"].astype(float)


def arguments(said: dict[str, Any]) -> dict[str, Any]:
    """Dates as pandas compares them: the texts that SQL takes would end in an exception."""
    if said["arguments"].get("column") != "payment_date":
        return dict(said["arguments"])
    return {k: pd.Timestamp(v) if k in ("min_value", "max_value") else v for k, v in said["arguments"].items()}


suite = gx.ExpectationSuite(
    name="checkbook",
    expectations=[
        get_expectation_impl(said["name"])(**arguments(said), severity=said["severity"], meta={"check": name})
        for name, said in json.loads(Path(expectations).read_text()).items()
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
