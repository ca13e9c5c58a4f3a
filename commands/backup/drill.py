"""Restore a copy and try it out

Chooses a verified copy at random and restores all of it into a scratch folder. Databases are tried out in throw-away
servers, files are compared with the index. The time is measured, and everything is removed. Needs a private key,
which a person brings: the host that is backed up holds none. The ledger of a recovery host knows no set: there
--signers names who signs the portal's sets, and they are taken from the media. --report writes a signed report there,
and --import records it on the portal's host.

Example: portalops backup drill --identity /media/key/operator.age; portalops backup drill latest --medium disk-a
--identity key; portalops backup drill --signers allowed_signers --report drill.json; portalops backup drill --import
drill.json

EXIT STATUS: 0 everything was there and could be used, 2 the report is recorded already, 3 the medium could not be
reached, or something could not be tried out here, 4 no drill could be done, 5 the copy is damaged or cannot be used,
a set is not the portal's, or a report is not valid
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, TypedDict

import typer

from backups.drill import require_space
from backups.media import build_media
from backups.restore_script import SCRIPT
from commands.backup.views import MAX_LISTED, CopyShape, copies_data, copies_table
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.drill_reports import read_report, take_up
from commands.jobs.kinds.drill import DrillRequest, drill_work, target_of
from commands.jobs.performed import ShownJob
from commands.jobs.runner import perform_now
from portalops.config.layers import show_path
from portalops.errors import ExitCode, SetNotFound, UsageError
from portalops.locale import _
from portalops.model.backups import CopyState, DrillResult, ScriptRun, VerifyLevel
from portalops.model.causes import line_of_record
from portalops.model.message import Message, msg, together, verbatim
from portalops.model.reading import level_word
from portalops.model.runs import JobKind, Resource
from portalops.reports.document import Block, ByteSize, KeyValues, Notice, Paragraph, TableBlock, Tone
from portalops.signatures.sshsig import fingerprint


@shape
class TriedStream:
    """A restored stream that was tried out."""

    id: str
    level: VerifyLevel
    asked: str
    """What was asked of it, such as `41 tables, 120344 rows`; empty if it was only restored."""
    problems: tuple[str, ...]
    not_tried: str
    """Why it could not be tested here, which is no fault of the copy; empty if it was."""


@shape
class TriedScript:
    """The set's own `restore.sh`, as a stranger runs it."""

    problems: tuple[str, ...]
    """What stopped it, or what it restored otherwise than it was backed up."""
    not_run: str
    """Why it was not run, which is no fault of the copy; empty if it was."""
    took_ms: int


@shape
class DrillShape:
    """A copy that was restored and tried out."""

    copies: tuple[CopyShape, ...]
    plain_bytes: int
    """Restored, of the base too."""
    restore_ms: int
    trial_ms: int
    chosen_by: str
    """`chance`, or `person` for a set or medium that somebody named."""
    trials: tuple[TriedStream, ...]
    script: TriedScript | None
    """Null in drills of earlier versions, and where the drill ended before it."""


@shape
class DoneDrill(DrillShape):
    """A drill that was done on this host."""

    report: Path | None
    """The signed report."""


@shape
class ImportedDrillShape(DrillShape):
    """A drill that a recovery host reported."""

    record: int
    """Of this ledger."""
    host: str
    ledger: str
    """Id of the recovery host's ledger."""
    signed_by: str
    """The fingerprint of its key."""
    started_at: datetime
    finished_at: datetime
    superseded: bool
    """The copy was verified again after that drill: its newer state stands."""


@shape
class ForeseenDrill:
    """What a drill would take; null where chance decides."""

    set: str | None
    medium: str | None


class DrillFields(TypedDict):
    """The fields of `DrillShape`, to fill a shape that has more."""

    copies: tuple[CopyShape, ...]
    plain_bytes: int
    restore_ms: int
    trial_ms: int
    chosen_by: str
    trials: tuple[TriedStream, ...]
    script: TriedScript | None


