"""The entry: takes the global options, imports the one command that was asked for, prints what it returns.

No command is imported before it is needed, so that `portalops --version` and `--help` stay quick. A
command is any module of this folder whose name has no leading underscore; its docstring's first line
is what `portalops --help` says of it.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from portalops import __version__
from portalops.errors import ExitCode, InternalFault, PortalOpsError
from portalops.system.stopping import stop

if TYPE_CHECKING:
    from commands._result import Result
    from commands._session import Session


def main() -> None:
    """Run the command line and leave with its exit code."""
    # A call lives for a moment or waits for disks: collecting cycles while modules load costs a tenth of `status`.
    gc.set_threshold(100_000)
    # Plugins of pydantic are searched for in every installed package, and none has a part in this.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    if sys.stdout is None:  # closed by the caller, who wants the exit code alone
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # for as long as the process lives
    if sys.argv[1:] == ["--version"]:
        try:
            print(f"portalops {__version__}", flush=True)  # noqa: T201  # the quickest way out, nothing is imported
        except OSError:
            sys.exit(_give_up_output())
        return
    try:
        code = run(sys.argv[1:], os.environ)
    except ImportError as error:
        # Not even what errors are printed with can be loaded. Python would end with 1, which timers take for an unmet duty.
        with suppress(AttributeError, OSError, ValueError):
            sys.stderr.write(f"error[{InternalFault.code}]: {error}\nhint: Install portalops, or its Python, anew.\n")
        code = int(InternalFault.exit_code)
    try:
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):  # closed or full: the exit code is all that can be told
        _give_up(2)
    sys.exit(code)


def run(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Carry out one command line and return the exit code.

    Every ending goes through here: results, errors, interrupts and faults, each printed the same
    way for people or, with `--json`, as one envelope.
    """
    from commands._invocation import Invocation, parse_invocation  # noqa: PLC0415  # start-up time
    from commands._printer import OutputError, Printer  # noqa: PLC0415  # start-up time
    from commands._session import Session as OneCall  # noqa: PLC0415  # start-up time
    from portalops.locale import language_from, set_language  # noqa: PLC0415  # start-up time
    from portalops.system.logs import configured  # noqa: PLC0415  # start-up time

    set_language(language_from(environment))
    printer = Printer(Invocation(arguments=(), json="--json" in arguments), environment)
    session: Session | None = None
    with _stopped_cleanly(), ExitStack() as logs:
        try:
            session = OneCall(parse_invocation(arguments, environment), environment)
            invocation = session.invocation
            set_language(language_from(environment, invocation.language))
            printer = Printer(invocation, environment)
            logs.enter_context(
                configured(
                    environment,
                    invocation.log_format,
                    verbose=invocation.verbose,
                    debug=invocation.debug,
                    now=session.clock.now,
                )
            )
            result = _dispatch(session)
            result = replace(result, warnings=(*session.warnings, *result.warnings))
            printer.result(result, zone=session.zone)
            return int(result.exit_code)
        except OutputError as error:
            _give_up_output()
            printer.error(error)
            return int(error.exit_code)
        except PortalOpsError as error:
            printer.error(error, zone=session.zone if session else None)
            return int(error.exit_code)
        except KeyboardInterrupt:
            printer.interrupted()
            return int(ExitCode.INTERRUPTED)
        except BrokenPipeError:  # the reader went away; there is nobody left to tell
            return _give_up_output()
        except Exception as error:  # noqa: BLE001  # the last door: a fault is told, not thrown at the user
            printer.fault(error)
            return int(InternalFault.exit_code)


def _give_up_output() -> int:
    """Let nothing more be written to standard output, where nothing can be written."""
    _give_up(1)
    return int(ExitCode.FAILED)


def _give_up(descriptor: int) -> None:
    """Let an output go nowhere, also what is left in its buffer when Python ends."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


@contextmanager
def _stopped_cleanly() -> Iterator[None]:
    """Make SIGTERM, and a terminal that is closed, the same clean stop as Ctrl-C; what nohup ignores stays ignored."""
    stopping = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    signals = [each for each in stopping if signal.getsignal(each) is not signal.SIG_IGN]
    previous = {each: signal.signal(each, stop) for each in signals}
    try:
        yield
    finally:
        for each, handler in previous.items():
            signal.signal(each, handler)


def _dispatch(session: Session) -> Result:
    from commands._catalog import call, help_page, version_page  # noqa: PLC0415  # start-up time

    arguments = session.invocation.arguments
    if not arguments or arguments[0] in {"--help", "-h"} or arguments == ("help",):
        return help_page()
    if arguments[0] == "help":
        session.invocation = replace(session.invocation, arguments=(*arguments[1:], "--help"))
    if arguments[0] == "--version":
        return version_page()
    return call(session)
