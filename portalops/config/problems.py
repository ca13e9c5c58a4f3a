"""What is wrong with a configuration, in portalops's own words, each with its file, line and key.

pydantic finds the problems; its English sentences are never shown. All problems of one reading are
reported together.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from portalops.config.positions import KeyPath
from portalops.config.values import RefusedValue
from portalops.errors import ConfigurationError, UnknownKey
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.text import show_text

Place = Callable[[KeyPath], str]
"""Gives `file:line` of a path in the table that was read."""

SECRET_WORDS = re.compile(r"pass|secret|token|credential|private|api_?key", re.IGNORECASE)
_LISTED = 20
"""How many further problems one message names."""

ModelT = TypeVar("ModelT", bound=BaseModel)


def validated(
    model: type[ModelT],
    tree: Mapping[str, Any],
    *,
    place: Place,
    prefix: str = "",
    context: Mapping[str, object] | None = None,
) -> ModelT:
    """Return a table as its shape.

    Args:
        model: the shape.
        tree: the table as TOML gave it.
        place: says where a path of the table stands.
        prefix: what stands before the table's own keys in messages, such as `backup.source`.
        context: passed on to the shape's validators.

    Raises:
        ConfigurationError: the table does not have the shape; `problems` holds every problem.
    """
    try:
        return model.model_validate(tree, context=dict(context or {}))
    except ValidationError as error:
        raise together(problems_of(error, model, tree, place=place, prefix=prefix)) from error


def problems_of(
    error: ValidationError, model: type[BaseModel], tree: Mapping[str, Any], *, place: Place, prefix: str = ""
) -> tuple[ConfigurationError, ...]:
    """Return each problem that pydantic found, worded and placed, in the order of the file."""
    found: dict[str, ConfigurationError] = {}
    for details in error.errors(include_url=False):
        path = _real_path(details["loc"], tree, keep_last=details["type"] == "missing")
        problem = _problem(details, path, model, place=place, prefix=prefix)
        found.setdefault(str(problem), problem)
    return sort_problems(found.values())


def sort_problems(problems: Iterable[ConfigurationError]) -> tuple[ConfigurationError, ...]:
    """Return problems file by file, from top to bottom; those without a line first."""

    def order(problem: ConfigurationError) -> tuple[str, int]:
        file, _colon, line = str(problem.message.values.get("place", "")).rpartition(":")
        return (file, int(line)) if line.isdecimal() else ("", 0)

    return tuple(sorted(problems, key=order))


def together(problems: Sequence[ConfigurationError]) -> ConfigurationError:
    """Return one error that carries several; of the first one's class, and naming the places of the others."""
    first = problems[0]
    if len(problems) == 1:
        first.problems = (first,)
        return first
    others = "; ".join(
        str(problem.message.values.get("place", problem.message)) for problem in problems[1 : _LISTED + 1]
    )
    joined = type(first)(
        nmsg(
            "{first} (and {n} more problem: {others})",
            "{first} (and {n} more problems: {others})",
            len(problems) - 1,
            first=first.message,
            others=f"{others}; ..." if len(problems) > _LISTED + 1 else others,
        ),
        first.hint,
    )
    joined.problems = tuple(problems)
    return joined


def show_key(path: Sequence[str | int], prefix: str = "") -> str:
    """Return a path as people write it: `backup.source.include`; the line says which of several it is."""
    parts = [show_text(part, 60) for part in path if isinstance(part, str)]
    return ".".join([prefix, *parts] if prefix else parts)


def show_value(value: object, key: str = "") -> str:
    """Return a value bounded and escaped; what may be a secret is never shown."""
    if isinstance(value, Mapping):
        return "{...}"
    if isinstance(value, (list, tuple)):
        return "[...]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{show_text(without_secrets(value, key), 60)}"'
    return without_secrets(show_text(str(value), 60), key)


