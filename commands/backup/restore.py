"""Restore a set into an empty folder, or stream one out to a program

Needs the private key of a recipient. Looks for the set in the ledger and, where there is no ledger any more, on the
media themselves. Every pack is checked and comes from whichever medium has it whole; the copies that are damaged are
named at the end. A pack that no medium has costs the files in it alone: RESTORE-UNFINISHED.txt in the folder lists
each missing path with the reason. Nothing is written outside the folder. If a set lies on several discs, copy their
folders into one first, and configure that as a medium of the kind disk. With --stdout one stream goes to the program
behind the pipe; each pack is checked first. If this command fails, discard what that program made.

Example: portalops backup restore latest --to /srv/restored --identity /media/key/operator.age; portalops backup
restore latest --to out --identity key --path etc/hosts --path 'srv/*.conf'; portalops backup restore latest --source portal-db --stream
portal --stdout --identity key | pg_restore -d scratch

EXIT STATUS: 0 restored, 3 something is missing, 4 nothing was restored or not the whole stream, 5 nothing could be
restored since every copy is damaged, or the set is not the recorded one
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backups.age import read_identities
from backups.media import build_media
from backups.merged import merge_base, merge_copies
from backups.prune import made_at
from backups.restore import restore_set
from commands.backup.options import MediumOption, OptionalSetArgument
from commands.backup.views import RestoredSet, restore_data, restore_view, signed_by
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from commands.jobs.restore_target import require_target_apart
from commands.jobs.sets import keys_of
from commands.jobs.stream_out import check_usage, stream_out_stream
from portalops.errors import ExitCode, PortalOpsError, SetNotFound, UsageError
from portalops.locale import _
from portalops.model.backups import CopyState, SetId
from portalops.model.message import Message, msg
from portalops.registers.backups import find_set, recorded_sets

if TYPE_CHECKING:
    from backups.merged import CopyFault
    from backups.restore import RestoreReport
    from portalops.ports import LedgerReader, Medium
    from portalops.registers.backups import SetEvidence


MAX_FAULTS = 20
"""How many faults of copies a person is shown."""


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
    stdout: Annotated[bool, typer.Option("--stdout", help=_("Write one stream to standard output instead"))] = False,
    medium: MediumOption = None,
    source: Annotated[str | None, typer.Option("--source", help=_("Only this source"))] = None,
    stream: Annotated[
        str | None, typer.Option("--stream", metavar="NAME", help=_("With --stdout: this stream of the source"))
    ] = None,
    path: Annotated[
        list[str] | None,
        typer.Option("--path", help=_("Only this file or folder, such as etc/hosts, or a pattern; may be repeated")),
    ] = None,
    as_root: Annotated[
        bool,
        typer.Option(
            "--as-root",
            help=_("As root: give back devices, set-user-ID bits and capabilities; only of a set you trust"),
        ),
    ] = False,
) -> Result[RestoredSet | None]:
    session = open_session(ctx)
    if to is None or stdout:
        check_usage(stdout=stdout, has_folder=to is not None, has_path=path is not None, json=session.invocation.json)
    elif stream is not None:
        raise UsageError(
            msg("--stream goes with --stdout"), msg("A folder takes all streams of a source; leave --stream out.")
        )
    if as_root and os.geteuid() != 0:
        raise UsageError(msg("--as-root needs root"), msg("Run it as root, or leave --as-root out."))
    identities = read_identities(identity)
    uncompared = [] if to is None else require_target_apart(session.settings, to)
    media = build_media(session.settings.backup_media)
    set_id, made = _known(session.reader, media, set_name or "latest", medium)
    keys = keys_of(session.reader, session.warnings.append) if made else None
    merged = merge_copies(
        set_id, _ordered(media, made, medium), bag_sha256=made.set.bag_sha256 if made else None, keys=keys
    )
    copies, content = merged.set, merged.set.content
    warnings = list(uncompared)
    if made is None:
        warnings += _unknown_set(set_id, content.signer)
    if not merged.findings.is_vouched:
        warnings += merged.findings.said
    if to is None:
        stream_out_stream(copies, identities, source=source, name=stream, progress=session.progress)
        code = ExitCode.OK if merged.findings.is_vouched else ExitCode.INTEGRITY
        return Result(None, (), [*warnings, *_damage(copies.faults)], code)
    base, missing = merge_base(content, _preferred(media, medium))
    if base is None:
        warnings += [each.shown for each in missing[:3]]
    total = sum(each.plain_bytes for each in content.streams if source in {None, each.source})
    with session.progress.task(msg("Restoring"), total=None if path else total, unit="bytes") as task:
        report = restore_set(
            copies, identities, to, source=source, paths=path or (), base=base, as_root=as_root, on_bytes=task.advance
        )
    return Result(
        restore_data(report, set_id, str(to)),
        restore_view(report, set_id, str(to)),
        [*warnings, *_damage(report.faults)],
        _exit_code(report, is_vouched=merged.findings.is_vouched),
    )


def _exit_code(report: RestoreReport, *, is_vouched: bool) -> ExitCode:
    if not is_vouched or (report.damaged and not report.files):
        return ExitCode.INTEGRITY
    return ExitCode.PARTIAL if report.missing or report.damaged else ExitCode.OK


def _damage(faults: Sequence[CopyFault]) -> list[Message]:
    """Say which copies are damaged, or could not be read, though others may have had what they lack."""
    said = []
    for each in faults[:MAX_FAULTS]:
        found = msg(
            "the copy of {set} on {medium} could not be read: {problem}",
            set=each.set_id,
            medium=each.medium,
            problem=each.problem,
        )
        if each.is_damage:
            found = msg(
                "the copy of {set} on {medium} is damaged: {problem}; 'portalops backup verify {set}' records it",
                set=each.set_id,
                medium=each.medium,
                problem=each.problem,
            )
        said.append(found)
    if len(faults) > MAX_FAULTS:
        said.append(msg("... and {more} more", more=len(faults) - MAX_FAULTS))
    return said


def _preferred(media: Mapping[str, Medium], first: str | None) -> list[Medium]:
    """Return all media, the one that a person named first: the base may lie elsewhere than the set."""
    return sorted(media.values(), key=lambda each: each.id != first)


def _unknown_set(set_id: SetId, signer: str) -> list[Message]:
    """Say what it means that no ledger knows a set."""
    told = msg("the ledger does not know set {set}, so it was not compared with what was recorded", set=set_id)
    key = signed_by(signer)
    if key is None:
        return [told, msg("set {set} is unsigned, so its maker is unknown", set=set_id)]
    return [
        told,
        msg(
            "set {set} is signed by the key {key}: compare it with allowed_signers of a bundle kept elsewhere",
            set=set_id,
            key=key,
        ),
    ]


def _known(
    ledger: LedgerReader, media: Mapping[str, Medium], name: str, medium: str | None
) -> tuple[SetId, SetEvidence | None]:
    """Return a set's name and what the ledger knows of it; from the media alone where no ledger knows it."""
    try:
        made = find_set(recorded_sets(ledger), name)
    except PortalOpsError as error:
        if isinstance(error, UsageError):
            raise
        there = sorted(
            {found for each in media.values() if medium in {None, each.id} for found in _sets_on(each)}, key=made_at
        )
        matching = there[-1:] if name == "latest" else [found for found in there if found.startswith(name)]
        if len(matching) != 1:
            raise
        return matching[0], None
    return made.set.id, made


def _sets_on(medium: Medium) -> tuple[SetId, ...]:
    try:
        return medium.sets()
    except PortalOpsError:
        return ()  # the medium is told of when nothing is found


def _ordered(media: Mapping[str, Medium], made: SetEvidence | None, only: str | None) -> list[Medium]:
    """Return the media in the order in which a copy is looked for: those with a damaged one last.

    Raises:
        UsageError: there is no such medium.
        SetNotFound: there is none at all.
    """
    if only is not None and only not in media:
        raise UsageError(
            msg("there is no backup medium {medium}", medium=only[:80]),
            msg("The media are: {media}.", media=", ".join(media) or "-"),
        )
    if not media:
        raise SetNotFound(msg("no backup medium is configured"), msg("Add [[backup.medium]] to the configuration."))
    damaged = {copy.medium for copy in made.copies if copy.state is CopyState.DAMAGED} if made else set()
    return sorted((each for each in media.values() if only in {None, each.id}), key=lambda one: one.id in damaged)


VERB = Verb(restore, version=2)
