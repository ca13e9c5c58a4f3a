"""Every value that is in force, and where it comes from: a file's line, a variable, an option or the default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic import BaseModel

from portalops.config.layers import Layers, Tree
from portalops.config.positions import KeyPath
from portalops.config.problems import step, without_secrets
from portalops.config.secrets import Reference
from portalops.config.settings import Settings
from portalops.config.tables import KindTable

DEFAULT = "default"

Plain: TypeAlias = "str | int | bool | Sequence[Plain] | None"


@dataclass(frozen=True, slots=True)
class EffectiveValue:
    """One value in force."""

    key: str
    """Dotted, with the id of a table in a list: `backup.source[portal-database].class`."""
    value: Plain
    """Never a secret: a reference as it is written, or dots."""
    origin: str
    """`portalops.toml:12`, a variable's name, or `default`."""


def effective_values(settings: Settings, kinds: Mapping[KindTable, BaseModel]) -> tuple[EffectiveValue, ...]:
    """Return every value, in the order of the configuration's description.

    Args:
        settings: the configuration.
        kinds: the tables of kinds, as their kinds read them.
    """
    typed = {table.path: model for table, model in kinds.items()}
    return tuple(_values(settings.shape, (), "", settings.layers, typed))


def _values(
    node: object, path: KeyPath, key: str, layers: Layers, kinds: Mapping[KeyPath, BaseModel]
) -> Iterator[EffectiveValue]:
    if path in kinds:
        # Its id and kind stand in the core's own shape, the rest in the kind's.
        yield from _fields(node, path, key, layers, {}) if isinstance(node, BaseModel) else ()
        node = kinds[path]
    if isinstance(node, Reference):
        yield EffectiveValue(key, node.describe(), _origin(path, layers))
    elif isinstance(node, BaseModel):
        yield from _fields(node, path, key, layers, kinds)
    elif isinstance(node, Mapping):
        for name, inner in node.items():
            yield from _values(inner, (*path, str(name)), _joined(key, str(name)), layers, kinds)
    elif isinstance(node, (list, tuple)) and any(isinstance(item, (BaseModel, Mapping)) for item in node):
        for index, item in enumerate(node):
            yield from _values(item, (*path, index), f"{key}[{_label(item, index)}]", layers, kinds)
    else:
        yield EffectiveValue(key, _plain(node, key), _origin(path, layers))


def _fields(
    model: BaseModel, path: KeyPath, key: str, layers: Layers, kinds: Mapping[KeyPath, BaseModel]
) -> Iterator[EffectiveValue]:
    for name, info in type(model).model_fields.items():
        shown = info.alias or name
        yield from _values(getattr(model, name), (*path, shown), _joined(key, shown), layers, kinds)


def _joined(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _label(item: object, index: int) -> str:
    """Return what distinguishes a table of a list from its neighbours: its id or name, else its number."""
    for name in ("id", "name"):
        label = item.get(name) if isinstance(item, Mapping) else getattr(item, name, None)
        if isinstance(label, str):
            return label
    return str(index)


def _plain(value: object, key: str) -> Plain:
    match value:
        case None | bool() | int():
            return value
        case frozenset() | set():
            return sorted(str(item) for item in value)
        case list() | tuple():
            return [_plain(item, key) for item in value]
        case _:
            return without_secrets(str(value), key)


def _origin(path: KeyPath, layers: Layers) -> str:
    return str(layers.origin(path)) if _is_written(path, layers.tree) else DEFAULT


def _is_written(path: KeyPath, tree: Tree) -> bool:
    node: Any = tree
    for part in path:
        node = step(node, part)
        if node is None:
            return False
    return True


def references_in(model: BaseModel) -> tuple[Reference, ...]:
    """Return every reference to a secret among a shape's values."""
    return tuple(value for value in _leaves(model) if isinstance(value, Reference))


def _leaves(node: object) -> Iterator[object]:
    if isinstance(node, Reference):
        yield node
    elif isinstance(node, BaseModel):
        for name in type(node).model_fields:
            yield from _leaves(getattr(node, name))
    elif isinstance(node, Mapping):
        for inner in node.values():
            yield from _leaves(inner)
    elif isinstance(node, (list, tuple, set, frozenset)):
        for inner in node:
            yield from _leaves(inner)
    else:
        yield node
