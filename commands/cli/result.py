"""What a command returns: data for programs, blocks for people, and an exit code for both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from portalops.errors import ExitCode
from portalops.model.message import Message
from portalops.model.values import dataclass
from portalops.reports.document import Block

if TYPE_CHECKING:
    JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
else:
    JsonValue = object  # Typer evaluates the annotations of a verb, and could not find the alias's own names there
DataT_co = TypeVar("DataT_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Result(Generic[DataT_co]):
    """The outcome of a command that could be carried out."""

    data: DataT_co
    """For `--json`: a frozen dataclass, or a tuple of them for a listing; `commands.cli.shapes` writes it out and describes it."""
    view: Sequence[Block] = ()
    """The same for a person."""
    warnings: Sequence[Message] = ()
    exit_code: ExitCode = ExitCode.OK
    failures: Sequence[Message] = ()
    """What failed, which `view` says too: with --quiet it is told on standard error, so that whoever throws standard output
    away, as cron's users do, still learns of it."""
