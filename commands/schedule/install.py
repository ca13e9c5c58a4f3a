"""Let systemd timers or cron start the jobs that are due

The units are derived from the configuration: each may read and write what its jobs need and little else, and each
failure is reported by 'portalops notify'. A second call changes nothing. A file that was edited by hand, or that
somebody else made, is never overwritten without --force; your own changes belong into UNIT.d/local.conf, which is
never touched.

Example: portalops schedule install --print; sudo portalops --config /etc/portalops/portalops.toml schedule install
--systemd

EXIT STATUS: 0 installed, or as it should be already; 1 with --dry-run, a file is in the way; 2 wrong usage; 4
refused, and nothing was changed; 78 the configuration is wrong
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.schedule_change import Action, FileChange, Installer, absent_folders, made_folders, require_ready
from commands.jobs.schedule_demands import demands_of, require_visible
from commands.schedule.options import DryRun, RootOption
from commands.schedule.steps import (
    ShownChange,
    change_data,
    changes_table,
    install_places,
    installed_command,
    planned_table,
)
from portalops.errors import ExitCode, ScheduleRefused, UsageError
from portalops.locale import _
from portalops.model.message import Message, msg, nmsg
from portalops.reports.document import Block, Paragraph, Verbatim
from portalops.schedule.crontab import cron_file
from portalops.schedule.plan import Demands
from portalops.schedule.units import UnitFile, unit_files

SUDOERS = Path("/etc/sudoers.d/portalops")


@shape
class PrintedUnit:
    """A file that would be installed."""

    id: str
    path: str
    text: str


def install(
    ctx: typer.Context,
    *,
    systemd: Annotated[bool, typer.Option("--systemd", help=_("By systemd timers; the default"))] = False,
    cron: Annotated[bool, typer.Option("--cron", help=_("By a file in /etc/cron.d"))] = False,
    print_only: Annotated[bool, typer.Option("--print", help=_("Print the files, and do nothing"))] = False,
    dry_run: DryRun = False,
    force: Annotated[
        bool, typer.Option("--force", help=_("Overwrite files that were edited or made by others"))
    ] = False,
    root: RootOption = None,
) -> Result[tuple[ShownChange, ...] | tuple[PrintedUnit, ...]]:
    session = open_session(ctx)
    if systemd and cron:
        raise UsageError(msg("--systemd and --cron exclude each other"), msg("Take the one that this machine has."))
    places = install_places(root)
    demands = _demands(session, root, lenient=print_only)
    planned = _files(demands, by_cron=cron)
    if print_only:
        return _printed(planned, places.cron if cron else places.units)
    installer = Installer(session.runner, places, root=root)
    changes = installer.changes(planned, by_cron=cron, force=force)
    if dry_run:
        return _shown(changes)
    installer.require_one_way(by_cron=cron)
    installer.require_allowed(changes)
    installer.require_writable(installed_command(session), by_cron=cron)
    if not cron:
        require_visible(demands)
    ready: AbstractContextManager[None] = nullcontext()
    if root is None:
        require_ready(session.runner, demands, by_cron=cron)
        ready = made_folders(session.runner, demands)
    with ready:
        changed = installer.install_cron(changes) if cron else installer.install_units(changes)
    warnings = _warnings(demands, changes, by_cron=cron) if root is None else ()
    return _installed(changes, demands, warnings, changed=changed)


def _demands(session: Session, root: Path | None, *, lenient: bool) -> Demands:
    """Return what is to be installed; `lenient` where nothing will be, and whoever asks may not see the credentials.

    An image is looked at from outside: paths of its configuration are those that they are in there.
    """
    top = Path(os.path.abspath(root or "/"))
    try:
        return demands_of(session.settings, top=top)
    except ScheduleRefused:
        if not lenient:
            raise
        return demands_of(session.settings, encrypted=(), top=top)


def _files(demands: Demands, *, by_cron: bool) -> Sequence[UnitFile]:
    """Return the files.

    Raises:
        ScheduleRefused: nothing is planned.
    """
    planned = cron_file(demands) if by_cron else None
    files = ((planned,) if planned else ()) if by_cron else unit_files(demands)
    if not files:
        raise ScheduleRefused(
            msg("the configuration plans no job, so there is nothing to install"),
            msg("Add [[job]] tables, or [[witness.ledger]] ones, and run 'portalops config check'."),
        )
    return files


def _printed(planned: Sequence[UnitFile], folder: Path) -> Result[tuple[PrintedUnit, ...]]:
    data = tuple(PrintedUnit(file.name, str(folder / file.name), file.data.decode()) for file in planned)
    if len(planned) == 1:
        return Result(data, [Verbatim(planned[0].data.decode())])
    return Result(data, [Verbatim(f"# {folder / file.name}\n{file.data.decode()}") for file in planned])


def _shown(changes: Sequence[FileChange]) -> Result[tuple[ShownChange, ...]]:
    refused = any(change.action is Action.REFUSED for change in changes)
    view: list[Block] = [planned_table(changes)]
    view += [
        Verbatim(change.diff())
        for change in changes
        if change.old and change.new and change.action is not Action.UNCHANGED
    ]
    return Result(
        tuple(change_data(change) for change in changes), view, exit_code=ExitCode.UNMET if refused else ExitCode.OK
    )


def _installed(
    changes: Sequence[FileChange], demands: Demands, warnings: Iterable[Message], *, changed: bool
) -> Result[tuple[ShownChange, ...]]:
    view: list[Block] = [changes_table(changes, msg("Files of the schedule"))]
    if changed:
        view.append(
            Paragraph(
                nmsg(
                    "Each minute it is looked what is due, as {user}. See how it stands: portalops schedule status",
                    "Every {n} minutes it is looked what is due, as {user}. See how it stands: portalops schedule status",
                    demands.every_minutes,
                    user=demands.user,
                )
            )
        )
    else:
        view.append(Paragraph(msg("Everything is installed already; nothing was changed.")))
    return Result(tuple(change_data(change) for change in changes), view, tuple(warnings))


def _warnings(demands: Demands, changes: Iterable[FileChange], *, by_cron: bool) -> Sequence[Message]:
    warnings = [
        msg(
            "{path} is not there now; what is written to it fails until it is there and {user} may write it",
            path=path,
            user=demands.user,
        )
        for path in absent_folders(demands)
    ]
    if by_cron and demands.checks_this_machine and demands.user != "root" and not os.path.lexists(SUDOERS):
        warnings.append(
            msg(
                "{user} may run nothing as root here, so what only root can see stays unknown: install what 'portalops host"
                " sudoers --user {user}' prints as {path}",
                user=demands.user,
                path=str(SUDOERS),
            )
        )
    if by_cron and demands.reads_this_machine and demands.user != "root":
        warnings.append(
            msg(
                "under cron {user} reads only what it may: sources that belong to others are incomplete; systemd gives backups"
                " the right to read",
                user=demands.user,
            )
        )
    warnings += [
        msg("{path} was edited by hand, is not needed any more, and is left alone", path=change.file.path)
        for change in changes
        if change.action is Action.KEPT
    ]
    return warnings


VERB = Verb(install)
