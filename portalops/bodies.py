"""What a record's blob says, as JSON: dataclasses of `portalops.model` written out, and read back as they were.

Dataclasses become objects, tuples lists, moments and days ISO 8601 text. The values of a `Message`
may be text, numbers, days, moments, names or sentences; there a day is `{"$day": ...}`, a moment
`{"$moment": ...}` and a name `{"$name": [vi, en]}`, so that text that looks like a day stays text.
"""

from __future__ import annotations

import dataclasses
import gc
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache
from typing import Any, TypeAlias, TypeVar

from pydantic_core import SchemaValidator, ValidationError

from portalops.body_schemas import EARLIEST, LATEST, validator_of
from portalops.errors import LedgerError
from portalops.json_text import read_json, read_json_at
from portalops.model.message import ByteCount, Message, kept, msg
from portalops.model.organisation import Name
from portalops.model.record import Digest

JsonValue: TypeAlias = "str | int | bool | list[JsonValue] | dict[str, JsonValue] | None"

BodyT = TypeVar("BodyT")

_DAY, _MOMENT, _NAME = "$day", "$moment", "$name"
_validators: dict[type, SchemaValidator] = {}
"""Built once a type: building takes longer than decoding."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


def encode(value: object) -> JsonValue:
    """Return a dataclass, or a collection of them, as plain JSON values.

    Text that no UTF-8 can hold (a lone surrogate) is written as its escape, so that a record is never
    lost for an odd file name.

    Raises:
        TypeError: something that a body does not hold, such as a float: numbers in evidence are whole.
        ValueError: a moment without a zone, or a key that begins with `$`.
    """
    match value:
        case None | bool():
            return value
        case Enum():
            return encode(value.value)
        case str():
            return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
        case int():
            return int(value)
        case datetime():
            return _moment(value)
        case date():
            return value.isoformat()
        case Message():
            values = {_key(name): _message_value(held) for name, held in value.values.items()}
            return {"text": encode(value.text), "values": values, "plural": encode(value.plural)}
        case Mapping():
            return {_key(name): encode(held) for name, held in value.items()}
        case Sequence() | frozenset() if not isinstance(value, (bytes, bytearray)):
            return [encode(held) for held in value]
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {name: encode(getattr(value, name)) for name in _field_names(type(value))}
        case _:
            raise TypeError(f"a body cannot hold {type(value).__name__}")


@cache  # a run's details hold the same few types thousands of times
def _field_names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def write(parts: Mapping[str, object]) -> bytes:
    """Return the bytes of a blob: one JSON object, keys sorted, without spaces, ending in a line feed."""
    return json.dumps(encode(parts), ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode() + b"\n"


def read(blob: bytes) -> dict[str, JsonValue]:
    """Return a blob's object, with the days and moments of messages restored.

    Raises:
        LedgerError: the blob is not a JSON object.
    """
    has_any = b'"$' in blob or b"\\u0024" in blob  # names of days, moments and names begin so, and nothing else does
    return _object(blob, _once_restored if has_any else _once)


def plain(blob: bytes) -> dict[str, JsonValue]:
    """Return a blob's object as it stands, for showing and printing.

    Raises:
        LedgerError: the blob is not a JSON object.
    """
    return _object(blob, _once)


def decode(body_type: type[BodyT], value: JsonValue) -> BodyT:
    """Return the value of a type from what `read` gave; the reverse of `encode`.

    Raises:
        LedgerError: it is not of the type.
    """
    try:
        with uncollected():
            decoded: BodyT = _validator(body_type).validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        said = f"{where}: {first['msg']}" if where else first["msg"]
        cause = msg("it has no {part}", part=where) if first["type"] == "missing" else said
        raise _unreadable(cause) from error
    return decoded


def decode_plain(body_type: type[BodyT], value: JsonValue) -> BodyT:
    """Return the value of a type from what `plain_part` gave, with the days and moments of messages restored.

    Raises:
        LedgerError: it is not of the type.
    """
    try:
        restored = _restored_within(value)
    except (ValueError, TypeError) as error:
        raise _unreadable(str(error)) from error
    return decode(body_type, restored)


def _restored_within(value: JsonValue) -> Any:
    match value:
        case dict():
            pairs = {name: _restored_within(held) for name, held in value.items()}
            return _restored(pairs) if len(pairs) == 1 else pairs
        case list():
            return [_restored_within(held) for held in value]
        case _:
            return value


def decode_part(blob: bytes, key: str, body_type: type[BodyT]) -> BodyT | None:
    """Return one part of a blob, or None if it has no such part.

    Raises:
        LedgerError: the blob is not a JSON object, or the part is not of the type.
    """
    with uncollected():
        parts = read(blob)
        return decode(body_type, parts[key]) if key in parts else None


def required_part(blob: bytes, key: str, body_type: type[BodyT]) -> BodyT:
    """Return the part of a blob that records of its kind always have.

    Raises:
        LedgerError: as by `decode_part`, or it has no such part.
    """
    found = decode_part(blob, key, body_type)
    if found is None:
        raise _unreadable(msg("they have no part {key}", key=key))
    return found


def part_of(blob: bytes, key: str) -> Mapping[str, object]:
    """Return one object of a body that is a JSON object in UTF-8; empty where there is none."""
    try:
        found = parse(blob)
    except ValueError:
        return {}
    part = found.get(key) if isinstance(found, dict) else None
    return part if isinstance(part, dict) else {}


def plain_part(blob: bytes, key: str) -> JsonValue:
    """Return one part of a blob as it stands, or None if it has no such part.

    If it is the last part, the parts before it are skipped, else those after it: so a run's summary is had without
    its result.

    Raises:
        LedgerError: the blob is not a JSON object as `write` makes it, as far as it was read.
    """
    found: JsonValue
    last = blob.rfind(b',"%s":' % key.encode())  # no text holds this, since quotes are escaped in it
    try:
        if last > 0:
            tail = blob[last:].decode()
            found, end = read_json_at(tail, tail.index(":") + 1)
            if tail[end:] in {"}", "}\n"}:  # one object is closed behind it, so it is a part of the whole
                return found
        text = blob.decode()
        at = text.index("{") + 1
        if text[at] == "}":
            return None
        while text[at] == '"':
            name, at = read_json_at(text, at)
            value, end = read_json_at(text, at + 1)
            if text[at] != ":" or text[end] not in ",}":
                break
            if name == key:
                found = value
                return found
            if text[end] == "}":
                return None
            at = end + 1
    except (ValueError, IndexError) as error:
        raise _unreadable(str(error)) from error
    raise _unreadable(msg("not in the form that portalops writes, at character {at}", at=at))


def parse(blob: bytes, restore: Callable[[dict[str, Any]], Any] | None = None) -> Any:
    """Return what JSON text says, read so strictly that no two readers can understand it differently.

    Args:
        blob: the bytes, in UTF-8.
        restore: is given each object, the inner ones first, and returns its replacement; by default the object itself.

    Raises:
        ValueError: it is not JSON in UTF-8; or a name stands twice in an object, a number is no integer or has more than
            4300 digits, or lists and objects lie in each other more than 100 deep.
    """
    return _parsed(blob, _once if restore is None else lambda pairs: restore(_once(pairs)))


def _parsed(blob: bytes, hook: Callable[[list[tuple[str, Any]]], Any]) -> Any:
    with uncollected():
        return read_json(blob.decode(), pairs=hook, decimal=_refused)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in an object")
    return found


def _once_restored(pairs: list[tuple[str, Any]]) -> Any:
    found = dict(pairs)  # as `_once` does, which it costs a fifth of the time to call
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in an object")
    return _restored(found) if len(found) == 1 else found


@contextmanager
def uncollected() -> Iterator[None]:
    """Let Python look for no cycles meanwhile.

    What is read out of JSON has none, and looking for them takes more than half of the time that a large body takes.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def evidence_of(blob: bytes) -> frozenset[Digest]:
    """Return the blobs that a body's results rest on: every digest under a key `evidence`, at any depth.

    A blob that is not JSON names none.
    """
    if b"evidence" not in blob and b"\\u" not in blob:  # the key, or letters of it written as escapes
        return frozenset()
    found: set[Digest] = set()

    def collect(pairs: dict[str, Any]) -> dict[str, Any]:
        held = pairs.get("evidence")
        for value in held if isinstance(held, list) else (held,):
            if isinstance(value, str) and _DIGEST.fullmatch(value):
                found.add(Digest(value))
        return pairs

    try:
        parse(blob, collect)
    except ValueError:
        return frozenset()
    return frozenset(found)


