"""Import Great Expectations without the libraries that it needs only for charts and distributions.

Measured on two cores: 5.5 CPU seconds in full, 3.5 if scipy and altair are imported only when they are first used.
"""

import gc
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
    """The module `great_expectations`. The first import takes seconds."""
    # The import reads this setting: no usage statistics are sent.
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    with _deferred(), _uncollected():
        import great_expectations as gx
    # For every decimal it reads the source of the whole call stack, to learn whether its profiler asked. That takes 0.1 s a
    # decimal, and imports what is deferred here. Nothing of ours is its profiler.
    gx.util.stack = lambda context=1: []  # noqa: ARG005 (the name of its argument)
    # It warns that our regex metric replaces its own, which is intended.
    logging.getLogger("great_expectations.expectations.registry").setLevel(logging.ERROR)
    return gx


class _Deferring:
    """Finds the deferred modules, and runs them when an attribute of theirs is first used."""

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
def _uncollected() -> Iterator[None]:
    """Do not look for garbage during the import, nor in what it leaves: about a million objects that live as long as we do."""
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()


@contextmanager
def _deferred() -> Iterator[None]:
    finder = _Deferring()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
