"""A table made by Python: the contract names a function, and the tables and columns that it gets.

The function takes and returns Arrow tables and knows nothing of the build, so what it reads is what the contract states.
"""

import ast
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from civic_pipeline.catalog import Contract
from civic_pipeline.catalog.yaml_file import line_of
from civic_pipeline.errors import FileInvalid
from civic_pipeline.releases.contents import hash_of

if TYPE_CHECKING:
    import pyarrow as pa

MakesTable = Callable[[Mapping[str, "pa.Table"]], "pa.Table"]


@dataclass(frozen=True)
class PythonCode:
    """The function that makes a table. `inputs` are the tables that it gets, as `schema.table`, each with its columns."""

    path: Path
    function: MakesTable
    module: str
    inputs: Mapping[str, tuple[str, ...]]

    @property
    def origins(self) -> list[str]:
        """Every column that it gets, as `schema.table.column`."""
        return sorted(f"{table}.{column}" for table, columns in self.inputs.items() for column in columns)

    @property
    def file(self) -> str:
        """Its file as a path in the checkout."""
        return self.path.relative_to(_file_of(self.module.partition(".")[0]).parents[1]).as_posix()

    @cached_property
    def version(self) -> str:
        """Hash of its module, of the modules of the same package that those import, and of the libraries' versions."""
        sources: dict[str, str] = {}
        libraries: set[str] = set()
        waiting = [self.module]
        while waiting:
            module = waiting.pop()
            if module in sources:
                continue
            sources[module] = (text := _file_of(module).read_text(encoding="utf-8"))
            for name in _imported(ast.parse(text)):
                top = name.partition(".")[0]
                if top == self.module.partition(".")[0]:
                    waiting += [name] if _is_module(name) else []
                elif top not in sys.stdlib_module_names:
                    libraries.add(top)
        return hash_of(sorted(sources.items()), {name: _version(name) for name in sorted(libraries)})


def python_code(path: Path, contract: Contract) -> PythonCode | None:
    """The code that `contract`, read from `path`, names; None for a table made by SQL. Raises FileInvalid if it does not exist."""
    if contract.made_by is None:
        return None
    module, _, function = contract.made_by.partition(":")
    if not _is_module(module):
        raise FileInvalid(path, [(line_of(path, "made_by"), f"there is no module {module}")])
    made_by = getattr(importlib.import_module(module), function, None)
    if not callable(made_by):
        raise FileInvalid(path, [(line_of(path, "made_by"), f"{module} has no function {function}")])
    return PythonCode(_file_of(made_by.__module__), made_by, module, contract.inputs)


def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # a name inside a module, or below one that does not exist
        return False


def _file_of(module: str) -> Path:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{module} has no file", name=module)
    return Path(spec.origin)


def _imported(tree: ast.Module) -> Iterator[str]:
    """The modules that a file imports anywhere, and the names that it imports from them, as they may be modules too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:  # its package has another name
        return " ".join(version(name) for name in sorted(set(packages_distributions()[library])))
