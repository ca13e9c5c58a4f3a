"""Arguments and options that the verbs share, and what they accept."""

from __future__ import annotations

from collections.abc import Sequence

from commands.cli.session import Session
from portalops.errors import UsageError
from portalops.model.message import msg
from portalops.model.organisation import HostId, UnitId
from portalops.model.text import show_text
from portalops.reports.material import ReportScope
from portalops.reports.named import load_report, report_names

MOST_NAMED = 20
"""How many units or hosts a hint names."""


def scope_option(session: Session, name: str, *, unit: str | None, host: str | None) -> ReportScope:
    """Return what a report is asked to be cut down to.

    Raises:
        UnknownReport: there is no such report.
        UsageError: the report cannot be cut down so, both are given, or there is no such unit or host.
    """
    can = load_report(name).scopes
    known = {
        "unit": [str(each.id) for each in session.settings.units],
        "host": [str(each.id) for each in session.settings.hosts],
    }
    given = {option: value for option, value in (("unit", unit), ("host", host)) if value is not None}
    if len(given) > 1:
        raise UsageError(msg("a report covers one unit or one host, not both"), msg("Give --unit or --host."))
    for option, value in given.items():
        if option not in can:
            raise UsageError(
                msg("the report {name} cannot be limited by --{option}", name=name, option=option),
                msg(
                    "These can: {names}. 'portalops report list' shows the limits of each.",
                    names=", ".join(each for each in report_names() if option in load_report(each).scopes),
                ),
            )
        if value not in known[option]:
            raise _unknown(option, show_text(value, 60), known[option])
    return ReportScope(UnitId(unit) if unit else None, HostId(host) if host else None)


def _unknown(option: str, value: str, known: Sequence[str]) -> UsageError:
    """Return what is said of a unit or host that is not there, with some of those that are."""
    if option == "unit":
        message = msg("there is no unit {value}", value=value)
    else:
        message = msg("there is no host {value}", value=value)
    if not known:
        return UsageError(message, msg("The configuration names none yet."))
    shown = ", ".join(known[:MOST_NAMED])
    if len(known) > MOST_NAMED:
        shown += ", ..."
    return UsageError(message, msg("Choose one of: {names}.", names=shown))
