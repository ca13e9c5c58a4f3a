"""What other tools claimed last: the records of `backup.adopted`, folded."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from portalops.bodies import decode_part
from portalops.errors import PortalOpsError
from portalops.model.adopted import AdoptedPoll
from portalops.model.record import Recorded
from portalops.model.values import dataclass
from portalops.ports import LedgerReader
from portalops.registers.backups import PassOver, unreadable

ADOPTED: Final = "backup.adopted"
KEY: Final = "adopted"
"""The key of the body."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one tool said when it last answered, and whether it has answered since."""

    seq: int
    """The record of that answer; of the last failed look, if it never answered."""
    at: datetime
    look: AdoptedPoll
    problem: str = ""
    """Why it did not answer when it was asked last; empty if it did."""


def claims_of(looks: Iterable[Recorded[AdoptedPoll]]) -> tuple[Claim, ...]:
    """Return the newest claim of each table, by id; looks come oldest first."""
    found: dict[str, Claim] = {}
    for each in looks:
        known = found.get(each.body.id)
        if each.body.problem and known is not None and not known.look.problem:
            found[each.body.id] = Claim(known.seq, known.at, known.look, each.body.problem)
        else:
            found[each.body.id] = Claim(each.seq, each.at, each.body, each.body.problem)
    return tuple(found[name] for name in sorted(found))


def read_claims(ledger: LedgerReader, *, pass_over: PassOver | None = None) -> tuple[Claim, ...]:
    """Return what each tool claimed last; `pass_over` is given each record that cannot be read.

    Raises:
        LedgerError: a record's details cannot be read, and nothing is to be passed over.
    """
    looks: list[Recorded[AdoptedPoll]] = []
    for record in ledger.records(kinds=(ADOPTED,)):
        try:
            body = decode_part(ledger.blob(record.body), KEY, AdoptedPoll)
        except PortalOpsError as error:
            if pass_over is None:
                raise unreadable(record, error) from error
            pass_over(record, error)
            continue
        if body is not None:
            looks.append(Recorded(record.seq, record.at, record.run, body))
    return claims_of(looks)
