"""The options that every command understands, read once, wherever they stand on the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from portalops.errors import UsageError
from portalops.model.message import msg
from portalops.model.values import dataclass

LANGUAGES = ("vi", "en")
COLORS = ("auto", "always", "never")
LOG_FORMATS = ("text", "json", "journal")
GLOBAL_OPTIONS = (
    ("--config FILE", msg("configuration file to use")),
    ("--lang vi|en", msg("language of what is printed")),
    ("--json", msg("print one JSON object and nothing else on standard output")),
    ("--quiet, -q", msg("print no progress and no notes")),
    ("--verbose, -v", msg("print more, for finding out what happens")),
    ("--no-input", msg("never ask; fail where an answer is needed")),
    ("--color auto|always|never", msg("when to use colour; NO_COLOR and TERM=dumb are obeyed")),
    ("--log-format text|json|journal", msg("how what happens is logged; as PORTALOPS_LOG_FORMAT says if not given")),
    ("--debug", msg("show where in the program an error arose")),
)
"""For the help pages: the option and what it does."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """How portalops was called."""

    arguments: tuple[str, ...]
    """What is left for the command itself."""
    config: Path | None = None
    language: str | None = None
    json: bool = False
    quiet: bool = False
    verbose: bool = False
    no_input: bool = False
    color: str = "auto"
    log_format: str | None = None
    debug: bool = False


def parse_invocation(arguments: Sequence[str], environment: Mapping[str, str]) -> Invocation:
    """Take the global options out of the arguments; everything after `--` is left alone.

    Raises:
        UsageError: an option lacks its value or has one that it does not take.
    """
    rest: list[str] = []
    values: dict[str, str] = {}
    flags: set[str] = set()
    pending = list(arguments)
    while pending:
        argument = pending.pop(0)
        if argument == "--":
            rest += [argument, *pending]
            break
        name, equals, value = argument.partition("=")
        if name in _VALUES:
            if not equals:
                if not pending:
                    raise UsageError(msg("{option} needs a value", option=name), _HELP_HINT)
                value = pending.pop(0)
            values[_VALUES[name]] = value
        elif argument in _FLAGS:
            flags.add(_FLAGS[argument])
        else:
            rest.append(argument)
    _check_choice("--lang", values.get("language"), LANGUAGES)
    _check_choice("--color", values.get("color"), COLORS)
    _check_choice("--log-format", values.get("log_format"), LOG_FORMATS)
    language = values.get("language") or environment.get("PORTALOPS_LANG")
    return Invocation(
        arguments=tuple(rest),
        config=Path(values["config"]) if "config" in values else None,
        language=language if language in LANGUAGES else None,
        json="json" in flags,
        quiet="quiet" in flags,
        verbose="verbose" in flags,
        no_input="no_input" in flags,
        color=values.get("color", "auto"),
        log_format=values.get("log_format"),
        debug="debug" in flags,
    )


_VALUES = {"--config": "config", "--lang": "language", "--color": "color", "--log-format": "log_format"}
_FLAGS = {
    "--json": "json",
    "--quiet": "quiet",
    "-q": "quiet",
    "--verbose": "verbose",
    "-v": "verbose",
    "--no-input": "no_input",
    "--debug": "debug",
}
_HELP_HINT = msg("Run 'portalops --help' to see what each option takes.")


def _check_choice(option: str, value: str | None, choices: Sequence[str]) -> None:
    if value is not None and value not in choices:
        raise UsageError(
            msg("{option} does not take {value}", option=option, value=value[:40]),
            msg("It takes one of: {choices}.", choices=", ".join(choices)),
        )
