"""`portalops backup drill`: restores a copy, chosen at random, and tries it out."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands import _backup_views as views
from commands._backup_work import find_set, media_of, recorded_sets_of
from commands._jobs import by_hand, drill_work
from commands._result import JsonValue, Result
from commands._session import Session, open_session
from portalops.errors import SetNotFound
from portalops.locale import _
from portalops.model.backups import DrillResult
from portalops.model.message import msg, verbatim
from portalops.model.reading import level_word
from portalops.model.runs import JobKind
from portalops.registers.backups import GONE
from portalops.reports.document import Block, ByteSize, KeyValues, Notice, Paragraph, Table, Tone

if TYPE_CHECKING:
    from backups.drill import DrillTarget

HELP = _(
    "Restore a copy and try it out\n\nTakes a verified copy at random, restores all of it into a scratch folder, uses what"
    " came out (databases in throw-away servers, files against the index), measures the time, and removes everything. Needs"
    " a private key, which a person brings for it: the host that is backed up holds none.\n\nExample: portalops backup"
    " drill --identity /media/key/operator.age; portalops backup drill latest --medium disk-a --identity key\n\nEXIT STATUS:"
    " 0 everything was there and could be used, 3 the medium could not be reached, or something could not be tried out here, 4 no drill could be done, 5 the copy is"
    " damaged or cannot be used"
)


def drill(
    ctx: typer.Context,
    set_name: Annotated[
        str | None, typer.Argument(metavar="SET", help=_("A set's name, its beginning, or 'latest'; else at random"))
    ] = None,
    *,
    medium: Annotated[
        str | None, typer.Option("--medium", metavar="ID", help=_("Only the copy on this medium"))
    ] = None,
    identity: Annotated[
        Path | None, typer.Option("--identity", metavar="FILE", help=_("File with a private key of a recipient"))
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Show what would be done, and do nothing"))] = False,
) -> Result:
    session = open_session(ctx)
    target = _target(session, set_name, medium)
    if dry_run:
        said = msg(
            "A verified copy is chosen at random, restored into a folder of {folder}, and tried out",
            folder=str(session.settings.backup.drill.folder),
        )
        if target is not None:
            said = msg(
                "The copy of {set} on {medium} is restored and tried out",
                set=target.made.set.id,
                medium=target.copy.medium,
            )
        return Result(
            {"set": target.made.set.id if target else None, "medium": target.copy.medium if target else None},
            [Paragraph(said)],
        )
    done = by_hand(session, JobKind.DRILL, partial(drill_work, target=target, identity=identity))
    notices: list[Block] = [Notice(verbatim(problem), Tone.BAD) for problem in done.problems[: views.MAX_LISTED]]
    if not isinstance(done.result, DrillResult):
        return Result(done.data(), notices, exit_code=done.exit_code)
    return Result(_data(done.result), [*_view(done.result), *notices], exit_code=done.exit_code)


def _target(session: Session, set_name: str | None, medium: str | None) -> DrillTarget | None:
    """Return the copy that a person asked for; None for one by chance."""
    from backups.drill import PERSON, DrillTarget  # noqa: PLC0415  # start-up time

    if set_name is None and medium is None:
        return None
    made = find_set(recorded_sets_of(session), set_name or "latest")
    known = media_of(session)
    for copy in made.copies:
        if copy.medium in known and medium in {None, copy.medium} and copy.state not in GONE:
            return DrillTarget(made, copy, PERSON)
    raise SetNotFound(
        msg("there is no copy of set {set} on {medium}", set=made.set.id, medium=medium or "-"),
        msg("'portalops backup show {set}' shows its copies.", set=made.set.id),
    )


def _view(result: DrillResult) -> list[Block]:
    blocks: list[Block] = [views.copies_table(result.copies)]
    if result.trials:
        rate = result.plain_bytes / max(result.restore_ms, 1) * 1000
        blocks += [
            KeyValues(
                (
                    (msg("Restored"), ByteSize(result.plain_bytes)),
                    (msg("Time to restore"), msg("{seconds} s", seconds=f"{result.restore_ms / 1000:.1f}")),
                    (msg("Restored in a second"), ByteSize(round(rate))),
                    (msg("Time to try it out"), msg("{seconds} s", seconds=f"{result.trial_ms / 1000:.1f}")),
                )
            ),
            Table(
                msg("What was tried out"),
                (msg("Source"), msg("Stream"), msg("Depth"), msg("What was asked"), msg("Remark")),
                [
                    (
                        each.source,
                        each.stream,
                        level_word(each.level),
                        each.asked,
                        "; ".join((*each.problems, *([each.not_tried] if each.not_tried else []))),
                    )
                    for each in result.trials
                ],
            ),
        ]
    return blocks


def _data(result: DrillResult) -> JsonValue:
    return {
        "copies": [views.copy_data(copy) for copy in result.copies],
        "plain_bytes": result.plain_bytes,
        "restore_ms": result.restore_ms,
        "trial_ms": result.trial_ms,
        "chosen_by": result.chosen_by,
        "trials": [
            {
                "id": f"{each.source}/{each.stream}",
                "level": each.level.value,
                "asked": each.asked,
                "problems": list(each.problems),
                "not_tried": each.not_tried,
            }
            for each in result.trials
        ],
    }
