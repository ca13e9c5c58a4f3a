"""Record what other backup tools say they made

Asks each tool of [[backup.adopted]] for its backups: restic, borg, pgBackRest, Barman, Bareos, or dated folders. What
it says is kept word by word, and counts as what that tool claims: nothing was read back, so it makes no duty met.
Only 'portalops backup verify' and 'portalops backup drill' verify, and they do it for sets of portalops.

Example: portalops backup adopt; portalops backup adopt office-restic --dry-run

EXIT STATUS: 0 every tool answered, 2 none is configured, or none of that id, 3 a tool did not answer, 78
configuration
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from backups.adopters import AdopterContext, build_adopter
from backups.adopting import ask_tools
from commands.backup.views import ClaimShape, claim_data, claims_view
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.validity import require_valid
from portalops.errors import ExitCode, UsageError, worst
from portalops.locale import _
from portalops.model.message import msg, nmsg, verbatim
from portalops.model.runs import Resource
from portalops.model.text import show_text
from portalops.registers.adopted import ADOPTED, KEY, Claim
from portalops.reports.document import Block, TableBlock

if TYPE_CHECKING:
    from backups.adopters import Adopter, AdopterQuestion

DUTY = "10.2"


@shape
class ToolQuestion:
    """What a tool would be asked."""

    id: str
    tool: str
    argv: tuple[str, ...]
    """The command; empty where a folder is read instead."""
    stdin: str
    reads: str
    """The folder that is read; empty for a command."""
    secrets: tuple[str, ...]
    """Variables of the command that hold secrets."""


def adopt(
    ctx: typer.Context,
    only: Annotated[str | None, typer.Argument(metavar="ID", help=_("Only this one of [[backup.adopted]]"))] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Show what would be asked, and ask nothing"))] = False,
) -> Result[tuple[ClaimShape, ...] | tuple[ToolQuestion, ...]]:
    session = open_session(ctx)
    require_valid(session.settings)
    context = AdopterContext(session.zone_of_portal)
    adopters = _chosen([build_adopter(table, context) for table in session.settings.adopted], only)
    if dry_run:
        questions = [(each.traits.id, each.traits.kind, each.question()) for each in adopters]
        return Result(
            tuple(_question_data(name, kind, question) for name, kind, question in questions), [_questions(questions)]
        )
    claims: list[Claim] = []
    with session.hold(Resource.ADOPTED):
        session.require_clock()
        for look in ask_tools(adopters, keeper=session.writable_ledger, progress=session.progress):
            record = session.recorder.record(ADOPTED, KEY, look, subject=look.id, duty=DUTY)
            claims.append(Claim(record.seq, record.at, look, look.problem))
    code = worst(ExitCode.PARTIAL if each.problem else ExitCode.OK for each in claims)
    return Result(tuple(map(claim_data, claims)), claims_view(claims), exit_code=code)


def _chosen(adopters: Sequence[Adopter], only: str | None) -> Sequence[Adopter]:
    if not adopters:
        raise UsageError(
            msg("no other backup tool is configured"), msg("Add a [[backup.adopted]] table to the configuration.")
        )
    chosen = [each for each in adopters if only in {None, each.traits.id}]
    if not chosen:
        raise UsageError(
            msg("no [[backup.adopted]] table has the id {id}", id=show_text(only or "", 80)),
            msg("There are: {ids}.", ids=", ".join(each.traits.id for each in adopters)),
        )
    return chosen


def _question_data(name: str, kind: str, question: AdopterQuestion) -> ToolQuestion:
    return ToolQuestion(
        id=name,
        tool=kind,
        argv=tuple(question.argv),
        stdin=question.stdin.decode(),
        reads=question.reads,
        secrets=tuple(question.secrets),
    )


def _questions(questions: Sequence[tuple[str, str, AdopterQuestion]]) -> Block:
    rows = [
        (name, kind, verbatim(shlex.join(asked.argv) or asked.reads), ", ".join(asked.secrets) or None)
        for name, kind, asked in questions
    ]
    headers = (msg("Asked"), msg("Tool"), msg("Command, or folder that is read"), msg("Secrets, in variables"))
    return TableBlock(nmsg("{n} tool would be asked", "{n} tools would be asked", len(rows)), headers, rows)


VERB = Verb(adopt)
