"""Set records aside, by two persons, so that the ledger goes on behind them

A line that is no record, a record that sent the ledger elsewhere, one that counts for nothing, and one that no writer
claims can be set aside. Nothing is removed: the lines stay in the chain, 'ledger verify' and bundles name them, and they
meet no duty. Without --signature, shows the text that the second person signs, with their own key and on their own machine.

Example: portalops ledger quarantine 412 412 --by 'Nguyễn Văn An' --second binh --reason 'written by a stolen account'
--request quarantine.txt; portalops ledger quarantine ... --signature quarantine.txt.sig

EXIT STATUS: 0 shown or recorded, 2 a record is not one to be set aside, or the person is unknown, 4 the signing key is not
the ledger's, 5 the signature is not the second person's, 78 no signing key is configured
"""

from __future__ import annotations

from datetime import datetime

import typer

from commands.cli.entries import Reason, written_text
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.ledger.options import By, First, Last, Request, Second, Signature
from commands.ledger.steps import ledgers_key, second_person, signed_by_two
from commands.ledger.views import to_be_signed
from portalops import bodies
from portalops.errors import UsageError
from portalops.ledger.claims import AUTHORITY_KINDS, Ownership
from portalops.ledger.erasures import find_void_erasures
from portalops.ledger.heads import read_signers
from portalops.ledger.heeded import read_each_claim
from portalops.ledger.journals import noted_here
from portalops.ledger.ledger import Ledger
from portalops.ledger.quarantine_text import FORMS, MOST_SET_ASIDE, text_of
from portalops.ledger.quarantines import ReadQuarantine, is_anybodys, may_set_aside, records_set_aside
from portalops.ledger.set_aside import (
    find_flaw,
    find_lacking,
    find_void_by_two,
    read_set_aside,
    read_standings,
    stored_lines,
)
from portalops.model.message import msg, nmsg
from portalops.model.quarantines import Quarantine
from portalops.model.record import Digest
from portalops.registers.writers import BY_TWO, QUARANTINED
from portalops.reports.document import Paragraph
from portalops.signatures.sshsig import fingerprint


@shape
class QuarantineShown:
    """Records that are set aside, or are to be."""

    first: int
    last: int
    by: str
    second: str
    fingerprint: str
    """Of the second person's key."""
    reason: str
    text: str
    """What both sign."""
    seq: int | None
    """The record that says so; null where the second signature is still to come."""


def quarantine(
    ctx: typer.Context,
    first: First,
    last: Last,
    *,
    by: By,
    second: Second,
    reason: Reason,
    request: Request = None,
    signature: Signature = None,
) -> Result[QuarantineShown]:
    session = open_session(ctx)
    ledger = session.ledger_to_mend
    key = ledgers_key(session, ledger)
    person, key_text = second_person(session, second, by)
    digest = _require_strange(ledger, first, last)
    words = written_text(by, "--by"), written_text(reason, "--reason")
    asked = Quarantine(ledger.id, first, last, digest, words[0], person, key_text, words[1])
    _require_sound(ledger, asked, key.public_key, session.clock.now())
    parts = signed_by_two(asked, QUARANTINED, key, request, signature)
    text = text_of(asked)
    if parts is None:
        return Result(_shown(asked, text, None), to_be_signed(asked, QUARANTINED, request))
    body = ledger.keep(bodies.write({"circumstances": session.circumstances, FORMS[QUARANTINED].part: parts}))
    record = ledger.append_quarantine(ledger.draft(QUARANTINED, subject=f"{first}-{last}", body=body))
    said = nmsg(
        "Record {last} is set aside, in record {seq}. Nothing was removed; 'portalops ledger verify' names it.",
        "Records {first} to {last} are set aside, in record {seq}. Nothing was removed; 'portalops ledger verify' names them.",
        last - first + 1,
        first=str(first),
        last=str(last),
        seq=record.seq,
    )
    return Result(_shown(asked, text, record.seq), (Paragraph(said),))


