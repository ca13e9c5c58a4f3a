"""`portalops credential list` and `show`: the register as the ledger tells it."""

from __future__ import annotations

from typing import Annotated

import typer

from commands._credentials import (
    IdArgument,
    data_of,
    held,
    kind_word,
    listing,
    problems_of,
    refuse_extra,
    register_of,
    state_of,
    today_of,
    typed,
    typed_id,
    view_of,
)
from commands._result import JsonValue, Result
from commands._session import open_session
from portalops.errors import ExitCode
from portalops.locale import _
from portalops.model.credentials import same_person
from portalops.model.message import Message, msg, nmsg
from portalops.registers.credentials import ADDED, CORRECTED, HANDED_OVER, RETURNED, ROTATED, CredentialRegister
from portalops.reports.document import Block, Paragraph, Table

HELP_LIST = _(
    "List the credentials: holder, deputy, place, and what must be seen to\n\nReads the ledger and the configuration only."
    " Those that were returned are left out without --all.\n\nExample: portalops credential list --holder nguyen-van-an"
    "\n\nEXIT STATUS: 0 nothing must be seen to, 1 something must, 3 a record of the register cannot be read"
)
HELP_SHOW = _(
    "Show a credential, with every record of it\n\nExample: portalops credential show web1-root"
    "\n\nEXIT STATUS: 0 shown, 2 there is no such credential"
)
_KINDS = {
    ADDED: msg("added"),
    CORRECTED: msg("corrected"),
    ROTATED: msg("changed"),
    HANDED_OVER: msg("handed over"),
    RETURNED: msg("returned"),
}


def list_(
    ctx: typer.Context,
    *,
    holder: Annotated[
        str | None,
        typer.Option("--holder", metavar="MEMBER", help=_("Only what this member holds, or is the deputy for")),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help=_("Also those that were returned"))] = False,
) -> Result:
    refuse_extra(ctx)
    session = open_session(ctx)
    wanted = None if holder is None else typed(holder, "--holder")
    register, today = register_of(session), today_of(session)
    if not register.is_begun:
        said = msg("There is no credential yet: 'portalops credential add' adds one")
        return Result([], [Paragraph(said)])
    shown = [
        each
        for each in register.credentials.values()
        if (every or each.is_active or each.id in register.unreadable)
        and (
            wanted is None
            or any(same_person(wanted, name) for name in (each.credential.holder, each.credential.deputy) if name)
        )
    ]
    headers = (
        *(msg("Credential"), msg("System"), msg("Account"), msg("Kind"), msg("Holder"), msg("Deputy")),
        *(msg("Place of custody"), msg("To be changed by"), msg("State")),
    )
    rows = [
        (
            *(each.id, each.credential.system, each.credential.account, kind_word(each.credential)),
            *(each.credential.holder or None, each.credential.deputy or None, each.credential.place or None),
            *(each.due_on, state_of(register, each, today)),
        )
        for each in shown
    ]
    view: list[Block] = [Table(nmsg("{n} credential", "{n} credentials", len(rows)), headers, rows)]
    lost = _lost(register)
    is_wrong = any(problems_of(register, each, today) for each in shown)
    data: list[JsonValue] = [data_of(register, each, today) for each in shown]
    code = ExitCode.UNMET if is_wrong else ExitCode.PARTIAL if lost else ExitCode.OK
    return Result(data, view, lost, exit_code=code)


def show(ctx: typer.Context, credential: IdArgument) -> Result:
    refuse_extra(ctx)
    session = open_session(ctx)
    register, today = register_of(session), today_of(session)
    each = held(register, typed_id(credential))
    rows = [
        (step.seq, step.at, _KINDS[step.kind], _of(step.body, "holder"), _of(step.body, "reason"))
        for step in each.steps
    ]
    headers = (msg("Record"), msg("Recorded on"), msg("What"), msg("Holder"), msg("Reason"))
    steps: list[JsonValue] = [
        {"id": str(step.seq), "at": step.at.isoformat(), "kind": step.kind, "reason": _of(step.body, "reason")}
        for step in each.steps
    ]
    data: JsonValue = {**data_of(register, each, today), "records": steps}
    table = Table(nmsg("{n} record", "{n} records", len(rows)), headers, rows)
    return Result(data, [view_of(register, each, today), table])


def _of(body: object, name: str) -> str | None:
    return getattr(body, name, "") or None


def _lost(register: CredentialRegister) -> list[Message]:
    """Return what the register cannot tell."""
    found = []
    if register.unreadable:
        seqs = sorted(seq for each in register.unreadable.values() for seq in each)
        found.append(msg("records of the register cannot be read: {seqs}", seqs=listing(map(str, seqs))))
    if register.unfitting:
        seqs = sorted(register.unfitting)
        found.append(
            msg(
                "records of credentials that were not there, which change nothing: {seqs}", seqs=listing(map(str, seqs))
            )
        )
    return found
