"""How the body of a record is checked while it is decoded: a schema of pydantic-core for each type, made from its annotations.

Pydantic's own `TypeAdapter` would take three times as long: it also prepares what writes values out and makes their JSON schema.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

from pydantic_core import CoreSchema, SchemaValidator, core_schema

from portalops.model.record import YEARS

EARLIEST, LATEST = datetime(YEARS.start, 1, 1, tzinfo=UTC), datetime(YEARS.stop, 1, 1, tzinfo=UTC)
"""What moments lie between in the calendar of every time zone."""

_PLAIN: Mapping[object, CoreSchema] = {
    str: core_schema.str_schema(),
    int: core_schema.int_schema(),
    bool: core_schema.bool_schema(),
    date: core_schema.date_schema(),
    # With a zone, and in the calendar of every zone, as `bodies.encode` writes it: anything else would pass here, and fail where
    # it is compared, or shown.
    datetime: core_schema.datetime_schema(tz_constraint="aware", ge=EARLIEST, lt=LATEST),
}


def validator_of(body_type: Any) -> SchemaValidator:
    """Return what checks and decodes values of a type."""
    definitions: dict[str, CoreSchema] = {}
    schema = _schema(body_type, definitions)
    return SchemaValidator(core_schema.definitions_schema(schema, list(definitions.values())))


def _schema(wanted: Any, definitions: dict[str, CoreSchema]) -> CoreSchema:
    if wanted in _PLAIN:
        return _PLAIN[wanted]
    if isinstance(wanted, NewType):
        return _schema(wanted.__supertype__, definitions)
    origin, arguments = get_origin(wanted), get_args(wanted)
    if origin in {Union, UnionType}:
        choices: list[CoreSchema | tuple[CoreSchema, str]] = [
            _schema(each, definitions) for each in arguments if each is not NoneType
        ]
        schema = core_schema.union_schema(choices)
        return core_schema.nullable_schema(schema) if NoneType in arguments else schema
    if origin is tuple:
        items = [_schema(each, definitions) for each in arguments if each is not Ellipsis]
        return core_schema.tuple_schema(items, variadic_item_index=0 if Ellipsis in arguments else None)
    if origin is Mapping:
        return core_schema.dict_schema(*(_schema(each, definitions) for each in arguments))
    if isinstance(wanted, type) and dataclasses.is_dataclass(wanted):
        return _dataclass_schema(wanted, definitions)
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return core_schema.enum_schema(wanted, list(wanted), sub_type="str" if issubclass(wanted, str) else None)
    raise TypeError(f"the body of a record cannot hold {wanted}")


def _dataclass_schema(wanted: type[Any], definitions: dict[str, CoreSchema]) -> CoreSchema:
    name = f"{wanted.__module__}.{wanted.__qualname__}"
    if name not in definitions:
        definitions[name] = core_schema.none_schema()  # its place, for a field of the type itself
        hints = get_type_hints(wanted)
        fields = [_field(each, hints[each.name], definitions) for each in dataclasses.fields(wanted)]
        definitions[name] = core_schema.dataclass_schema(
            wanted,
            core_schema.dataclass_args_schema(wanted.__name__, fields),
            [each["name"] for each in fields],
            post_init=hasattr(wanted, "__post_init__"),
            slots=hasattr(wanted, "__slots__"),
            ref=name,
        )
    return core_schema.definition_reference_schema(name)


def _field(field: dataclasses.Field[Any], hint: Any, definitions: dict[str, CoreSchema]) -> core_schema.DataclassField:
    schema = _schema(hint, definitions)
    if field.default_factory is not dataclasses.MISSING:
        schema = core_schema.with_default_schema(schema, default_factory=field.default_factory)
    elif field.default is not dataclasses.MISSING:
        schema = core_schema.with_default_schema(schema, default=field.default)
    return core_schema.dataclass_field(field.name, schema, kw_only=field.kw_only is True)
