"""The register of credentials as it was at the period's end: what is overdue, known to who left, or lacking. Pure.

No account, place of custody or fingerprint is named: whoever checks the unit looks them up in the register by the id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date

from portalops.model.credentials import CredentialKind
from portalops.model.message import Message, msg, nmsg, together
from portalops.model.text import show_text
from portalops.registers.credentials import (
    ADDED,
    CORRECTED,
    HANDED_OVER,
    LACKING,
    RETURNED,
    ROTATED,
    CredentialRegister,
    HeldCredential,
    LeavingPerson,
)
from portalops.registers.evidence import Evidence
from portalops.reports.bounded import bounded
from portalops.reports.document import Block, Cell, Notice, Paragraph, Status, TableBlock, Tone
from portalops.reports.words import credential_kind_word, joined

SEQS_SHOWN = 6
IDS_SHOWN = 10


def credential_blocks(evidence: Evidence, *, is_cut: bool = False) -> Iterator[Block]:
    """Yield the register in numbers, what was recorded in the period, each credential, and who left and knows some still.

    Args:
        evidence: with the register.
        is_cut: it holds a part of the credentials alone, so that who knows none of them may know others.
    """
    register = evidence.credentials
    if register is None or not register.is_begun:
        yield Paragraph(msg("The register of credentials is empty; that proves nothing about the period."))
        return
    lost = sorted({*register.unfitting, *(seq for seqs in register.unreadable.values() for seq in seqs)})
    if lost:
        seqs = ", ".join(map(str, lost[:SEQS_SHOWN]))
        text = msg("Records of credentials that cannot be read, or match no credential: {seqs}.", seqs=seqs)
        yield Notice(text, Tone.BAD)
    day = evidence.last_day()
    active = [each for each in register.credentials.values() if each.is_active]
    yield _numbers(register, active, day)
    yield Paragraph(_count_period(register, evidence))
    pressing = sorted(
        active, key=lambda each: not _problems(register, each, day)
    )  # stable: else in the order of the register
    headers = (
        msg("Credential"), msg("System"), msg("Kind"), msg("Holder"), msg("Deputy"), msg("Last changed on"),
        msg("To be changed by"), msg("State"), msg("Records"),
    )  # fmt: skip
    rows = [_row(register, each, day) for each in pressing]
    caption = nmsg(
        "{n} credential in use at the end of the period",
        "{n} credentials in use at the end of the period, those that need action first",
        len(rows),
    )
    yield from bounded(TableBlock(caption, headers, rows))
    yield from _leavers(register, evidence, day, is_cut=is_cut)


def _numbers(register: CredentialRegister, active: Sequence[HeldCredential], day: date) -> TableBlock:
    def numbers(label: Message, of: Sequence[HeldCredential]) -> tuple[Cell, ...]:
        return (
            label,
            len(of),
            sum(each.is_overdue(day) for each in of),
            sum(bool(_left(register, each, day)) for each in of),
            sum(bool(each.lacks) for each in of),
            sum(each.credential.shared for each in of),
            sum(not each.credential.mfa for each in of),
        )

    by_kind = [(kind, [each for each in active if each.credential.kind is kind]) for kind in CredentialKind]
    rows = [numbers(credential_kind_word(kind), of) for kind, of in by_kind if of]
    headers = (
        msg("Kind"), msg("In use"), msg("Not changed in time"), msg("Known to people who left"), msg("Details missing"),
        msg("Shared"), msg("Without second factor"),
    )  # fmt: skip
    caption = msg("The register of credentials in figures, on {day} (Article 12.5)", day=day)
    return TableBlock(caption, headers, [*rows, numbers(msg("all"), active)])


def _count_period(register: CredentialRegister, evidence: Evidence) -> Message:
    kinds = Counter(
        step.kind
        for each in register.credentials.values()
        for step in each.steps
        if step.at.astimezone(evidence.zone).date() in evidence.period
    )
    return msg(
        "Recorded in the period: {added} added, {rotated} changed, {handed} handed over, {returned} returned, {corrected}"
        " corrected.",
        added=kinds[ADDED],
        rotated=kinds[ROTATED],
        handed=kinds[HANDED_OVER],
        returned=kinds[RETURNED],
        corrected=kinds[CORRECTED],
    )


def _row(register: CredentialRegister, each: HeldCredential, day: date) -> tuple[Cell, ...]:
    one = each.credential
    problems = _problems(register, each, day)
    tone = Tone.UNSURE if each.id in register.unreadable else Tone.BAD
    return (
        each.id,
        show_text(one.system),
        credential_kind_word(one.kind),
        show_text(one.holder) or None,
        show_text(one.deputy) or None,
        one.rotated_on,
        each.due_on,
        Status(together(problems), tone) if problems else Status(msg("held, nothing to do"), Tone.GOOD),
        ", ".join(map(str, each.seqs)),
    )


def _problems(register: CredentialRegister, each: HeldCredential, day: date) -> list[Message]:
    found: list[Message] = []
    if each.id in register.unreadable:
        seqs = ", ".join(map(str, register.unreadable[each.id][:SEQS_SHOWN]))
        found.append(msg("records of this credential cannot be read: {seqs}", seqs=seqs))
    if left := _left(register, each, day):
        names = ", ".join(show_text(one.person) for one in left[:IDS_SHOWN])
        found.append(msg("known to {names}, who left", names=names))
    if each.is_overdue(day):
        found.append(msg("not changed in time"))
    if each.lacks:
        found.append(msg("missing: {what}", what=joined([LACKING[one] for one in each.lacks])))
    return found


def _left(register: CredentialRegister, each: HeldCredential, day: date) -> list[LeavingPerson]:
    return [one for one in register.leavers_of(each) if one.on <= day]


def _leavers(register: CredentialRegister, evidence: Evidence, day: date, *, is_cut: bool) -> Iterator[Block]:
    """Yield who left in the period, or before it and knows a credential that is in use still."""
    rows: list[tuple[Cell, ...]] = []
    for left in sorted(register.left, key=lambda one: -one.seq):
        known = register.known_to(left.person)
        if left.on > day or not (known or (left.on in evidence.period and not is_cut)):
            continue
        state: Cell = Status(msg("nothing"), Tone.GOOD)
        if known:
            ids = ", ".join(each.id for each in known[:IDS_SHOWN])
            more = len(known) - IDS_SHOWN
            said = msg("{ids} and {n} more", ids=ids, n=more) if more > 0 else msg("{ids}", ids=ids)
            state = Status(said, Tone.BAD)
        rows.append((show_text(left.person), left.on, left.seq, state))
    if rows:
        headers = (msg("Person"), msg("Left on"), msg("Record"), msg("What they still know"))
        yield from bounded(TableBlock(msg("People who left, newest record first"), headers, rows))
