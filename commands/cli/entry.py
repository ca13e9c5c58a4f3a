"""Carries out one command line: takes the global options, calls the verb that was asked for, and prints what it returns.

No verb is imported before it is called, so that help stays quick.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from zoneinfo import ZoneInfo

from commands.cli.catalogue import asks_for_help, file_of, named
from commands.cli.invocation import Invocation, parse_invocation
from commands.cli.output import give_up_output
from commands.cli.pages import help_page, noun_page, version_page
from commands.cli.printer import OutputError, Printer
from commands.cli.result import JsonValue, Result
from portalops.errors import ExitCode, InternalFault, OutOfMemory, PortalOpsError
from portalops.locale import language_from, set_language
from portalops.model.message import msg
from portalops.ports import Clock
from portalops.system.clock import SystemClock
from portalops.system.logs import configured
from portalops.system.stopping import begin, stop


def run(arguments: Sequence[str], environment: Mapping[str, str], *, clock: Clock | None = None) -> int:
    """Carry out one command line and return the exit code.

    Every ending goes through here: results, errors, interrupts and faults, each printed the same
    way for people or, with `--json`, as one envelope. Without a clock it goes by the machine's.
    """
    set_language(language_from(environment))
    printer = Printer(Invocation(arguments=(), json="--json" in arguments), environment)
    with _stopped_cleanly(), ExitStack() as logs:
        try:
            invocation = parse_invocation(arguments, environment)
            set_language(language_from(environment, invocation.language))
            printer = Printer(invocation, environment)
            clock = clock or SystemClock()
            logs.enter_context(
                configured(
                    environment,
                    invocation.log_format,
                    verbose=invocation.verbose,
                    debug=invocation.debug,
                    now=clock.now,
                )
            )
            if (page := _page(invocation.arguments)) is not None:
                printer.result(page, zone=ZoneInfo("UTC"))
                return int(page.exit_code)
            # A page needs neither configuration nor ledger nor Typer, which together take ten times as long to import.
            from commands.cli.calling import call  # noqa: PLC0415
            from commands.cli.session import Session  # noqa: PLC0415

            session = Session(invocation, environment, clock=clock)
            printer.attend(session)
            result = call(session)
            result = replace(result, warnings=(*session.warnings, *result.warnings))
            printer.result(result, zone=session.zone)
            return int(result.exit_code)
        except OutputError as error:
            give_up_output()
            printer.error(error)
            return int(error.exit_code)
        except PortalOpsError as error:
            printer.error(error)
            return int(error.exit_code)
        except KeyboardInterrupt:
            printer.interrupted()
            return int(ExitCode.INTERRUPTED)
        except BrokenPipeError:  # the reader went away; there is nobody left to tell
            return give_up_output()
        except MemoryError as error:
            told = OutOfMemory(
                msg("the system gives this process no more memory"),
                msg("Raise its limit ('ulimit -v', MemoryMax of the unit), or free memory; then run it again."),
            )
            told.__cause__ = error
            printer.error(told)
            return int(told.exit_code)
        except Exception as error:  # noqa: BLE001  # the last door: a fault is told, not thrown at the user
            printer.fault(error)
            return int(InternalFault.exit_code)


@contextmanager
def _stopped_cleanly() -> Iterator[None]:
    """Make SIGTERM, and a terminal that is closed, the same clean stop as Ctrl-C; what nohup ignores stays ignored."""
    stopping = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    begin()
    signals = [each for each in stopping if signal.getsignal(each) is not signal.SIG_IGN]
    previous = {each: signal.signal(each, stop) for each in signals}
    try:
        yield
    finally:
        for each, handler in previous.items():
            signal.signal(each, handler)


def _page(arguments: Sequence[str]) -> Result[JsonValue] | None:
    """Return the page that a call asks for and for which no verb is imported.

    Raises:
        UsageError: there is no such command or verb.
    """
    if not arguments or arguments[0] in {"--help", "-h"} or arguments == ("help",):
        return help_page()
    if arguments[0] == "--version":
        return version_page()
    called, rest, _warnings = named(arguments[1:] if arguments[0] == "help" else arguments)
    is_noun = file_of(called) is None
    return noun_page(called) if is_noun and (arguments[0] == "help" or asks_for_help(rest)) else None