def _require_strange(ledger: Ledger, first: int, last: int) -> Digest:
    """Return the digest of the last line, after it was made sure that each of them may be set aside."""
    if not first <= last < first + MOST_SET_ASIDE:
        raise UsageError(
            msg("there are no records {first} to {last}", first=str(first), last=str(last)),
            msg("Give the first and the last record, at most {most} in a row.", most=MOST_SET_ASIDE),
        )
    lines = stored_lines(ledger, range(first, last + 1))
    if len(lines) != last - first + 1:
        raise UsageError(
            msg("there are no records {first} to {last}", first=str(first), last=str(last)),
            msg("The ledger has {n} records. Run 'portalops ledger verify' to see what is wrong.", n=ledger.count()),
        )
    ownership = read_each_claim(ledger)
    set_aside = read_set_aside(ledger, ownership)
    counting = ownership.spoken_for.difference(ownership.faulted).union(each.seq for each in set_aside)
    aside = records_set_aside(set_aside)
    is_own = noted_here(ledger.whole, ledger.folder)
    records = [record for _seq, _digest, record in lines if record is not None]
    void, sound = read_standings(ledger, read_signers(ledger), records)
    if any(record.kind in BY_TWO for record in records):
        void |= find_void_by_two(ledger, ownership)
    if (counting | aside).issuperset(range(first, last + 1)):
        raise _nothing_to_change(first, is_aside=first in aside)
    lacking, void_erasures = find_lacking(ledger, records), find_void_erasures(ledger, records)
    for record in records:
        seq = record.seq
        if is_anybodys(seq, record.kind) or seq in void_erasures:
            continue
        if is_own(seq):
            raise UsageError(
                msg("record {seq} is this machine's own, and not claimed yet", seq=seq),
                msg("Run 'portalops ledger head' here: it claims that record."),
            )
        standing = {"is_void": seq in void, "is_sound": seq in sound, "is_lacking": seq in lacking}
        restricted = record.kind in AUTHORITY_KINDS
        if not may_set_aside(seq, ledger.count() + 1, ownership, **standing, is_restricted=restricted):
            raise _not_strange(seq, ownership, is_sound=seq in sound, is_lacking=seq in lacking)
    return lines[-1][1]


def _require_sound(ledger: Ledger, asked: Quarantine, own: str, now: datetime) -> None:
    """Make sure that it would count."""
    read = ReadQuarantine(ledger.count() + 1, now, QUARANTINED, asked, (own, asked.public_key), None, True)
    if (why := find_flaw(ledger, read_each_claim(ledger), read)) is not None:
        raise UsageError(
            msg("these records cannot be set aside so: {why}", why=why),
            msg("Run 'portalops ledger verify' to see whose keys are known, or name another person with --second."),
        )


def _nothing_to_change(seq: int, *, is_aside: bool) -> UsageError:
    if is_aside:
        return UsageError(
            msg("record {seq} is set aside already", seq=seq),
            msg("Run 'portalops ledger verify' to see who set it aside, and when."),
        )
    return UsageError(
        msg("record {seq} counts: a quarantine changes nothing of it", seq=seq),
        msg(
            "A writer is ended with 'portalops ledger enroll --end NAME'; a key is changed with 'portalops ledger rotate-key'."
        ),
    )


def _not_strange(seq: int, ownership: Ownership, *, is_sound: bool, is_lacking: bool) -> UsageError:
    if seq in ownership.contradicting:
        name = ownership.writer(ownership.contradicting[seq]).name
        return UsageError(
            msg("record {seq} is a claim of {name} that speaks against the lines of the ledger", seq=seq, name=name),
            msg(
                "Compare with heads kept elsewhere. If that writer's key was stolen: 'portalops ledger enroll --end {name}', then this again.",
                name=name,
            ),
        )
    owner = ownership.owner(seq)
    if owner is not None and is_lacking:
        return UsageError(
            msg("the details of record {seq}, which {name} claims, are missing", seq=seq, name=owner.name),
            msg(
                "If they were lost, restore them: docs/stopped.md, Damage. If that writer's key was stolen: 'portalops ledger enroll --end {name}', then this again.",
                name=owner.name,
            ),
        )
    if owner is not None:
        return UsageError(
            msg("record {seq} is claimed by {name}", seq=seq, name=owner.name),
            msg(
                "What a writer claims stays, unless it counts for nothing: 'portalops ledger verify' names that. Correct what it says by"
                " a record of its own kind."
            ),
        )
    if is_sound:
        return UsageError(
            msg("a key of the ledger stands for record {seq}", seq=seq),
            msg("Such a record stays: it is a head, or a key that was confirmed."),
        )
    return UsageError(
        msg("record {seq} is whole, and recorded before anybody claimed records", seq=seq),
        msg("Such a record stays. Correct what it says by a record of its own kind."),
    )


def _shown(asked: Quarantine, text: str, seq: int | None) -> QuarantineShown:
    key = fingerprint(asked.public_key)
    return QuarantineShown(asked.first, asked.last, asked.by, asked.second, key, asked.reason, text, seq)


VERB = Verb(quarantine)
