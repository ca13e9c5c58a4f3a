"""One line for Nagios, Icinga and what speaks like them, and their exit codes (Monitoring Plugins Development Guidelines).

Host text is untrusted: a monitoring system hands this line to shells and mail. Only letters, digits and a few signs pass;
a line break, a `|`, and what a shell or a macro would take for its own, become `?`. Quotes, which shells take for their own too,
are left out. What is unknown is never OK.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Final

import typer

from commands.cli.result import Result
from commands.cli.session import Session
from portalops.errors import ExitCode, PortalOpsError, UsageError
from portalops.locale import _, process_language, render
from portalops.model.message import Message, msg
from portalops.model.values import dataclass
from portalops.reports.document import Verbatim

OK: Final = "OK"
WARNING: Final = "WARNING"
CRITICAL: Final = "CRITICAL"
UNKNOWN: Final = "UNKNOWN"
MAX_BYTES = 900
"""Of the text before the figures: Nagios 3 reads 1 KiB of a line, newer ones and Icinga more."""

_CODES: Mapping[str, ExitCode] = {
    OK: ExitCode.OK,
    WARNING: ExitCode.UNMET,
    CRITICAL: ExitCode.USAGE,
    UNKNOWN: ExitCode.PARTIAL,
}
"""By number: 0, 1, 2 and 3 mean there what a plugin's caller takes them for."""

_SIGNS = frozenset(" .,:_-/()+=@")
_QUOTES = frozenset("'\"\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb")
"""Also typographic ones: PowerShell takes them for plain ones, and so does a conversion to ASCII."""
Option = Annotated[
    bool, typer.Option("--nagios", help=_("One line and exit codes 0 to 3 for Nagios, Icinga and the like"))
]


@dataclass(frozen=True, slots=True)
class PluginAnswer:
    """What a plugin says."""

    state: str
    text: Message
    counts: Mapping[str, int | timedelta]
    """Figures by name; a span is shown in seconds."""


def guarded(session: Session, ask: Callable[[], PluginAnswer]) -> Result[None]:
    """Return a plugin's answer; what goes wrong on the way is UNKNOWN, as a plugin says it.

    Raises:
        UsageError: both forms of output were asked for.
    """
    if session.invocation.json:
        raise UsageError(
            msg("--json and --nagios do not go together"), msg("Give one of them: each prints its own form.")
        )
    session.invocation = replace(
        session.invocation, quiet=True
    )  # some agents take standard error for the answer as well
    try:
        answer = ask()
    except PortalOpsError as error:
        answer = PluginAnswer(UNKNOWN, msg("error {code}: {problem}", code=error.code, problem=error.message), {})
    said = render(answer.text, process_language(), zone=session.zone)
    return Result(None, [Verbatim(line(answer.state, said, answer.counts))], exit_code=_CODES[answer.state])


def line(state: str, said: str, counts: Mapping[str, int | timedelta]) -> str:
    """Return the line: state and text, then the figures behind a `|`."""
    shown = "".join(sign if sign.isalnum() or sign in _SIGNS else "?" for sign in said if sign not in _QUOTES)
    text = shown.encode()[:MAX_BYTES].decode("utf-8", "ignore")
    figures = " ".join(f"{name}={_figure(number)};;;0" for name, number in counts.items())
    return f"PORTALOPS {state} - {text}" + (f" | {figures}" if figures else "")


def _figure(number: int | timedelta) -> str:
    return f"{int(number.total_seconds())}s" if isinstance(number, timedelta) else str(number)
