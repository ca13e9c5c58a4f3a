"""Stand for records that no writer claimed

A command claims what it records; one that was killed is made good by the next one on that machine. Records stay unclaimed
where a machine was lost, or a backup of the ledger was restored: somebody who knows that they are right stands for them
with this machine's key. Records that a stranger wrote are not to be claimed: they meet no duty.

Example: portalops ledger claim 412 415 --reason 'web1 was lost; its disk was compared'

EXIT STATUS: 0 claimed, 2 a record is claimed already or set aside, or there is none, or the key is not enrolled
"""

from __future__ import annotations

from typing import Annotated

import typer

from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from portalops.errors import UsageError
from portalops.ledger.claimant import draft_claim
from portalops.ledger.heeded import numbers_set_aside, read_ownership, state_of_writer
from portalops.ledger.record import line_digest
from portalops.locale import _
from portalops.model.message import msg
from portalops.model.writers import LineRange, WriterState
from portalops.reports.document import KeyValues


@shape
class ClaimedRange:
    """Records that a writer stands for from now on."""

    first: int
    last: int
    seq: int
    """The record of the claim."""


def claim(
    ctx: typer.Context,
    first: Annotated[int, typer.Argument(min=1, metavar="FIRST", help=_("The first record"))],
    last: Annotated[int, typer.Argument(min=1, metavar="LAST", help=_("The last record"))],
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help=_("Why, for the readers of the ledger"))],
) -> Result[ClaimedRange]:
    session = open_session(ctx)
    if not reason.strip():
        raise UsageError(msg("{option} is empty", option="--reason"), msg("Say why these records are right."))
    ledger = session.writable_ledger
    key = session.claimant.key
    if key is None or state_of_writer(ledger, key.public_key) is not WriterState.ADDED:
        raise UsageError(
            msg("this machine's key is not enrolled"), msg("Run 'portalops ledger enroll' to see how that is done.")
        )
    record, count = ledger.record(last), ledger.count()
    if first > last or record is None:
        raise UsageError(
            msg("there are no records {first} to {last}", first=str(first), last=str(last)),
            msg(
                "The newest record is {seq}. Run 'portalops ledger verify' to see which are not claimed.",
                seq=str(count),
            ),
        )
    ownership, set_aside = read_ownership(ledger), numbers_set_aside(ledger)
    for seq in range(first, last + 1):
        if seq in set_aside:
            raise UsageError(
                msg("two persons set record {seq} aside, and a claim changes nothing of it", seq=seq),
                msg("Claim the records in front of it and behind it."),
            )
        if (owner := ownership.owner(seq)) is not None:
            raise UsageError(
                msg("record {seq} is claimed by {name}", seq=seq, name=owner.name),
                msg("Run 'portalops ledger verify' to see which records are not claimed."),
            )
    draft = draft_claim(
        ledger,
        key,
        (LineRange(first, last, line_digest(record.line)),),
        reason=reason.strip(),
        circumstances=session.circumstances,
    )
    (made,) = ledger.append_many((draft,))
    rows = ((msg("Records"), f"{first}-{last}"), (msg("Claimed in record"), str(made.seq)))
    return Result(data=ClaimedRange(first, last, made.seq), view=[KeyValues(rows)])


VERB = Verb(claim)