def without_secrets(text: str, key: str = "") -> str:
    """Return a text without what may be a secret: a value under such a key, a private key, a password in a URL."""
    if SECRET_WORDS.search(key.rpartition(".")[2]) or "SECRET-KEY-" in text.upper() or "PRIVATE KEY-" in text.upper():
        return "..."
    return re.sub(r"(://[^/\s:@]*):[^/\s@]*@", r"\1:...@", text)


def unknown_key(place: str, key: str, known: Sequence[str]) -> UnknownKey:
    """Return the error for a key that its table does not have, suggesting the nearest known one."""
    last = key.rpartition(".")[2]
    close = get_close_matches(last, known, 1, cutoff=0.6)
    hint = msg("Did you mean {close}?", close=close[0]) if close else None
    if hint is None and known:
        hint = msg("The keys of this table are: {keys}.", keys=", ".join(sorted(known)))
    return UnknownKey(
        msg("{place}: unknown key {key}", place=place, key=key),
        hint or msg("Remove it: this table takes no keys."),
    )


def known_keys(model: type[BaseModel], path: Sequence[str | int] = ()) -> tuple[str, ...]:
    """Return the keys that the table at a path of a shape may have; none where it is no table."""
    found = _shape_at(model, path)
    return tuple(info.alias or name for name, info in found.model_fields.items()) if found else ()


def _problem(
    details: ErrorDetails, path: KeyPath, model: type[BaseModel], *, place: Place, prefix: str
) -> ConfigurationError:
    where, key = place(path), show_key(path, prefix)
    kind = details["type"]
    if kind == "extra_forbidden":
        return unknown_key(where, key, known_keys(model, path[:-1]))
    if kind == "missing":
        return ConfigurationError(
            msg("{place}: {key} is missing", place=where, key=key),
            msg("Add the key {key} there; 'portalops config schema' describes it.", key=show_key(path[-1:])),
        )
    context = details.get("ctx", {})
    value, cause = details["input"], context.get("error")
    if isinstance(cause, RefusedValue):
        return _refused(cause, where, key, value)
    what, hint = _wording(kind, context, value, key)
    return ConfigurationError(
        msg("{place}: {key} {what}: {value}", place=where, key=key, what=what, value=show_value(value, key)),
        hint or msg("Correct it and run 'portalops config check'."),
    )


def _refused(cause: RefusedValue, place: str, key: str, value: object) -> ConfigurationError:
    hint = cause.hint or msg("Correct it and run 'portalops config check'.")
    if cause.shows_value and isinstance(value, (str, int, float)):
        shown = show_value(value, key)
        return cause.error(
            msg("{place}: {key} {what}: {value}", place=place, key=key, what=cause.message, value=shown), hint
        )
    return cause.error(msg("{place}: {key} {what}", place=place, key=key, what=cause.message), hint)


def _wording(kind: str, context: Mapping[str, Any], value: object, key: str) -> tuple[Message, Message | None]:
    last = key.rpartition(".")[2]
    match kind:
        case "string_type" | "path_type":
            return msg("is not a text"), msg("Write it in double quotes.")
        case "int_type" | "int_parsing" | "int_from_float":
            return msg("is not a whole number"), msg("Write the number without quotes.")
        case "float_type" | "float_parsing":
            return msg("is not a number"), msg("Write the number without quotes.")
        case "bool_type" | "bool_parsing":
            return msg("is neither true nor false"), msg("Write true or false without quotes.")
        case "tuple_type" | "list_type" | "set_type" | "frozen_set_type" | "iterable_type":
            if isinstance(value, Mapping):
                return msg("is one table, not a list of them"), msg("Write [[{key}]] in double brackets.", key=key)
            return msg("is not a list"), msg("Write it in brackets: {key} = [...].", key=last)
        case "dict_type" | "model_type" | "model_attributes_type" | "mapping_type":
            if isinstance(value, list):
                return msg("is a list, not one table"), msg("Write [{key}] in single brackets.", key=key)
            return msg("is not a table"), msg(
                "Write it as a table: [{table}], or {key} = {{ ... }}; 'portalops config schema' has its keys.",
                table=key,
                key=last,
            )
        case "enum" | "literal_error":
            return msg("is not one of {values}", values=_alternatives(context)), None
        case "string_pattern_mismatch":
            return _pattern_wording(str(context.get("pattern", "")))
        case "greater_than_equal":
            return msg("is below {limit}", limit=str(context.get("ge"))), None
        case "greater_than":
            return msg("is not above {limit}", limit=str(context.get("gt"))), None
        case "less_than_equal":
            return msg("is above {limit}", limit=str(context.get("le"))), None
        case "less_than":
            return msg("is not below {limit}", limit=str(context.get("lt"))), None
        case "too_short" | "string_too_short":
            return msg("is too short"), None
        case "too_long" | "string_too_long":
            return msg("is too long"), None
        case "value_error" | "assertion_error":
            return verbatim(show_text(str(context.get("error", "")))), None
        case _:
            return msg("is not accepted"), msg("Run 'portalops config schema' to see what it takes.")