def drill(
    ctx: typer.Context,
    set_name: Annotated[
        str | None, typer.Argument(metavar="SET", help=_("A set's name, its beginning, or 'latest'; else at random"))
    ] = None,
    *,
    medium: Annotated[
        str | None,
        typer.Option("--medium", metavar="ID", help=_("Only the copy on this medium; its base may lie elsewhere")),
    ] = None,
    identity: Annotated[
        Path | None, typer.Option("--identity", metavar="FILE", help=_("File with a private key of a recipient"))
    ] = None,
    signers: Annotated[
        Path | None,
        typer.Option(
            "--signers",
            metavar="FILE",
            help=_("Take sets from the media, if a key of this allowed_signers signed them"),
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help=_("Write a signed report for the portal's host"))
    ] = None,
    taken_up: Annotated[
        Path | None, typer.Option("--import", metavar="FILE", help=_("Record the drill of a recovery host's report"))
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Show what would be done, and do nothing"))] = False,
) -> Result[DoneDrill | ImportedDrillShape | ForeseenDrill | ShownJob]:
    session = open_session(ctx)
    if taken_up is not None:
        if any((set_name, medium, identity, signers, report, dry_run)):
            raise UsageError(
                msg("--import goes with nothing else"),
                msg("It records a drill that was done elsewhere: 'portalops backup drill --import FILE'."),
            )
        return _taken_up(session, taken_up)
    request = DrillRequest(set_name or "", medium or "", identity, signers)
    if dry_run:
        return _foreseen(session, request)
    done = perform_now(session, JobKind.DRILL, partial(drill_work, request=request), report=report)
    notices: list[Block] = [Notice(problem, Tone.BAD) for problem in done.said[:MAX_LISTED]]
    if not isinstance(done.result, DrillResult):
        return Result(done.shown(), notices, exit_code=done.exit_code)
    data = DoneDrill(**_data(done.result), report=done.report)
    view = [*_view(done.result), *notices]
    if done.report is not None:
        view.append(
            Paragraph(msg("Signed report: {path}, and its signature in {path}.sig", path=show_path(done.report)))
        )
    return Result(data, view, exit_code=done.exit_code)


def _foreseen(session: Session, request: DrillRequest) -> Result[ForeseenDrill]:
    """Say what a drill would take.

    Raises:
        BackupError: there is no scratch folder that can be written, or too little room in it.
    """
    settings = session.settings
    folder = settings.backup.drill.folder
    if request.is_open:
        require_space(folder, 0)  # how much the chosen copy takes is not known yet
        said = msg(
            "A verified copy is chosen at random, restored into a folder of {folder}, and tried out", folder=str(folder)
        )
        return Result(ForeseenDrill(None, None), [Paragraph(said)])
    media = build_media(settings.backup_media)
    drawn = target_of(request.completed(settings.backup.drill), settings.portal.id, media, session.reader)
    if drawn.target is None:
        raise SetNotFound(
            msg("no set {set} on the media is known to be the portal's", set=request.set_name or "-"),
            msg("Run it without --dry-run: it names each set that it read, and why it is not taken."),
        )
    kept, copy = drawn.target.made.set, drawn.target.copy
    require_space(folder, sum(stream.plain_bytes for stream in kept.streams))
    said = msg("The copy of {set} on {medium} is restored and tried out", set=kept.id, medium=copy.medium)
    return Result(ForeseenDrill(kept.id, copy.medium), [Paragraph(said)])


def _taken_up(session: Session, path: Path) -> Result[ImportedDrillShape]:
    """Record a recovery host's drill."""
    drill = read_report(path, session.settings.backup.drill.trusted)
    with session.hold(Resource.DRILL_REPORTS):
        found = take_up(session.recorder, path, drill, session.settings, session.clock.now())
    report, key = found.drill.report, fingerprint(found.drill.signer)
    (copy,) = found.drill.copies
    who = KeyValues(
        (
            (msg("Done by"), report.host),
            (msg("Signed by the key"), key),
            (msg("Began at"), report.started_at),
            (msg("Ended at"), report.finished_at),
            (msg("Ledger record"), str(found.seq)),
        )
    )
    warnings = []
    if found.is_late:
        warnings.append(
            msg("the copy was verified again after that drill: its newer state counts, and the drill is kept on record")
        )
    code = ExitCode.OK
    if copy.state is not CopyState.VERIFIED:
        code = ExitCode.INTEGRITY
    elif any(each.not_tried for each in report.drill.trials):
        code = ExitCode.PARTIAL
    data = ImportedDrillShape(
        **_data(report.drill),
        record=found.seq,
        host=report.host,
        ledger=report.ledger,
        signed_by=key,
        started_at=report.started_at,
        finished_at=report.finished_at,
        superseded=found.is_late,
    )
    return Result(data, [who, *_view(report.drill)], warnings, code)


def _view(result: DrillResult) -> list[Block]:
    blocks: list[Block] = [copies_table(result.copies)]
    if result.trials:
        rate = result.plain_bytes / max(result.restore_ms, 1) * 1000
        blocks += [
            KeyValues(
                (
                    (msg("Restored"), ByteSize(result.plain_bytes)),
                    (msg("Time to restore"), msg("{seconds} s", seconds=f"{result.restore_ms / 1000:.1f}")),
                    (msg("Restored per second"), ByteSize(round(rate))),
                    (msg("Time to try it out"), msg("{seconds} s", seconds=f"{result.trial_ms / 1000:.1f}")),
                    *(((verbatim(SCRIPT), _script_outcome(result.script)),) if result.script else ()),
                )
            ),
            TableBlock(
                msg("What was tried out"),
                (msg("Source"), msg("Stream"), msg("Depth"), msg("What was asked"), msg("Remark")),
                [
                    (
                        each.source,
                        each.stream,
                        level_word(each.level),
                        each.asked,
                        together(
                            [*map(line_of_record, (*each.problems, *([each.not_tried] if each.not_tried else [])))]
                        ),
                    )
                    for each in result.trials
                ],
            ),
        ]
    return blocks


def _data(result: DrillResult) -> DrillFields:
    return {
        "copies": copies_data(result.copies),
        "plain_bytes": result.plain_bytes,
        "restore_ms": result.restore_ms,
        "trial_ms": result.trial_ms,
        "chosen_by": result.chosen_by,
        "trials": tuple(
            TriedStream(f"{each.source}/{each.stream}", each.level, each.asked, each.problems, each.not_tried)
            for each in result.trials
        ),
        "script": TriedScript(script.problems, script.not_run, script.took_ms) if (script := result.script) else None,
    }


def _script_outcome(script: ScriptRun) -> Message:
    """Return in one line what came of `restore.sh`."""
    if script.not_run:
        return msg("not run: {why}", why=line_of_record(script.not_run))
    if script.problems:
        return msg("not as it was backed up: {problems}", problems=together([*map(line_of_record, script.problems)]))
    return msg("everything was restored, in {seconds} s", seconds=f"{script.took_ms / 1000:.1f}")


VERB = Verb(drill)
