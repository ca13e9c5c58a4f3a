"""Record that a person leaves, and list what they must return and hand over

Listed is every credential that they know: each must be returned, or handed over and changed. Then what they answer
for: servers, open incidents, changes that are not closed, and settings that name them. Run the command again to see
what is left. --back withdraws the record, with a reason.

Example: portalops credential leave nguyen-van-an --on 2026-11-30; portalops credential leave nguyen-van-an --dry-run

EXIT STATUS: 0 recorded or shown, and nothing is left, 1 something is left, 2 wrong usage, or no person is known by
that name, 3 nothing that can be read is left, and records cannot be read
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from checks.servers.declared import Declared
from commands.cli.entries import DryRun
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.credential.options import Given
from commands.credential.steps import RoleShape, names_in_roles, record_decision, role_data, roles_of, roles_table
from commands.credential.views import CredentialShape, credential_data, listing, recorded_row, state_of
from commands.jobs.credentials import Reason, known_person, refuse_extra, typed, typed_day
from portalops.errors import ExitCode, UsageError
from portalops.locale import _
from portalops.model.credentials import Leaving
from portalops.model.message import Message, msg, nmsg
from portalops.registers.credentials import LEAVING, LEFT, Body, CredentialRegister, read_credentials
from portalops.reports.document import Block, KeyValues, Paragraph, TableBlock


@shape
class LeavingShape:
    """A person who leaves, and what is left to be returned and handed over."""

    id: str
    left_on: date | None
    """Their last day; null if they are recorded to be there, and in a dry run before the first record."""
    record: int | None
    recorded: bool
    """This call made the record."""
    to_return: tuple[CredentialShape, ...]
    to_hand_over: tuple[RoleShape, ...]
    unreadable_records: tuple[int, ...]
    """Records that cannot be read and may name them."""


def leave(
    ctx: typer.Context,
    person: Annotated[str, typer.Argument(metavar="PERSON", help=_("The member's name, as the register has it"))],
    *,
    on: Annotated[Given, typer.Option("--on", metavar="DAY", help=_("The last day; today by default"))] = None,
    back: Annotated[
        bool, typer.Option("--back", help=_("The person has not left, or came back; --reason says why"))
    ] = False,
    reason: Reason = "",
    dry_run: DryRun = False,
) -> Result[LeavingShape]:
    refuse_extra(ctx)
    session = open_session(ctx)
    if back and on is not None:
        hint = msg("Leave --on out: --back counts from its record on; --reason may name the day.")
        raise UsageError(msg("--back and --on exclude each other"), hint)
    why = typed(reason, "--reason", needed=back)
    day = typed_day(on, "--on") or session.today
    name = known_person(
        session.settings.declared.parse(Declared),
        read_credentials(session.reader),
        person,
        "PERSON",
        warn=session.warnings.append,
        others=names_in_roles(session),
    )

    def decide(register: CredentialRegister) -> tuple[str, str, Body] | None:
        before = register.left_of(name)
        if back and before is None:
            raise UsageError(
                msg("no record says that {person} left", person=name),
                msg("'portalops credential list --holder {person}' shows what they hold.", person=name),
            )
        if not back and before is not None and (on is None or before.on == day):
            return None
        if before is not None and day > before.on and not why:
            raise UsageError(
                msg("{person} left on {on}, by record {seq}", person=name, on=before.on, seq=before.seq),
                msg("To record a later day, say why by --reason."),
            )
        return LEFT, LEAVING, Leaving(name, None if back else day, why)

    register, seq = record_decision(session, decide, dry_run=dry_run)
    return _to_return(session, register, name, seq, dry_run=dry_run)


def _to_return(
    session: Session, register: CredentialRegister, person: str, seq: int | None, *, dry_run: bool
) -> Result[LeavingShape]:
    today, known = session.today, register.known_to(person)
    left = register.left_of(person)
    roles, lost = roles_of(session, register, person)
    record = seq if seq is not None else left.seq if left else None
    data = LeavingShape(
        id=person,
        left_on=left.on if left else None,
        record=record,
        recorded=seq is not None,
        to_return=tuple(credential_data(register, each, today) for each in known),
        to_hand_over=tuple(map(role_data, roles)),
        unreadable_records=lost,
    )
    rows: list[tuple[Message, str | Message | date | None]] = [(msg("Person"), person)]
    rows.append((msg("Left on"), left.on if left else None))
    rows.append(recorded_row(dry_run=dry_run, seq=record))  # type: ignore[arg-type]  # they are cells
    table = TableBlock(
        nmsg(
            "{n} credential to be returned, or handed over and changed",
            "{n} credentials to be returned, or handed over and changed",
            len(known),
        ),
        (msg("Credential"), msg("System"), msg("Account"), msg("Holder"), msg("State")),
        [
            (
                each.id,
                each.credential.system,
                each.credential.account,
                each.credential.holder,
                state_of(register, each, today),
            )
            for each in known
        ],
    )
    view: list[Block] = [KeyValues(rows)]
    if known:
        view.append(table)
    if roles:
        view.append(roles_table(roles))
    if not known and not roles:
        view.append(Paragraph(msg("nothing is left: they know no credential in use and answer for nothing")))
    warnings = [msg("records that may name them cannot be read: {seqs}", seqs=listing(map(str, lost)))] if lost else []
    is_left = bool(known or roles) and (left is not None or dry_run)
    code = ExitCode.UNMET if is_left else ExitCode.PARTIAL if lost else ExitCode.OK
    return Result(data, view, warnings, exit_code=code)


VERB = Verb(leave, is_strict=True)
