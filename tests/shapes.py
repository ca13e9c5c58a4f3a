"""Holds what a verb printed with `--json` against the schema that is published for it."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from commands.cli.catalogue import file_of, named
from commands.cli.entry import run
from commands.cli.invocation import parse_invocation
from commands.cli.result import Result
from commands.cli.schemas import schema_of
from commands.cli.shapes import as_json


def data_of(result: Result[object]) -> Any:
    """Return a result's data as `--json` prints it."""
    return as_json(result.data)


def run_validated(*arguments: str) -> int:
    """Carry out a command line as `entry.run` does, and hold what it prints with `--json` against the shape of its verb."""
    printed = StringIO()
    with redirect_stdout(printed):
        code = run(arguments, {})
    sys.stdout.write(printed.getvalue())
    if "--json" in arguments and (envelope := json.loads(printed.getvalue()))["ok"]:
        validate(named(parse_invocation(arguments, {}).arguments)[0], envelope["data"])
    return code


def validate(called: str, data: object) -> None:
    """Raise `jsonschema.ValidationError` if data is not of the shape of a verb, such as `backup run`, or has a key more."""
    _validator(called).validate(data)


def data_in(printed: str | bytes, called: str) -> Any:
    """Return the data of what a verb printed with `--json`, once it was held against the verb's schema."""
    data = json.loads(printed)["data"]
    validate(called, data)
    return data


def validate_answer(arguments: Sequence[str], answer: Mapping[str, Any]) -> None:
    """Hold what a call printed against the schema of its verb, which stands before its options; an error has no data.

    Raises:
        jsonschema.ValidationError: it is not of that shape.
    """
    words = list(itertools.takewhile(lambda word: not word.startswith("-"), arguments))
    called = next(name for end in range(len(words), 0, -1) if file_of(name := " ".join(words[:end])) is not None)
    if answer.get("error") is None:
        validate(called, answer["data"])


@cache
def _validator(called: str) -> Draft202012Validator:
    return Draft202012Validator(_closed(schema_of(called)), format_checker=FormatChecker())


def _closed(node: Any) -> Any:
    """Return a schema that takes no key which it does not name: a new one is to be published too."""
    if isinstance(node, list):
        return [_closed(held) for held in node]
    if not isinstance(node, dict):
        return node
    closed = {key: _closed(held) for key, held in node.items()}
    return (
        {"additionalProperties": False, **closed}
        if "properties" in closed and closed.get("type") == "object"
        else closed
    )
