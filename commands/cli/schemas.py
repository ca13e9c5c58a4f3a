"""The JSON Schema of what each verb prints with `--json`, generated from the annotation of what its function returns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core.core_schema import DataclassSchema

from commands.cli.calling import verb_of
from commands.cli.catalogue import file_of, names, verbs_of
from commands.cli.shapes import DescribedBy

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Node = dict[str, Any]


def all_verbs() -> Iterator[str]:
    """Yield every call that does something, such as `backup run` and `status`."""
    waiting = list(names())
    while waiting:
        called = waiting.pop(0)
        if file_of(called) is not None:
            yield called
        else:
            waiting += (f"{called} {verb}" for verb in verbs_of(called))


def schema_of(called: str) -> Node:
    """Return the schema of a verb's `data`; the envelope around it is the same for all (docs/exit-codes.md)."""
    verb = verb_of(called)
    (shape,) = get_args(get_type_hints(verb.call, include_extras=True)["return"])
    own = next((each for each in get_args(shape) if isinstance(each, DescribedBy)), None)
    described = own.schema() if own else _described(shape)
    return {
        "$schema": DIALECT,
        "$id": f"portalops:commands/{called.replace(' ', '-')}/{verb.version}",
        "title": f"portalops {called} --json: data",
        **_bare(described),
    }


class _Inheriting(GenerateJsonSchema):
    """Describes inherited fields too: Pydantic reads the texts under the fields of a class itself alone."""

    def dataclass_schema(self, schema: DataclassSchema) -> Node:
        made = super().dataclass_schema(schema)
        for base in filter(is_dataclass, schema["cls"].__bases__):
            for name, held in _described(base)["properties"].items():
                if "description" in held:
                    made["properties"][name].setdefault("description", held["description"])
        return made


def _described(shape: Any) -> Node:
    return TypeAdapter(shape).json_schema(mode="serialization", schema_generator=_Inheriting)


def schema_files() -> Iterator[tuple[str, bytes]]:
    """Yield the name of each schema's file with what it holds, for `docs/schemas/commands/`."""
    for called in all_verbs():
        text = json.dumps(schema_of(called), ensure_ascii=False, indent=2, sort_keys=True)
        yield f"{called.replace(' ', '-')}.schema.json", f"{text}\n".encode()


def _bare(node: Any) -> Any:
    """Return a schema without the titles that Pydantic makes of names, which say nothing more."""
    match node:
        case Mapping():
            return {key: _bare(held) for key, held in node.items() if key != "title" or not isinstance(held, str)}
        case list():
            return [_bare(held) for held in node]
        case _:
            return node