def _refused(text: str) -> None:
    raise ValueError(f"not an integer: {text[:40]}")


def _object(blob: bytes, hook: Callable[[list[tuple[str, Any]]], Any]) -> dict[str, JsonValue]:
    try:
        found = _parsed(blob, hook)
    except (ValueError, TypeError) as error:
        raise _unreadable(str(error)) from error
    if not isinstance(found, dict):
        raise _unreadable(type(found).__name__)
    return found


def _validator(body_type: type) -> SchemaValidator:
    if body_type not in _validators:
        _validators[body_type] = validator_of(body_type)
    return _validators[body_type]


def _moment(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError(f"a moment without a zone: {value.isoformat()}")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _message_value(value: object) -> JsonValue:
    match value:
        case datetime():
            return {_MOMENT: _moment(value)}
        case date():
            return {_DAY: value.isoformat()}
        case Name():
            return {_NAME: [encode(value.vi), encode(value.en)]}
        case bool():
            return int(value)
        case ByteCount():
            return str(value)  # a bare number would lose its unit
        case _:
            return encode(value)


def _key(name: object) -> str:
    if not isinstance(name, str) or name.startswith("$"):
        raise ValueError(f"not a key of a body: {name!r}")
    return name.encode("utf-8", "backslashreplace").decode()


def _restored(pairs: dict[str, Any]) -> Any:
    """Return the day, moment or name that an object with one member stands for, or the object."""
    if _DAY in pairs:
        return date.fromisoformat(pairs[_DAY])
    if _MOMENT in pairs:
        moment = datetime.fromisoformat(pairs[_MOMENT])
        if not EARLIEST <= moment < LATEST:  # TypeError if it has no zone
            raise ValueError(f"not in the calendar in every time zone: {moment}")
        return moment
    if _NAME in pairs:
        return Name(*pairs[_NAME])
    return pairs


def _unreadable(cause: Message | str) -> LedgerError:
    return LedgerError(
        msg("the details of a record cannot be read: {cause}", cause=kept(cause, 300)),
        msg("Run 'portalops ledger verify' to see whether they were changed."),
    )
