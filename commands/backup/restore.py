"""Restore a set into an empty folder, or hand one stream to a program

Needs the private key of a recipient. Looks for the set in the ledger and, where there is no ledger any more, on the
media themselves. Every pack is checked on the way, and nothing is written outside the folder. Of a set on several
discs, copy the folders into one first and make that a medium of the kind disk. With --stdout one stream goes to the
program that reads standard output, each pack checked before; if this command fails, throw away what the program made
of it.

Example: portalops backup restore latest --to /srv/restored --identity /media/key/operator.age; portalops backup
restore latest --to out --identity key --path etc/hosts; portalops backup restore latest --source portal-db --stream
portal --stdout --identity key | pg_restore -d scratch

EXIT STATUS: 0 restored, 3 something could not be made, 4 nothing was restored or not the whole stream, 5 the copy is
damaged
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backups.age import read_identities
from backups.restore import restore_set
from backups.verify import verify_copy
from commands.backup.options import MediumOption, OptionalSetArgument
from commands.backup.views import restore_data, restore_view, signed_by
from commands.cli.result import JsonValue, Result
from commands.cli.session import Session, open_session
from commands.cli.verb import Verb
from commands.jobs.restore_target import require_target_apart
from commands.jobs.sets import base_of, find_set, keys_of, media_of, recorded_sets_of
from commands.jobs.stream_out import check_usage, stream_out_stream
from portalops.errors import ExitCode, PortalOpsError, SetDamaged, SetNotFound, SetOfLaterVersion, UsageError
from portalops.locale import _
from portalops.model.backups import CopyState, SetId, VerifyLevel
from portalops.model.message import Message, msg, verbatim

if TYPE_CHECKING:
    from backups.verify import Findings
    from portalops.ports import Medium, StoredSet
    from portalops.registers.backups import SetEvidence


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
    path: Annotated[str | None, typer.Option("--path", help=_("Only this file or folder, such as etc/hosts"))] = None,
) -> Result[JsonValue]:
    session = open_session(ctx)
    if to is None or stdout:
        check_usage(session, stdout=stdout, has_folder=to is not None, has_path=path is not None)
    elif stream is not None:
        raise UsageError(
            msg("--stream goes with --stdout"), msg("A folder takes all streams of a source; leave --stream out.")
        )
    identities = read_identities(identity)
    uncompared = [] if to is None else require_target_apart(session, to)
    set_id, made = _known(session, set_name or "latest", medium)
    stored, findings, warnings = _best_copy(session, set_id, made, medium)
    warnings += uncompared
    if findings.content is None:
        raise SetDamaged(
            msg("set {set} cannot be restored: {problems}", set=set_id, problems="; ".join(findings.problems[:3])),
            findings.hint or msg("Name another copy by --medium."),
        )
    if made is None:
        warnings += _unknown_set(set_id, findings.content.signer)
    warnings += [verbatim(problem) for problem in findings.problems]
    if to is None:
        stream_out_stream(session, stored, findings.content, identities, source=source, name=stream)
        return Result(None, (), warnings, ExitCode.INTEGRITY if findings.problems else ExitCode.OK)
    base, missing = base_of(media_of(session).values(), findings.content)
    warnings += missing
    total = sum(each.plain_bytes for each in findings.content.streams if source in {None, each.source})
    title = msg("Restoring")
    with session.progress.task(title, total=None if path else total, unit="bytes") as task:
        report = restore_set(
            stored, findings.content, identities, to, source=source, path=path, base=base, on_bytes=task.advance
        )
    exit_code = ExitCode.PARTIAL if report.refused else ExitCode.OK
    if report.damaged or findings.problems:
        exit_code = ExitCode.INTEGRITY
    return Result(restore_data(report, set_id, str(to)), restore_view(report, set_id, str(to)), warnings, exit_code)


def _unknown_set(set_id: SetId, signer: str) -> list[Message]:
    """Say what it means that no ledger knows a set."""
    told = msg("the ledger does not know set {set}, so it was not compared with what was recorded", set=set_id)
    key = signed_by(signer)
    if key is None:
        return [told, msg("set {set} is unsigned, so nothing tells who made it", set=set_id)]
    return [
        told,
        msg(
            "set {set} is signed by the key {key}: compare it with the allowed_signers of a bundle that somebody kept",
            set=set_id,
            key=key,
        ),
    ]


def _known(session: Session, name: str, medium: str | None) -> tuple[SetId, SetEvidence | None]:
    """Return a set's name and what the ledger knows of it; from the media alone where no ledger knows it."""
    try:
        made = find_set(recorded_sets_of(session), name)
    except PortalOpsError as error:
        if isinstance(error, UsageError):
            raise
        there = sorted(
            {found for each in media_of(session).values() if medium in {None, each.id} for found in _sets_on(each)},
            key=_made_at,
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


def _made_at(set_id: SetId) -> str:
    """Return the stamp in a set's name: `<portal>-<stamp>-<kind>-<id>`."""
    return set_id.rsplit("-", 3)[1] if set_id.count("-") >= 3 else ""


def _best_copy(
    session: Session, set_id: SetId, made: SetEvidence | None, medium: str | None
) -> tuple[StoredSet, Findings, list[Message]]:
    """Return the first copy whose structure is whole, or else the first that opens; what stood in the way is told."""
    media = media_of(session)
    if medium is not None and medium not in media:
        raise UsageError(
            msg("there is no backup medium {medium}", medium=medium[:80]),
            msg("The media are: {media}.", media=", ".join(media) or "-"),
        )
    if not media:
        raise SetNotFound(msg("no backup medium is configured"), msg("Add [[backup.medium]] to the configuration."))
    damaged = {copy.medium for copy in made.copies if copy.state is CopyState.DAMAGED} if made else set()
    bag_sha256 = made.set.bag_sha256 if made else None
    keys = keys_of(session) if made else None
    opened: list[tuple[StoredSet, Findings]] = []
    problems: list[PortalOpsError] = []
    for each in sorted(media.values(), key=lambda one: one.id in damaged):
        if medium in {None, each.id}:
            try:
                stored = each.open_set(set_id)
                findings = verify_copy(stored, set_id, bag_sha256=bag_sha256, level=VerifyLevel.L1, keys=keys)
            except PortalOpsError as error:
                problems.append(error)
                continue
            opened.append((stored, findings))
            if not findings.problems:
                break
    if not opened:
        raise next((each for each in problems if isinstance(each, SetOfLaterVersion)), problems[0])
    stored, findings = opened[-1] if not opened[-1][1].problems else opened[0]
    return stored, findings, [error.message for error in problems]


VERB = Verb(restore)
