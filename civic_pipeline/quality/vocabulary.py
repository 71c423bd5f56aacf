"""Write the names and arguments of the installed library's expectations to the file that the catalog reads.

Run as `python -m civic_pipeline.quality.vocabulary` after upgrading great-expectations; a test compares the two.
"""

import json
from pathlib import Path

import civic_pipeline.catalog.contract

# Arguments of every expectation that a contract does not use or writes in another way.
_NOT_ARGUMENTS = {
    "batch_id", "catch_exceptions", "description", "domain_kwargs", "domain_type", "expectation_type", "id", "meta",
    "notes", "rendered_content", "result_format", "severity", "success_keys", "args_keys", "version", "windows",
    "library_metadata", "examples", "metric_dependencies", "map_metric", "domain_keys", "observed_value_renderer", "suite_parameters",
}  # fmt: skip


def installed() -> dict[str, list[str]]:
    """Expectation name -> its argument names, read from the library, which takes seconds to import."""
    import great_expectations.expectations as gxe
    from great_expectations.expectations.registry import (
        get_expectation_impl,
        list_registered_expectation_implementations,
    )

    registered = list_registered_expectation_implementations()
    if not registered:  # importing the package registers them
        raise ImportError(f"{gxe.__name__} registered no expectations")
    return {
        name: sorted(set(getattr(get_expectation_impl(name), "__fields__")) - _NOT_ARGUMENTS)  # noqa: B009 - pydantic 1
        for name in sorted(registered)
    }


if __name__ == "__main__":
    target = Path(civic_pipeline.catalog.contract.__file__).parent / "expectations.json"
    target.write_text(json.dumps(installed(), indent=1) + "\n", encoding="utf-8")
