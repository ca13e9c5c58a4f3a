"""`portalops backup adopt`: records what other backup tools say they made, as what they claim."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from commands._jobs import require_valid, resource_lock
from commands._result import JsonValue, Result
from commands._session import Session, open_session
from portalops.errors import ExitCode, LedgerMissing, UsageError, worst
from portalops.ledger import bodies
from portalops.ledger.record import NO_RUN
from portalops.locale import _
from portalops.model.adopted import AdoptedBackup, AdoptedLook
from portalops.model.message import msg, nmsg, verbatim
from portalops.model.runs import Resource
from portalops.model.text import show_text
from portalops.registers.adopted import ADOPTED, KEY, Claim, read_claims
from portalops.reports.document import Block, ByteSize, Cell, Notice, Paragraph, Status, Table, Tone
from portalops.reports.words import data_class_word

if TYPE_CHECKING:
    from backups.adopters import Adopter, Question

DUTY = "10.2"
SHOWN = 10
"""How many of a tool's backups a person is shown, the newest; --json has all that the record has."""

HELP = _(
    "Record what other backup tools say they made\n\nAsks each tool of [[backup.adopted]] for its backups: restic, borg,"
    " pgBackRest, Barman, Bareos, or dated folders. What it says is kept word by word, and counts as what that tool claims:"
    " nothing was read back, so it makes no duty met. Only 'portalops backup verify' and 'portalops backup drill' verify,"
    " and they do it for sets of portalops.\n\nExample: portalops backup adopt; portalops backup adopt office-restic"
    " --dry-run\n\nEXIT STATUS: 0 every tool answered, 2 none is configured, or none of that id, 3 a tool did not answer,"
    " 78 configuration"
)


def adopt(
    ctx: typer.Context,
    only: Annotated[str | None, typer.Argument(metavar="ID", help=_("Only this one of [[backup.adopted]]"))] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Show what would be asked, and ask nothing"))] = False,
) -> Result:
    from backups.adopting import ask_tools  # noqa: PLC0415  # start-up time

    session = open_session(ctx)
    require_valid(session.settings)
    adopters = _chosen(adopters_of(session), only)
    if dry_run:
        questions = [(each.traits.id, each.traits.kind, each.question()) for each in adopters]
        return Result(
            [_question_data(name, kind, question) for name, kind, question in questions], [_questions(questions)]
        )
    claims: list[Claim] = []
    with resource_lock(session, Resource.ADOPTED):
        session.writable_ledger.require_clock()
        for look in ask_tools(adopters, keeper=session.writable_ledger, progress=session.progress):
            body = bodies.write({"circumstances": session.circumstances, KEY: look})
            record = session.writable_ledger.append(ADOPTED, run=NO_RUN, subject=look.id, duty=DUTY, body=body)
            claims.append(Claim(record.seq, record.at, look, look.problem))
    code = worst(ExitCode.PARTIAL if each.problem else ExitCode.OK for each in claims)
    return Result([claim_data(each) for each in claims], claims_view(claims), exit_code=code)


def adopters_of(session: Session) -> tuple[Adopter, ...]:
    """Return the configured adopters.

    Raises:
        ConfigurationError: an adopter's settings do not fit its kind.
    """
    from backups.adopters import AdopterContext, build_adopter  # noqa: PLC0415  # start-up time

    context = AdopterContext(session.zone_of_portal)
    return tuple(build_adopter(table, context) for table in session.settings.adopted)


def claims_of_ledger(session: Session) -> tuple[Claim, ...]:
    """Return what each tool claimed last; nothing before there is a ledger."""
    try:
        return read_claims(session.ledger)
    except LedgerMissing:
        return ()


def claims_view(claims: Sequence[Claim]) -> list[Block]:
    """Return what tools claim, apart from what was verified, and why some of them did not answer."""
    rows = [_row(claim, backup) for claim in claims for backup in reversed(claim.look.backups[-SHOWN:])]
    headers = (
        msg("Asked"),
        msg("Backup"),
        msg("Made at"),
        msg("Host"),
        msg("Data"),
        msg("Size"),
        msg("State"),
        msg("Remark"),
    )
    blocks: list[Block] = []
    if rows:
        blocks.append(Table(msg("What other tools claim; nothing of it was read back"), headers, rows))
    for claim in claims:
        more = len(claim.look.backups) + claim.look.left_off - SHOWN
        if more > 0:
            blocks.append(Paragraph(msg("{id}: and {n} older ones", id=claim.look.id, n=more)))
        if not claim.look.backups and not claim.look.problem:
            blocks.append(Notice(msg("{id}: it tells of no backup", id=claim.look.id), Tone.BAD))
        blocks += [
            Notice(msg("{id}: {problem}", id=claim.look.id, problem=note), Tone.UNSURE) for note in claim.look.notes
        ]
        if claim.problem:
            said = msg("{id}: it did not answer: {problem}", id=claim.look.id, problem=claim.problem)
            blocks.append(Notice(said, Tone.BAD))
    return blocks


def claim_data(claim: Claim) -> JsonValue:
    """Return a claim as `--json` shows it."""
    look: AdoptedLook = claim.look
    return {
        "id": look.id,
        "claimed_by": look.tool,
        "class": look.data_class.value,
        "asked_at": claim.at.isoformat(),
        "record": claim.seq,
        "evidence": look.evidence,
        "problem": claim.problem,
        "notes": list(look.notes),
        "left_off": look.left_off,
        "backups": [
            {
                "id": each.id,
                "made_at": each.made_at.isoformat() if each.made_at else None,
                "host": each.host,
                "size_bytes": each.size_bytes,
                "about": each.about,
                "state": "claimed",
                "problem": each.problem,
            }
            for each in look.backups
        ],
    }


def _row(claim: Claim, backup: AdoptedBackup) -> tuple[Cell, ...]:
    claimed = Status(msg("claimed by {tool}", tool=backup.tool), Tone.UNSURE)
    return (
        claim.look.id,
        show_text(backup.id, 40),
        backup.made_at,
        backup.host or None,
        data_class_word(backup.data_class),
        ByteSize(backup.size_bytes) if backup.size_bytes is not None else None,
        Status(msg("not good, says {tool}", tool=backup.tool), Tone.BAD) if backup.problem else claimed,
        verbatim(backup.problem or backup.about),
    )


def _chosen(adopters: Sequence[Adopter], only: str | None) -> Sequence[Adopter]:
    if not adopters:
        raise UsageError(
            msg("no other backup tool is configured"), msg("Add a [[backup.adopted]] table to the configuration.")
        )
    chosen = [each for each in adopters if only in {None, each.traits.id}]
    if not chosen:
        raise UsageError(
            msg("there is no adopted backup {id}", id=show_text(only or "", 80)),
            msg("There are: {ids}.", ids=", ".join(each.traits.id for each in adopters)),
        )
    return chosen


def _question_data(name: str, kind: str, question: Question) -> JsonValue:
    return {
        "id": name,
        "tool": kind,
        "argv": list(question.argv),
        "stdin": question.stdin.decode(),
        "reads": question.reads,
        "secrets": list(question.secrets),
    }


def _questions(questions: Sequence[tuple[str, str, Question]]) -> Block:
    rows = [
        (name, kind, verbatim(shlex.join(asked.argv) or asked.reads), ", ".join(asked.secrets) or None)
        for name, kind, asked in questions
    ]
    headers = (msg("Asked"), msg("Tool"), msg("Command, or folder that is read"), msg("Secrets, in variables"))
    return Table(nmsg("{n} tool would be asked", "{n} tools would be asked", len(rows)), headers, rows)
