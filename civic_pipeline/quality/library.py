"""Great Expectations, imported without what it needs for charts and distributions only.

Measured on two cores: 5.5 CPU seconds as it comes, 3.5 with scipy and altair left until something asks for them.
"""

import importlib.util
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_DEFERRED = ("altair", "scipy", "scipy.stats")


def load_library() -> Any:
    """The module `great_expectations`: seconds, the first time."""
    # Before the import, which reads it; no statistics leave this machine.
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    with _deferred():
        import great_expectations as gx
    # It warns that our regex metric replaces its own, which is the point.
    logging.getLogger("great_expectations.expectations.registry").setLevel(logging.ERROR)
    return gx


class _Deferring:
    """Finds the deferred modules as they are, and leaves running them to whoever first asks for something in them."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in _DEFERRED:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec


@contextmanager
def _deferred() -> Iterator[None]:
    finder = _Deferring()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
