"""Read a YAML file into a strict model; report every mistake with its line, the offending value and what is allowed."""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from civic_pipeline.errors import FileInvalid
from civic_pipeline.foreign_text import shortened


class Strict(BaseModel):
    """An unknown key is an error, so that a typo is never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _Loader(yaml.CSafeLoader):
    """Reports the line of an impossible value, such as the date 2026-13-45; the library raises various errors."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            value = super().construct_object(node, deep)
            if isinstance(value, int):
                str(value)  # Python writes no number of more than 4,300 digits, although it reads 0b111...
        except (ValueError, LookupError, AttributeError, ArithmeticError) as error:
            problem = f"{node.value!r} cannot be read: {error}"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from None
        return value


_DEEPEST = 20  # levels; ours have 6

Model = TypeVar("Model", bound=BaseModel)


def mistake(message: str, *at: str | int) -> PydanticCustomError:
    """The error of a cross-field validator: the message, and the path of the wrong key below the validated value."""
    return PydanticCustomError("mistake", "{message}", {"message": message, "at": at})


def read_yaml(path: Path, model: type[Model], below: tuple[str, ...] = ()) -> Model:
    """The model in the YAML file `path`, or in the part of it that `below` names.

    Raises FileInvalid for text that is not YAML, a repeated key, or a value that the model does not allow.
    """
    try:
        text = path.read_text(encoding="utf-8")
        _refuse_bombs(text)
        loader = _Loader(text)
        root = loader.get_single_node()
        values = loader.construct_document(root) if root is not None else None
        repeated = list(_repeated_keys(root))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise FileInvalid(path, [(line, f"this is not YAML: {error.problem}")]) from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        # Control characters, bytes that are not UTF-8, or a list that contains itself.
        raise FileInvalid(path, [(1, f"this is not YAML: {error}")]) from None
    if repeated:
        raise FileInvalid(path, repeated)
    part = _node_at(root, below)
    for key in below:
        values = values.get(key) if isinstance(values, dict) else None
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise FileInvalid(path, [_violation(part, item) for item in error.errors()]) from None


def _refuse_bombs(text: str) -> None:
    """Raise MarkedYAMLError for nesting that would end the process, and for aliases, which can multiply a small file."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            problem = f"*{event.anchor} is an alias; write the value again"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)  # type: ignore[arg-type]
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            problem = f"more than {_DEEPEST} levels of nesting"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)  # type: ignore[arg-type]


def line_of(path: Path, *keys: str | int) -> int:
    """The line (from 1) of the value at the path `keys`, or of its nearest ancestor."""
    return _line(_node_at(_Loader(path.read_text(encoding="utf-8")).get_single_node(), keys))


def _repeated_keys(node: yaml.Node | None) -> Any:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield key.start_mark.line + 1, f"the key {key.value!r} is written twice; keep one"
            seen.add(key.value)
            yield from _repeated_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _repeated_keys(value)


def _node_at(node: yaml.Node | None, keys: tuple[str | int, ...]) -> yaml.Node | None:
    """The node at the path `keys`, or its deepest existing ancestor."""
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == str(key)), None)
            if pair is not None:
                # A scalar has its own line; for a missing or nested value the line of the key is clearer.
                node = pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
    return node


def _line(node: yaml.Node | None) -> int:
    return node.start_mark.line + 1 if node is not None else 1


def _violation(root: yaml.Node | None, error: Any) -> tuple[int, str]:
    location: tuple[str | int, ...] = error["loc"] + tuple(error.get("ctx", {}).get("at", ()))
    where = ".".join(_written(root, location))
    kind, value = error["type"], error.get("input")
    node = _node_at(root, location)
    if kind == "mistake":
        return _line(node), f"{where}: {error['msg']}"
    if kind == "extra_forbidden":
        parent = _node_at(root, location[:-1])
        key = (
            next((k for k, _ in parent.value if k.value == str(location[-1])), None)
            if isinstance(parent, yaml.MappingNode)
            else None
        )
        return _line(key or node), f"{where}: {location[-1]!r} is not a valid key; check its spelling"
    if kind == "missing":
        return _line(node), f"{where}: {location[-1]!r} is required and missing"
    message = error["msg"].removeprefix("Value error, ")
    return _line(node), f"{where}: {_shown(value)} is not allowed: {message[0].lower()}{message[1:]}"


def _written(node: yaml.Node | None, location: tuple[str | int, ...]) -> list[str]:
    """The path as it stands in the file: without the names that the library gives to alternatives, such as kinds of portals."""
    parts = []
    for position, part in enumerate(location):
        below = _node_at(node, (part,))
        if below is not node or position == len(location) - 1:
            parts.append(str(part))
        node = below
    return parts


def _shown(value: object) -> str:
    return shortened(repr(value), 80)
