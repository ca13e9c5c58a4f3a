"""The JSON Schema of portalops.toml, with the keys of every kind: what editors complete from."""

from __future__ import annotations

import ast
import inspect
import json
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from commands.cli.kinds import (
    ALONE,
    DOORS,
    WITHOUT_KINDS,
    all_kinds,
)
from commands.cli.result import JsonValue
from portalops.config.shape import PortalopsFile, RulebookTable
from portalops.model.rulebook import Numbers

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Node = dict[str, Any]


def configuration_schema() -> Node:
    """Return the schema of the whole file; sources and media are one of their kinds each."""
    root = _described(PortalopsFile, "core")
    definitions: Node = root.pop("$defs")
    choices: dict[str, list[Node]] = {}
    for section, name, kind in all_kinds():
        shapes = {f"{section}.{name}": kind.settings}
        shapes |= {f"{section}.{name}.{variant}": shape for variant, shape in kind.variants().items()}
        for prefix, shape in shapes.items():
            own = _described(shape, prefix)
            definitions |= own.pop("$defs", {})
            definitions[prefix] = _with_identity(own, name, is_listed=section not in ALONE)
            choices.setdefault(section, []).append({"$ref": f"#/$defs/{prefix}"})
    for section, alternatives in choices.items():
        table, key = section.split(".")
        properties = definitions[f"core.{table.capitalize()}Table"]["properties"]
        if section in ALONE:
            properties[key] = {"description": properties[key]["description"], "oneOf": alternatives}
        else:
            properties[key]["items"] = {"oneOf": alternatives}
    for section, model in WITHOUT_KINDS.items():
        table, key = section.split(".")
        own = _described(model(), section)
        definitions |= own.pop("$defs", {})
        definitions[section] = own
        definitions[f"core.{table.capitalize()}Table"]["properties"][key] = {"$ref": f"#/$defs/{section}"}
    if len(choices) == len(DOORS):
        del definitions["core.KindRow"], definitions["core.KindAlone"]
    return {"$schema": DIALECT, "title": "portalops.toml", **root, "$defs": definitions}


def _with_identity(schema: Node, kind: str, *, is_listed: bool) -> Node:
    """Add the keys that every table of a kind has; one that there is once has no id."""
    identity: Node = {"id": {"type": "string", "description": "Unique among its neighbours."}} if is_listed else {}
    identity["kind"] = {"const": kind, "type": "string"}
    schema["properties"] = {**identity, **schema.get("properties", {})}
    schema["required"] = [*identity, *schema.get("required", [])]
    return schema


def _described(model: type[BaseModel], prefix: str) -> Node:
    """Return a shape's schema; fields that say nothing of themselves get the text written under them."""
    schema = model.model_json_schema(ref_template="#/$defs/" + prefix + ".{model}")
    definitions: Node = schema.pop("$defs", {})
    for name, definition in (*definitions.items(), ("", schema)):
        shape = _shape_named(model, name) if name else model
        for key, text in (_texts_of(shape) if shape else {}).items():
            if key in definition.get("properties", {}):
                definition["properties"][key].setdefault("description", text)
        for key, field in definition.get("properties", {}).items():
            definition["properties"][key] = _without_null(field)
    schema["$defs"] = {f"{prefix}.{name}": definition for name, definition in definitions.items()}
    return schema


def _without_null(field: Node) -> Node:
    """Drop the alternative null, which TOML cannot write, and titles that repeat the key."""
    kept = {
        name: value for name, value in field.items() if name != "title" and not (name == "default" and value is None)
    }
    alternatives = [item for item in kept.get("anyOf", ()) if item != {"type": "null"}]
    if len(alternatives) == 1:
        del kept["anyOf"]
        return {**alternatives[0], **kept}
    return kept


def _shape_named(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    """Return the shape of a name that a shape's modules know."""
    for module in {base.__module__ for base in model.__mro__ if issubclass(base, BaseModel)}:
        found = getattr(sys.modules[module], name, None)
        if isinstance(found, type) and issubclass(found, BaseModel):
            return found
    return None


def _texts_of(model: type[BaseModel]) -> Mapping[str, str]:
    """Return the text under each field of a shape, by the key that the file uses."""
    texts: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            texts |= _field_texts(base.__module__).get(base.__name__, {})
    if model is RulebookTable:  # made of the rulebook's numbers, which say what they are
        texts = {**_field_texts(Numbers.__module__)[Numbers.__name__], **texts}
    return {info.alias or name: texts[name] for name, info in model.model_fields.items() if name in texts}


@lru_cache
def _field_texts(module: str) -> Mapping[str, Mapping[str, str]]:
    """Return class to field to the string literal that stands under it."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {
        node.name: {
            field.target.id: " ".join(text.value.value.split())
            for field, text in zip(node.body, node.body[1:], strict=False)
            if isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
            and isinstance(text.value.value, str)
        }
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }


def schema_bytes(described: Mapping[str, JsonValue]) -> bytes:
    """Return a schema as the file that is published."""
    return (json.dumps(described, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()
