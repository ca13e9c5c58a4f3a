"""What a command returns: data for programs, blocks for people, and an exit code for both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from portalops.errors import ExitCode
from portalops.model.message import Message
from portalops.reports.document import Block

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a command that could be carried out."""

    data: JsonValue
    """A listing is a list of objects with `id`; keys and codes are English and never translated."""
    view: Sequence[Block] = ()
    """The same for a person."""
    warnings: Sequence[Message] = ()
    exit_code: ExitCode = ExitCode.OK
    failures: Sequence[Message] = ()
    """What failed, which `view` says too: with --quiet it is told on standard error, so that whoever throws standard output
    away, as cron's users do, still learns of it."""
