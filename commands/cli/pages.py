"""The pages that are shown without importing a verb: all commands, a noun's verbs, the version."""

from __future__ import annotations

from commands.cli.catalogue import names, summary, verbs_of
from commands.cli.invocation import GLOBAL_OPTIONS
from commands.cli.result import JsonValue, Result
from portalops import __version__
from portalops.errors import ExitCode
from portalops.model.message import msg, verbatim
from portalops.reports.document import Heading, KeyValues, Paragraph


def version_page() -> Result[JsonValue]:
    """Say which version this is."""
    return Result({"version": __version__}, [Paragraph(verbatim(f"portalops {__version__}"))])


def help_page() -> Result[JsonValue]:
    """List the commands and the options that all of them understand."""
    summaries = {name: summary(name) for name in names()}
    view = (
        Paragraph(msg("portalops does, proves and reports the duties of a public portal's managing unit.")),
        Paragraph(msg("Usage: portalops COMMAND [ARGUMENTS] [OPTIONS]")),
        Heading(2, msg("Commands")),
        KeyValues([(verbatim(name), verbatim(text)) for name, text in summaries.items()]),
        Heading(2, msg("Options of every command")),
        KeyValues([(verbatim(option), text) for option, text in GLOBAL_OPTIONS]),
        Heading(2, msg("Exit status")),
        KeyValues([(verbatim(str(int(code))), code.meaning) for code in ExitCode]),
        Paragraph(msg("'portalops COMMAND --help' says more; 'portalops explain CODE' explains an error or a check.")),
    )
    return Result([{"id": name, "summary": text} for name, text in summaries.items()], view)


def noun_page(called: str) -> Result[JsonValue]:
    """List what can be done with a noun."""
    verbs = verbs_of(called)
    view = (
        Paragraph(verbatim(f"{summary(called)}.")),
        Paragraph(msg("Usage: {command} VERB [ARGUMENTS] [OPTIONS]", command=f"portalops {called}")),
        Heading(2, msg("Verbs")),
        KeyValues([(verbatim(verb), verbatim(text)) for verb, text in verbs.items()]),
        Paragraph(msg("'{command} VERB --help' says more.", command=f"portalops {called}")),
    )
    return Result([{"id": verb, "summary": text} for verb, text in verbs.items()], view)
