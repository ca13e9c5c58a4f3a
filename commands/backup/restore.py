"""Restore a set into an empty folder or in place, or stream one out to a program

Needs the private key of a recipient. Looks for the set in the ledger and, where there is no ledger any more, on the
media themselves. Every pack is checked and comes from whichever medium has it whole; copies that it found damaged on
the way are named at the end. A pack that no medium has costs the files in it alone: RESTORE-UNFINISHED.txt in the
folder lists each missing path with the reason. Nothing is written outside the folder. If a set lies on several discs, copy their
folders into one first, and configure that as a medium of the kind disk. With --stdout one stream goes to the program
behind the pipe; each pack is checked first. If this command fails, discard what that program made.

--into restores files of one source into a folder that has other files, each at its path below it: --into / brings them
back to where they were. A file that is there and has the same content, mode and owner stays; one that differs is kept,
or replaced as a whole with --overwrite. Nothing is removed, no link is followed, and folders that are there keep their
mode. See what would happen by --dry-run first, which reads no pack with contents.

Example: portalops backup restore latest --to /srv/restored --identity /media/key/operator.age; portalops backup
restore latest --to out --identity key --path etc/hosts --path 'srv/*.conf'; portalops backup restore latest --into /
--source settings --path srv/portal/portal.ini --identity key --overwrite --dry-run; portalops backup restore latest
--source portal-db --stream portal --stdout --identity key | pg_restore -d scratch

EXIT STATUS: 0 restored; with --dry-run even if files that differ would be kept; 3 something is missing or a file that differs
was kept, 4 nothing was restored, 5 every copy is damaged: nothing could be restored, or not the whole stream; or the set
is not the recorded one
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backups.age import read_identities
from backups.in_place import Overlay, restore_in_place
from backups.media import build_media
from backups.restore import restore_set
from commands.backup.options import MediumOption, OptionalSetArgument
from commands.backup.views import RestoredInPlace, RestoredSet, overlay_data, overlay_view, restore_data, restore_view
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from commands.jobs.opened_sets import damage, find_by_name, open_set
from commands.jobs.restore_target import guarded_in_place, require_target_apart
from commands.jobs.sets import keys_of
from commands.jobs.stream_out import check_usage, stream_out_stream
from portalops.errors import ExitCode, UsageError
from portalops.locale import _
from portalops.model.message import msg

if TYPE_CHECKING:
    from backups.in_place import OverlayReport
    from backups.restore import RestoreReport


def restore(
    ctx: typer.Context,
    set_name: OptionalSetArgument,
    *,
    identity: Annotated[
        Path, typer.Option("--identity", metavar="FILE", help=_("File with a private key of a recipient"))
    ],
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FOLDER", help=_("Folder to restore into; empty or not there yet"))
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option("--into", metavar="FOLDER", help=_("Folder with other files to restore into, such as /")),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help=_("With --into: replace files that differ"))] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=_("With --into: show what would be done, and do nothing"))
    ] = False,
    stdout: Annotated[bool, typer.Option("--stdout", help=_("Write one stream to standard output instead"))] = False,
    medium: MediumOption = None,
    source: Annotated[str | None, typer.Option("--source", help=_("Only this source"))] = None,
    stream: Annotated[
        str | None, typer.Option("--stream", metavar="NAME", help=_("With --stdout: this stream of the source"))
    ] = None,
    path: Annotated[
        list[str] | None,
        typer.Option(
            "--path",
            help=_("Only this file or folder, such as etc/hosts, or a pattern ([*] is a star itself); may be repeated"),
        ),
    ] = None,
    as_root: Annotated[
        bool,
        typer.Option(
            "--as-root",
            help=_("As root: give back devices, set-user-ID bits and capabilities; only of a set you trust"),
        ),
    ] = False,
) -> Result[RestoredSet | RestoredInPlace | None]:
    session = open_session(ctx)
    folders = (to is not None) + (into is not None)
    if stdout or folders != 1:
        check_usage(stdout=stdout, folders=folders, has_path=path is not None, json=session.invocation.json)
    elif stream is not None:
        raise UsageError(
            msg("--stream goes with --stdout"), msg("A folder takes all streams of a source; leave --stream out.")
        )
    if (overwrite or dry_run) and into is None:
        raise UsageError(
            msg("{option} goes with --into", option="--overwrite" if overwrite else "--dry-run"),
            msg("A folder for --to is empty, so nothing in it can be overwritten."),
        )
    if as_root and to is None:
        raise UsageError(
            msg("--as-root goes with --to"), msg("In place, rights are left as they are: leave --as-root out.")
        )
    if as_root and os.geteuid() != 0:
        raise UsageError(msg("--as-root needs root"), msg("Run it as root, or leave --as-root out."))
    identities = read_identities(identity)
    uncompared = [] if to is None else require_target_apart(session.settings, to)
    media = build_media(session.settings.backup_media)
    found = find_by_name(session.reader, media, set_name or "latest", medium)
    keys = keys_of(session.reader, session.warnings.append) if found.made else None
    opened = open_set(found, media, keys, only=medium, with_base=not stdout)
    copies, set_id = opened.copies, found.id
    warnings = [*uncompared, *opened.warnings, *opened.lacks]
    if into is not None:
        opened.require_base(source)
        guarded = guarded_in_place(session.settings, into)
        how = Overlay(overwrites=overwrite, is_dry=dry_run, guarded=guarded)
        with session.progress.task(msg("Restoring"), total=None, unit="bytes") as task:
            done = restore_in_place(
                copies,
                identities,
                into,
                source=source,
                paths=path or (),
                base=opened.base,
                how=how,
                on_bytes=task.advance,
            )
        return Result(
            overlay_data(done, set_id, str(into), how),
            overlay_view(done, set_id, str(into), how),
            [*warnings, *damage(done.faults)],
            _exit_code_in_place(done, how, is_vouched=opened.is_vouched),
        )
    if to is None:
        compares = found.made is None
        stream_out_stream(copies, identities, source=source, name=stream, compares=compares, progress=session.progress)
        code = ExitCode.OK if opened.is_vouched else ExitCode.INTEGRITY
        return Result(None, (), [*warnings, *damage(copies.faults)], code)
    opened.require_base(source)
    total = sum(each.plain_bytes for each in copies.content.streams if source in {None, each.source})
    with session.progress.task(msg("Restoring"), total=None if path else total, unit="bytes") as task:
        report = restore_set(
            copies,
            identities,
            to,
            source=source,
            paths=path or (),
            base=opened.base,
            as_root=as_root,
            compares=found.made is None,
            on_bytes=task.advance,
        )
    return Result(
        restore_data(report, set_id, str(to)),
        restore_view(report, set_id, str(to)),
        [*warnings, *damage(report.faults)],
        _exit_code(report, is_vouched=opened.is_vouched),
    )


def _exit_code(report: RestoreReport, *, is_vouched: bool) -> ExitCode:
    if not is_vouched:
        return ExitCode.INTEGRITY
    if not report.missing:
        return ExitCode.OK
    if report.files:
        return ExitCode.PARTIAL
    return ExitCode.INTEGRITY if report.damaged else ExitCode.FAILED


def _exit_code_in_place(report: OverlayReport, how: Overlay, *, is_vouched: bool) -> ExitCode:
    if not is_vouched or (report.damaged and not report.files):
        return ExitCode.INTEGRITY
    is_kept = report.differing.count and not how.overwrites and not how.is_dry
    return ExitCode.PARTIAL if report.missing or report.damaged or report.refused or is_kept else ExitCode.OK


VERB = Verb(restore, version=2)
