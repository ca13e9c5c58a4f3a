"""The entry: takes the global options, imports the one command that was asked for, prints what it returns.

No command is imported before it is needed, so that `portalops --version` and `--help` stay quick. A
command is any module of this folder whose name has no leading underscore; its docstring's first line
is what `portalops --help` says of it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING

from portalops import __version__
from portalops.errors import ExitCode, InternalFault, PortalOpsError

if TYPE_CHECKING:
    from commands._result import Result
    from commands._session import Session


def main() -> None:
    """Run the command line and leave with its exit code."""
    if sys.argv[1:] == ["--version"]:
        print(f"portalops {__version__}")  # noqa: T201  # the quickest way out, before anything is imported
        return
    sys.exit(run(sys.argv[1:], os.environ))


def run(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Carry out one command line and return the exit code.

    Every ending goes through here: results, errors, interrupts and faults, each printed the same
    way for people or, with `--json`, as one envelope.
    """
    from commands._invocation import Invocation, parse_invocation  # noqa: PLC0415  # start-up time
    from commands._printer import Printer  # noqa: PLC0415  # start-up time
    from commands._session import Session  # noqa: PLC0415  # start-up time

    printer = Printer(Invocation(arguments=(), json="--json" in arguments), environment)
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        session = Session(parse_invocation(arguments, environment), environment)
        printer = Printer(session.invocation, environment)
        result = _dispatch(session)
        if result is None:
            return int(ExitCode.OK)
        printer.result(result, zone=session.zone)
        return int(result.exit_code)
    except PortalOpsError as error:
        printer.error(error)
        return int(error.exit_code)
    except KeyboardInterrupt:
        printer.interrupted()
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # The reader went away; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.FAILED)
    except Exception as error:  # noqa: BLE001  # the last door: a fault is told, not thrown at the user
        printer.fault(error)
        return int(InternalFault.exit_code)
    finally:
        signal.signal(signal.SIGTERM, previous)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Turn SIGTERM into the same clean stop as Ctrl-C."""
    raise KeyboardInterrupt


def _dispatch(session: Session) -> Result | None:
    from commands._catalog import call, complete, help_page, version_page  # noqa: PLC0415  # start-up time
    from portalops.locale import language_from, set_language  # noqa: PLC0415  # start-up time

    arguments = session.invocation.arguments
    set_language(language_from(session.environment, session.invocation.language))
    if "_PORTALOPS_COMPLETE" in session.environment:
        complete()
        return None
    if not arguments or arguments[0] in {"--help", "-h"} or arguments == ("help",):
        return help_page()
    if arguments[0] == "help":
        session.invocation = replace(session.invocation, arguments=(*arguments[1:], "--help"))
    if arguments[0] == "--version":
        return version_page()
    return call(session)
