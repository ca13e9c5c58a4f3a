"""Give the tape in the drive its label

Writes the label and the guide for restoring that every tape begins with, and records it. A tape that is not blank is
left alone. With --overwrite it is labelled once somebody types the new label, and everything on it is lost. A tape
that holds sets is never labelled: 'portalops backup prune' removes what may go.

Example: portalops media label tape-1

EXIT STATUS: 0 labelled or shown, 2 wrong usage, 4 no drive, no tape, or one that must not be labelled
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer

from backups.media.tape import TapeBeginning, build
from commands.cli.prompt import prompt_for
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.message import Message, msg
from portalops.model.runs import Resource
from portalops.model.tapes import TapeLabelled
from portalops.model.text import show_text
from portalops.reports.document import Block, Cell, KeyValues, Paragraph

if TYPE_CHECKING:
    from backups.media.tape import Loaded, TapeMedium
    from portalops.config.tables import KindTable

LABELLED: Final = "media.labelled"
TAPE_LABEL: Final = "tape_label"
DUTY = "10.2-medium"


@shape
class LabelledTape:
    """A tape that was given its label, or would be."""

    id: str
    """Of the configured medium."""
    label: str
    labelled: str
    """The stamp on the tape, such as `20261126T030405Z`."""
    device: str
    before: TapeBeginning
    """What the tape was before."""
    recorded: bool


def label(
    ctx: typer.Context,
    medium: Annotated[str, typer.Argument(metavar="ID", help=_("A configured medium of the kind tape"))],
    *,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help=_("Also a tape that is not blank; all that is on it is lost"))
    ] = False,
    confirm: Annotated[
        str | None, typer.Option("--confirm", metavar="LABEL", help=_("The new label, instead of typing it when asked"))
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Show what would be done, and do nothing"))] = False,
) -> Result[LabelledTape]:
    session = open_session(ctx)
    tape = _tape(session.settings.backup_media, medium)
    with session.hold(Resource.MEDIA):
        before = tape.require_free(overwrite=overwrite)
        if before.state != "blank" and not dry_run:
            _confirm(tape, confirm, no_input=session.invocation.no_input)
        written = tape.label_for(session.clock.now())
        if not dry_run:
            tape.write_label(written, overwrite=overwrite)
        done = TapeLabelled(
            medium,
            written.name,
            written.labelled,
            str(tape.device),
            written.block_bytes,
            before.state.value,
            show_text(before.label.name, 80) if before.label else "",
        )
        if not dry_run:
            session.recorder.record(LABELLED, TAPE_LABEL, done, subject=medium, duty=DUTY)
    data = LabelledTape(
        id=medium,
        label=done.label,
        labelled=done.labelled,
        device=done.device,
        before=before.state,
        recorded=not dry_run,
    )
    return Result(data, _view(done, before, dry_run=dry_run))


def _confirm(tape: TapeMedium, given: str | None, *, no_input: bool) -> None:
    """Let a person say that what is on the tape may go.

    Raises:
        UsageError: nobody does.
    """

    def accept(answer: str) -> Message | None:
        return None if answer == tape.label else msg("that is not {label}", label=tape.label)

    prompt_for(no_input=no_input or given is not None).ask(
        msg(
            "All that is on the tape in {device} will be lost. Type {label} to go on",
            device=str(tape.device),
            label=tape.label,
        ),
        option="--confirm",
        default=given or "",
        accept=accept,
    )


def _tape(tables: Sequence[KindTable], medium_id: str) -> TapeMedium:
    tapes = {table.id: table for table in tables if table.kind == "tape"}
    if medium_id not in tapes:
        raise UsageError(
            msg("there is no tape {medium}", medium=show_text(medium_id, 80)),
            msg('The media of kind = "tape" are: {media}.', media=", ".join(tapes) or msg("none")),
        )
    return build(tapes[medium_id])


def _view(done: TapeLabelled, before: Loaded, *, dry_run: bool) -> list[Block]:
    words = {
        "blank": msg("blank"),
        "ours": msg("the tape {label}, without sets", label=done.label_before),
        "foreign": msg("not of portalops"),
        "unreadable": msg("not readable"),
    }
    rows: list[tuple[Message, Cell]] = [
        (msg("Medium"), done.medium),
        (msg("Label"), done.label),
        (msg("Device"), done.device),
        (msg("Before"), words[before.state.value]),
    ]
    blocks: list[Block] = [KeyValues(rows)]
    if dry_run:
        blocks.append(Paragraph(msg("nothing was written: this was a dry run")))
    return blocks


VERB = Verb(label)
