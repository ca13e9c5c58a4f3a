"""The shape of what `--json` prints: written out from frozen dataclasses, and described by a schema that is generated from them.

A verb returns `Result[Shape]`: that annotation is all that declares its shape. Keys are the fields' names; an enumeration is its
value, a moment ISO 8601 in UTC with Z, a day ISO 8601, a path its text, a mapping an object. No value is a `Message`: text in
the reader's language is not data. A field whose key is a word of Python, such as `from`, has an underscore behind it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from pathlib import PurePath
from typing import Any, TypeVar, dataclass_transform

from commands.cli.result import JsonValue
from portalops.model.message import Message
from portalops.model.text import format_at
from portalops.model.values import dataclass

ShapeT = TypeVar("ShapeT")


@dataclass_transform(frozen_default=True)
def shape(cls: type[ShapeT]) -> type[ShapeT]:
    """Make a class a frozen dataclass whose texts under the fields become the descriptions of its schema."""
    made = dataclass(frozen=True, slots=True)(cls)
    described = {"use_attribute_docstrings": True, "alias_generator": key_of}
    made.__pydantic_config__ = described  # type: ignore[attr-defined]  # what Pydantic looks for
    return made


def key_of(field: str) -> str:
    """Return the key under which a field is printed."""
    return field.removesuffix("_")


@shape
class ShownMessage:
    """A sentence for people beside what a program needs of it, so that no program has to parse prose."""

    text: str
    """The sentence in English."""
    template: str
    """The same with `{names}` in the places of its values: alike for all sentences of one kind."""
    values: Mapping[str, str | int]
    """What stands in those places."""

    @classmethod
    def of(cls, message: Message) -> ShownMessage:
        """Return a message as data."""
        return cls(str(message), message.text, {name: _plain(held) for name, held in message.values.items()})


def _plain(held: object) -> str | int:
    if isinstance(held, datetime):
        return format_at(held)
    return held if isinstance(held, int) and not isinstance(held, bool) else str(held)


def widened(wider: type[ShapeT], narrower: Any, **more: object) -> ShapeT:
    """Return a shape that has the fields of the one that it inherits from, and more."""
    fields: dict[str, Any] = {field.name: getattr(narrower, field.name) for field in dataclasses.fields(narrower)}
    return wider(**fields, **more)


@dataclass(frozen=True, slots=True)
class DescribedBy:
    """Data that has a schema of its own: `Result[Annotated[Mapping[str, object], DescribedBy(document_schema)]]`."""

    schema: Callable[[], Mapping[str, Any]]


def as_json(value: object) -> JsonValue:
    """Return what a command's data is as plain JSON values.

    Raises:
        TypeError: it holds something that no shape may hold, such as a message.
        ValueError: a moment has no zone.
    """
    match value:
        case Enum():
            return as_json(value.value)
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            if value.tzinfo is None:
                raise ValueError(f"a moment without a zone: {value}")
            return format_at(value)
        case date():
            return value.isoformat()
        case PurePath():
            return str(value)
        case Mapping():
            return {str(as_json(name)): as_json(held) for name, held in value.items()}
        case Sequence() | frozenset() if not isinstance(value, (bytes, bytearray)):
            return [as_json(held) for held in value]
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {key_of(field.name): as_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
        case _:
            raise TypeError(f"not data: {type(value).__name__}")
