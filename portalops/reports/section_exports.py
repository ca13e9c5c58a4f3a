"""Which bundles were handed out by whom, and what was left out of them. Pure; any report may use it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from portalops.model.message import msg
from portalops.registers.exports import Exporter, RecordedExport
from portalops.reports.bounded import bounded
from portalops.reports.document import Block, Cell, Paragraph, TableBlock


def export_blocks(exports: Sequence[RecordedExport]) -> Iterator[Block]:
    """Yield the bundles, the newest first, and every detail that was withheld from one with its reason; or that there is none."""
    if not exports:
        yield Paragraph(msg("No bundle was exported in the period."))
        return
    headers = (
        msg("At"),
        msg("Period of the bundle"),
        msg("Account"),
        msg("Host"),
        msg("Reports in it"),
        msg("Details withheld"),
        msg("Record"),
    )
    rows = [
        (
            each.at,
            each.export.period,
            _account(each.by),
            each.by.host if each.by else None,
            ", ".join(file.name for file in each.export.reports[:5]) or None,
            len(each.export.withheld),
            str(each.seq),
        )
        for each in reversed(exports)
    ]
    yield from bounded(TableBlock(msg("Bundles exported in the period, the newest first"), headers, rows))
    withheld = [
        (each.at, one.digest, one.reason, str(each.seq)) for each in reversed(exports) for one in each.export.withheld
    ]
    if withheld:
        names = (msg("At"), msg("Details (SHA-256)"), msg("Reason"), msg("Record"))
        yield from bounded(TableBlock(msg("Details that were withheld from a bundle, and why"), names, withheld))


def _account(by: Exporter | None) -> Cell:
    """Say as whom the export ran: the account, who logged in, and whom sudo named, as the machine had it."""
    if by is None:
        return msg("not recorded")
    account = msg("user id {id}", id=str(by.user_id))
    if by.login_user_id is not None and by.login_user_id != by.user_id:
        account = msg("{account}, logged in as user id {login}", account=account, login=str(by.login_user_id))
    return msg("{account}, by sudo of {user}", account=account, user=by.sudo_user) if by.sudo_user else account
