"""Request a change: what, why, on which hosts, when, and how it is undone

The change gets an id, such as CH-2026-001. It may be begun once it is notified and approved. With --emergency it may
be begun before; both then follow, and every list and report shows that. With --standing a lasting approval is
requested, such as for the maker's security fixes: for which packages, by whom, and until when, at most a year.

Example: portalops change request --host web1 --what 'nginx 1.26 lên 1.28' --why 'lỗ hổng CVE-2026-1111' --from
2026-12-01T22:00 --to 2026-12-02T01:00 --rollback 'cài lại gói cũ'; portalops change request --standing --host web1
--package '*' --account unattended-upgrade --what 'bản vá bảo mật' --why 'hằng ngày' --from 2026-12-01T00:00 --to
2027-11-30T23:59 --rollback 'cài lại gói cũ'

EXIT STATUS: 0 recorded or shown, 2 there is no such host, a text is missing, or the window is backwards, past or too
long
"""

from __future__ import annotations

import re
from typing import Annotated

import typer

from commands.change.options import limits_of, require_window
from commands.change.views import RecordedChangeShape, change_result, overlaps
from commands.cli.entries import DryRun, caller_of, moment, written_text
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.verb import Verb
from commands.jobs.servers import known_host
from portalops import bodies
from portalops.errors import UsageError
from portalops.ledger.record import Draft
from portalops.locale import _
from portalops.model.changes import ChangeKind, ChangeRequest
from portalops.model.message import msg
from portalops.registers.changes import KEYS, REQUESTED, ChangeRegister, ChangeStep, RecordedChange, read_changes


def request(
    ctx: typer.Context,
    *,
    what: Annotated[str, typer.Option(metavar="TEXT", help=_("What is changed"))],
    why: Annotated[str, typer.Option(metavar="TEXT", help=_("Why"))],
    host: Annotated[list[str], typer.Option("--host", metavar="ID", help=_("On which host; may be repeated"))],
    begins: Annotated[
        str, typer.Option("--from", metavar="MOMENT", help=_("When the window begins, such as 2026-12-01T22:00"))
    ],
    ends: Annotated[str, typer.Option("--to", metavar="MOMENT", help=_("When it ends"))],
    rollback: Annotated[str, typer.Option(metavar="TEXT", help=_("How the change is undone if it goes wrong"))],
    by: Annotated[str, typer.Option(metavar="NAME", help=_("Who asks; the account that calls by default"))] = "",
    emergency: Annotated[
        bool, typer.Option("--emergency", help=_("The change cannot wait; notice and approval follow"))
    ] = False,
    standing: Annotated[
        bool, typer.Option("--standing", help=_("Request a lasting approval of one sort of change"))
    ] = False,
    package: Annotated[
        list[str] | None,
        typer.Option(
            "--package", metavar="NAME", help=_("Of a standing approval: which packages; * stands for any letters")
        ),
    ] = None,
    account: Annotated[
        list[str] | None,
        typer.Option(
            "--account",
            metavar="NAME",
            help=_("Of a standing approval: who may make the change, such as unattended-upgrade; may be repeated"),
        ),
    ] = None,
    dry_run: DryRun = False,
) -> Result[RecordedChangeShape]:
    session = open_session(ctx)
    kind = _kind(emergency=emergency, standing=standing)
    hosts = tuple(dict.fromkeys(known_host(session.settings.hosts, each).id for each in host))
    begins_at, ends_at = moment(session, begins, "--from"), moment(session, ends, "--to")
    require_window(session, kind, begins_at, ends_at)
    packages, accounts = limits_of(kind, tuple(package or ()), tuple(account or ()))
    asked_by = written_text(by, "--by") if by else caller_of(session)
    texts = tuple(
        written_text(text, option) for option, text in {"--what": what, "--why": why, "--rollback": rollback}.items()
    )

    def made(register: ChangeRegister) -> ChangeRequest:
        return ChangeRequest(
            id=_next_id(session, register),
            kind=kind,
            what=texts[0],
            why=texts[1],
            hosts=hosts,
            begins_at=begins_at,
            ends_at=ends_at,
            rollback=texts[2],
            requested_by=asked_by,
            packages=packages,
            accounts=accounts,
        )

    if dry_run:
        register = read_changes(session.reader)
        asked = made(register)
        change = RecordedChange(ChangeStep(0, session.clock.now(), asked))
        return change_result(session, change, overlaps(register, asked), is_recorded=False)
    ledger = session.writable_ledger
    done: list[tuple[ChangeRegister, ChangeRequest]] = []

    def decide() -> tuple[Draft]:
        register = read_changes(ledger)
        asked = made(register)
        done.append((register, asked))
        body = bodies.write({"circumstances": session.circumstances, KEYS[REQUESTED][0]: asked})
        return (ledger.draft(REQUESTED, subject=asked.id, duty="12.2-notice", body=ledger.keep(body)),)

    (record,) = ledger.append_decided(decide)
    register, asked = done[-1]
    return change_result(session, RecordedChange(ChangeStep(record.seq, record.at, asked)), overlaps(register, asked))


def _kind(*, emergency: bool, standing: bool) -> ChangeKind:
    if emergency and standing:
        raise UsageError(
            msg("--emergency and --standing exclude each other"),
            msg("A standing approval must exist before it is used."),
        )
    if emergency:
        return ChangeKind.EMERGENCY
    return ChangeKind.STANDING if standing else ChangeKind.NORMAL


def _next_id(session: Session, register: ChangeRegister) -> str:
    """Return an id that no record bears, whether it can be read or not."""
    year = session.clock.now().astimezone(session.zone_of_portal).year
    prefix = f"CH-{year}-"
    numbers = [
        int(name.removeprefix(prefix)) for name in register.names if re.fullmatch(rf"{prefix}[0-9]{{3,9}}", name)
    ]
    return f"{prefix}{max(numbers, default=0) + 1:03d}"


VERB = Verb(request)
