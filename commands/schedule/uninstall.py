"""Stop, switch off and remove what 'schedule install' put in place

Only unedited files of portalops's own are removed. What was edited, and UNIT.d folders, are left and named.

Example: portalops schedule uninstall --dry-run; sudo portalops schedule uninstall

EXIT STATUS: 0 removed, or nothing was there; 3 a file was left alone; 4 refused, and nothing was changed
"""

from __future__ import annotations

import typer

from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from commands.jobs.schedule_change import Action, Installer
from commands.schedule.options import DryRun, RootOption
from commands.schedule.steps import (
    ShownChange,
    change_data,
    changes_table,
    install_places,
    installed_command,
    planned_table,
)
from portalops.errors import ExitCode
from portalops.model.message import msg
from portalops.reports.document import Block, Paragraph


def uninstall(
    ctx: typer.Context, *, dry_run: DryRun = False, root: RootOption = None
) -> Result[tuple[ShownChange, ...]]:
    session = open_session(ctx)
    installer = Installer(session.runner, install_places(root), root=root)
    changes = installer.removals()
    if not dry_run and any(change.action is Action.REMOVED for change in changes):
        for by_cron in {change.file.name == "portalops" for change in changes if change.action is Action.REMOVED}:
            installer.require_writable(installed_command(session), by_cron=by_cron)
        installer.remove(changes)
    kept = [change for change in changes if change.action is Action.KEPT]
    warnings = [
        msg("{path} was edited or made by somebody else, and is left alone", path=change.file.path) for change in kept
    ]
    warnings += [
        msg("{path} is yours, and is left alone", path=path) for change in changes for path in change.file.drop_ins
    ]
    view: list[Block] = (
        [planned_table(changes) if dry_run else changes_table(changes, msg("Files of the schedule"))] if changes else []
    )
    if not any(change.action is Action.REMOVED for change in changes):
        view.append(Paragraph(msg("Nothing of portalops's own is installed.")))
    elif not dry_run:
        view.append(Paragraph(msg("From now on nothing is started by itself.")))
    return Result(
        tuple(change_data(change) for change in changes), view, warnings, ExitCode.PARTIAL if kept else ExitCode.OK
    )


VERB = Verb(uninstall)
