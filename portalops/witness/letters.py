"""The mails of a witness: what was found, in Vietnamese and English in one mail, so that everybody on duty can read it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import tzinfo

from portalops.ledger.heads import code_of
from portalops.locale import render
from portalops.model.message import Message, msg
from portalops.model.text import format_at
from portalops.witness.alarms import AGAIN_AFTER, Occasion, Trouble, WaitingMail
from portalops.witness.polling import LedgerPoll

LANGUAGES = ("vi", "en")
RULE = "\n\n" + "-" * 72 + "\n\n"


def letter_of(seen: LedgerPoll, trouble: Trouble, occasion: Occasion, *, witness: str, zone: tzinfo) -> WaitingMail:
    """Write the mail about a poll.

    Args:
        seen: the look.
        trouble: what it is about; of a problem that is over, the former one.
        occasion: why it is written now.
        witness: the witness's host, for people with several.
        zone: where moments are shown.
    """
    subject = " / ".join(render(_subject(seen, trouble, occasion), language, zone=zone) for language in LANGUAGES)
    paragraphs = tuple(_paragraphs(seen, trouble, occasion, witness))
    text = RULE.join(
        "\n\n".join(render(paragraph, language, zone=zone) for paragraph in paragraphs) for language in LANGUAGES
    )
    name = f"{seen.id} {seen.state.ledger} {witness} {trouble} {occasion} {format_at(seen.at)}"
    identity = f"portalops-witness-{hashlib.sha256(name.encode()).hexdigest()[:24]}"
    return WaitingMail(identity, trouble, occasion, f"portalops {seen.id}: {subject}", f"{text}\n", seen.at)


def _subject(seen: LedgerPoll, trouble: Trouble, occasion: Occasion) -> Message:
    match trouble, occasion:
        case Trouble.REFUSED, Occasion.OVER:
            return msg("the ledger is in order again")
        case Trouble.REFUSED, _:
            return msg("ALARM: the head of the ledger was refused")
        case Trouble.OVERDUE, Occasion.OVER:
            return msg("new heads arrive again")
        case Trouble.UNCLAIMED, Occasion.OVER:
            return msg("all records have their writer again")
        case Trouble.UNCLAIMED, _:
            return msg("ALARM: records that no writer claims")
        case _:
            return msg("ALARM: no new head for {hours} hours", hours=int(seen.silence.total_seconds() // 3600))


def _paragraphs(seen: LedgerPoll, trouble: Trouble, occasion: Occasion, witness: str) -> Iterator[Message]:
    yield msg("The witness on {host} watches the ledger {id} ({ledger}).", host=witness, id=seen.id, ledger=_id(seen))
    match trouble, occasion:
        case _, Occasion.OVER:
            yield msg("The alarm is over: a valid head arrived at {at}.", at=seen.at)
        case Trouble.UNCLAIMED, _:
            yield msg(
                "No writer claims some records. Somebody who stole the right to append may have written them, or a machine was lost."
                " They meet no duty."
            )
        case Trouble.REFUSED, _:
            yield msg(
                "A head that does not extend the kept head was refused. Records may have been cut off, changed "
                "or replaced since then."
            )
        case _:
            yield msg(
                "No new head arrived in time. The portal's host may be down, its jobs may have stopped, or "
                "somebody is withholding the heads."
            )
    if occasion is not Occasion.OVER and seen.problem is not None:
        yield msg("Problem: {problem}.", problem=seen.problem)
    for note in seen.notes:
        yield msg("Note: {note}.", note=note)
    head = seen.head
    if head is not None and seen.state.kept is not None:
        yield msg(
            "The kept head: {size} records, code {code}, made at {made}, received here at {taken}.",
            size=head.size,
            code=code_of(head),
            made=head.at,
            taken=seen.state.kept_at or seen.at,
        )
    if occasion is not Occasion.OVER:
        if seen.hint is not None:
            yield seen.hint
        yield msg(
            "This mail comes again every {hours} hours while the problem lasts, and once when it is over.",
            hours=int(AGAIN_AFTER.total_seconds()) // 3600,
        )


def _id(seen: LedgerPoll) -> str:
    return seen.state.ledger or "?"