def _alternatives(context: Mapping[str, Any]) -> str:
    return ", ".join(re.findall(r"'([^']*)'", str(context.get("expected", ""))))


def _pattern_wording(pattern: str) -> tuple[Message, Message | None]:
    if "a-z0-9" in pattern:
        return msg("is not an id"), msg("Ids have lower-case letters, digits and hyphens, at most 63.")
    if "vi|en" in pattern:
        return msg("is not one of {values}", values="vi, en"), None
    if "24:00" in pattern:
        return msg("is not a time of day"), msg("Write hours and minutes, from 00:00 to 24:00.")
    return msg("does not have the expected form"), msg("It must match {pattern}.", pattern=show_text(pattern))


def _real_path(location: Sequence[str | int], tree: object, *, keep_last: bool) -> KeyPath:
    """Drop what pydantic adds to a location, such as the name of a union's member."""
    path: list[str | int] = []
    node: Any = tree
    for index, part in enumerate(location):
        inside = step(node, part)
        if inside is not None:
            node = inside
        elif not (keep_last and index == len(location) - 1):
            continue
        path.append(part)
    return tuple(path)


def step(node: Any, part: str | int) -> Any:
    """Return what a table or list holds at a key or index; None where there is no such thing."""
    if isinstance(node, Mapping):
        return node.get(part)
    if isinstance(part, int) and isinstance(node, (list, tuple)) and part < len(node):
        return node[part]
    return None


def _shape_at(model: type[BaseModel], path: Sequence[str | int]) -> type[BaseModel] | None:
    annotation: Any = model
    for part in path:
        if isinstance(part, int):
            annotation = next(iter(_members(annotation, sequence=True)), None)
        else:
            shape = model_of(annotation)
            if shape is None:
                return None
            by_key = {info.alias or name: info.annotation for name, info in shape.model_fields.items()}
            annotation = by_key.get(part)
    return model_of(annotation)


def model_of(annotation: Any) -> type[BaseModel] | None:
    """Return the shape behind an annotation; None where it is no table."""
    for member in _members(annotation, sequence=False):
        if isinstance(member, type) and issubclass(member, BaseModel):
            return member
    return None


def scalar_of(annotation: Any) -> type | None:
    """Return the type of a single value behind an annotation; None where it is a list or a table."""
    for member in _members(annotation, sequence=False):
        if isinstance(member, type) and issubclass(member, (bool, int, str, date, Path)):
            return member
    return None


def _members(annotation: Any, *, sequence: bool) -> tuple[Any, ...]:
    """Return the alternatives behind unions and annotations, or of a sequence those of its items."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _members(get_args(annotation)[0], sequence=sequence)
    if origin in {Union, types.UnionType}:
        return tuple(inner for part in get_args(annotation) for inner in _members(part, sequence=sequence))
    if not sequence:
        return (annotation,)
    if origin in {tuple, list, set, frozenset} or (isinstance(origin, type) and issubclass(origin, Sequence)):
        return _members(get_args(annotation)[0], sequence=False)
    return ()
