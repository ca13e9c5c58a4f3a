"""Correct what the register says of a change

Makes a new record; the earlier one stays and is shown. What is not given stays as it was; given hosts, packages and
accounts replace the earlier ones.

The request (--what to --account) can be corrected until the change is begun. Its notice and approval then count no
more, since they were for another request: record both anew. An emergency can be corrected until it is closed, a
standing approval until it is approved. What is recorded of the letter and the decision can be corrected at any time
if the paper itself was kept. Otherwise they count from this record on.

Example: portalops change correct CH-2026-001 --to 2026-12-02T03:00 --reason 'cần thêm hai giờ'; portalops change
correct CH-2026-001 --approval-document '521/UBND-VX' --reason 'ghi nhầm số'

EXIT STATUS: 0 recorded or shown, 2 there is no such change, it is begun or closed, nothing differs, or as for 'change
request'
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Optional, TypeAlias

import typer

from commands.change.options import IdArgument, Person, limits_of, require_window
from commands.change.steps import step
from commands.change.views import RecordedChangeShape, overlaps
from commands.cli.entries import DryRun, Reason, caller_of, moment, past_day, past_moment, written_text
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.verb import Verb
from commands.jobs.servers import known_host
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.changes import ChangeCorrected, ChangeRequest, ChangeState
from portalops.model.message import Message, msg
from portalops.registers.changes import CORRECTED, RecordedChange, read_changes, refuse_correction

OptionalText: TypeAlias = Optional[str]  # noqa: UP045  # Typer reads it at run time
Many: TypeAlias = Optional[list[str]]  # noqa: UP045  # see above
Moment: TypeAlias = Annotated[OptionalText, typer.Option(metavar="MOMENT")]


def correct(
    ctx: typer.Context,
    change: IdArgument,
    *,
    reason: Reason,
    what: Annotated[OptionalText, typer.Option(metavar="TEXT", help=_("What is changed"))] = None,
    why: Annotated[OptionalText, typer.Option(metavar="TEXT", help=_("Why"))] = None,
    host: Annotated[Many, typer.Option("--host", metavar="ID", help=_("On which host; may be repeated"))] = None,
    begins: Annotated[
        OptionalText,
        typer.Option("--from", metavar="MOMENT", help=_("When the window begins, such as 2026-12-01T22:00")),
    ] = None,
    ends: Annotated[OptionalText, typer.Option("--to", metavar="MOMENT", help=_("When it ends"))] = None,
    rollback: Annotated[
        OptionalText, typer.Option(metavar="TEXT", help=_("How the change is undone if it goes wrong"))
    ] = None,
    package: Annotated[
        Many,
        typer.Option(
            "--package", metavar="NAME", help=_("Of a standing approval: which packages; * stands for any letters")
        ),
    ] = None,
    account: Annotated[
        Many,
        typer.Option(
            "--account",
            metavar="NAME",
            help=_("Of a standing approval: who may make the change, such as unattended-upgrade; may be repeated"),
        ),
    ] = None,
    notice_document: Annotated[
        OptionalText, typer.Option(metavar="TEXT", help=_("Number and date of the letter"))
    ] = None,
    notice_sent: Annotated[
        OptionalText, typer.Option(metavar="MOMENT", help=_("When it was sent, such as 2026-11-20T09:00"))
    ] = None,
    notice_how: Annotated[OptionalText, typer.Option(metavar="TEXT", help=_("How it was sent"))] = None,
    notice_to: Annotated[OptionalText, typer.Option(metavar="NAME", help=_("To whom"))] = None,
    approval_document: Annotated[
        OptionalText, typer.Option(metavar="TEXT", help=_("Number of the Committee's decision"))
    ] = None,
    approval_on: Annotated[
        OptionalText, typer.Option(metavar="DAY", help=_("The day on the document, such as 2026-11-24"))
    ] = None,
    approval_by: Annotated[OptionalText, typer.Option(metavar="NAME", help=_("Who signed it"))] = None,
    by: Person = "",
    dry_run: DryRun = False,
) -> Result[RecordedChangeShape]:
    session = open_session(ctx)
    asked = _given(
        {
            "what": _text(what, "--what"),
            "why": _text(why, "--why"),
            "hosts": tuple(dict.fromkeys(known_host(session.settings.hosts, each).id for each in host))
            if host
            else None,
            "begins_at": _moment(session, begins, "--from"),
            "ends_at": _moment(session, ends, "--to"),
            "rollback": _text(rollback, "--rollback"),
            "packages": tuple(package) if package else None,
            "accounts": tuple(account) if account else None,
        }
    )
    notice = _given(
        {
            "document": _text(notice_document, "--notice-document"),
            "sent_at": past_moment(session, notice_sent, "--notice-sent") if notice_sent is not None else None,
            "how": _text(notice_how, "--notice-how"),
            "to": _text(notice_to, "--notice-to"),
        }
    )
    approval = _given(
        {
            "document": _text(approval_document, "--approval-document"),
            "decided_on": past_day(session, approval_on, "--approval-on") if approval_on is not None else None,
            "by": _text(approval_by, "--approval-by"),
        }
    )
    if [bool(each) for each in (asked, notice, approval)].count(True) != 1:
        raise _not_one(is_any=bool(asked or notice or approval))
    said = ChangeCorrected(
        change, written_text(reason, "--reason"), written_text(by, "--by") if by else caller_of(session)
    )

    def made(known: RecordedChange) -> ChangeCorrected:
        corrected = said
        if asked:
            corrected = replace(said, asked=_asked_anew(session, known.request.body, asked))
        elif notice and known.notice is not None:
            corrected = replace(said, notice=replace(known.notice.body, **notice))
        elif approval and known.approval is not None:
            corrected = replace(said, approval=replace(known.approval.body, **approval))
        else:
            raise UsageError(
                msg("{id} has no such paper on record", id=known.id),
                msg("Record it by 'portalops change notify' or 'portalops change approve'."),
            )
        if (refused := refuse_correction(known, corrected)) is not None:
            raise UsageError(refused, _suggest_next(known, corrected))
        return corrected

    result = step(session, CORRECTED, change, made, dry_run=dry_run)
    register = read_changes(session.reader)
    known = register.changes[change]
    if dry_run:
        known = replace(known, request=replace(known.request, body=_asked_anew(session, known.request.body, asked)))
    return replace(result, warnings=(*result.warnings, *overlaps(register, known.request.body)))


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _text(text: str | None, option: str) -> str | None:
    return None if text is None else written_text(text, option)


def _moment(session: Session, text: str | None, option: str) -> datetime | None:
    return None if text is None else moment(session, text, option)


def _asked_anew(session: Session, before: ChangeRequest, given: dict[str, Any]) -> ChangeRequest:
    asked = replace(before, **given)
    if (asked.begins_at, asked.ends_at) != (before.begins_at, before.ends_at):
        require_window(session, asked.kind, asked.begins_at, asked.ends_at, begun_at=before.begins_at)
    packages, accounts = limits_of(asked.kind, asked.packages, asked.accounts)
    return replace(asked, packages=packages, accounts=accounts)


def _not_one(*, is_any: bool) -> UsageError:
    if is_any:
        return UsageError(
            msg("the request, its notice and its approval cannot be corrected in one record"),
            msg("Run the command once for each."),
        )
    return UsageError(msg("no correction is given"), msg("Give what was wrong, such as --to or --approval-document."))


def _suggest_next(known: RecordedChange, said: ChangeCorrected) -> Message:
    """Return the next command of somebody whose correction is refused."""
    if known.state is ChangeState.BEGUN and said.asked is not None:
        return msg(
            "The approved request stands. Record its end by 'portalops change finish {id}', and request another"
            " change; 'portalops change drift' shows what differs.",
            id=known.id,
        )
    if known.state is ChangeState.APPROVED and said.asked not in {None, known.request.body}:
        return msg(
            "End it by 'portalops change close {id} --reason', and request another by 'portalops change request'.",
            id=known.id,
        )
    if known.state in {ChangeState.BEGUN, ChangeState.DONE} and said.asked is None:
        return msg(
            "Give it as the reason when you close the change: 'portalops change close {id} --reason'.", id=known.id
        )
    return msg("'portalops change show {id}' shows its state and the record behind it.", id=known.id)


VERB = Verb(correct)
