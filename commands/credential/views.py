"""What the verbs of this noun show alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from commands.cli.shapes import ShownMessage, shape
from portalops.model.credentials import Credential, CredentialKind, same_person
from portalops.model.message import Message, msg
from portalops.registers.credentials import LACKING, CredentialRegister, HeldCredential
from portalops.reports.document import Cell, KeyValues, Status, Tone
from portalops.reports.words import credential_kind_word


@shape
class CredentialShape:
    """One credential, as the register has it now."""

    id: str
    system: str
    """`KIND:NAME`, with `@HOST` behind it where it runs on a configured host."""
    account: str
    kind: CredentialKind
    holder: str
    deputy: str | None
    place: str | None
    """Where it is kept."""
    issued_on: date | None
    rotated_on: date | None
    """When its secret was last changed."""
    rotate_by: date | None
    """The last day that was recorded for its use without a change."""
    due_on: date | None
    """The last day on which it may be used unchanged: `rotate_by`, or earlier where its kind allows less."""
    overdue: bool
    """It is in use, and `due_on` is past."""
    mfa: bool
    """It opens nothing without a second factor."""
    shared: bool
    """Several people use the account."""
    fingerprint: str | None
    handed_over_on: date | None
    returned_on: date | None
    received_by: str | None
    """Who took it back."""
    knowers: tuple[str, ...]
    """Everyone who knows the secret: its holders and deputies since it was last changed."""
    known_by_records: Mapping[str, int]
    """By knower: the record that made them holder or deputy."""
    use_record: int
    """The record of its system, account, kind, `mfa` and `shared`."""
    custody_record: int
    """The record of its holder, deputy and place."""
    secret_record: int
    """The record of the last change of its secret."""
    returned_record: int | None
    problems: tuple[ShownMessage, ...]
    """What must be seen to."""


def problems_of(register: CredentialRegister, each: HeldCredential, today: date) -> list[Message]:
    """Return what must be seen to of one credential, each with its records; of one that was returned, what cannot be read."""
    found: list[Message] = []
    if each.id in register.unreadable:
        seqs = register.unreadable[each.id]
        found.append(msg("records of this credential cannot be read: {seqs}", seqs=listing(map(str, seqs))))
    if not each.is_active:
        return found
    for left in register.leavers_of(each):
        known = next(one.seq for one in each.knowers if same_person(one.person, left.person))
        if left.on <= today:
            found.append(
                msg(
                    "known to {person}, who left (records {known}, {left})",
                    person=left.person,
                    known=known,
                    left=left.seq,
                )
            )
    if each.is_overdue(today) and each.due_on is not None:
        found.append(msg("overdue: to be changed by {day} (record {seq})", day=each.due_on, seq=each.secret_seq))
    for one in each.lacks:
        seq = each.secret_seq if one == "issued" else each.custody_seq
        found.append(msg("missing in record {seq}: {what}", what=LACKING[one], seq=seq))
    return found


def listing(names: Iterable[str]) -> str:
    """Return names in one line."""
    return ", ".join(names) or "-"


def credential_data(register: CredentialRegister, each: HeldCredential, today: date) -> CredentialShape:
    """Return one credential for programs."""
    one = each.credential
    return CredentialShape(
        id=one.id,
        system=one.system,
        account=one.account,
        kind=one.kind,
        holder=one.holder,
        deputy=one.deputy or None,
        place=one.place or None,
        issued_on=one.issued_on,
        rotated_on=one.rotated_on,
        rotate_by=one.rotate_by,
        due_on=each.due_on,
        overdue=each.is_overdue(today),
        mfa=one.mfa,
        shared=one.shared,
        fingerprint=one.fingerprint or None,
        handed_over_on=each.custody_on,
        returned_on=each.returned.on if each.returned else None,
        received_by=each.returned.received_by if each.returned else None,
        knowers=tuple(knower.person for knower in each.knowers),
        known_by_records={knower.person: knower.seq for knower in each.knowers},
        use_record=each.use_seq,
        custody_record=each.custody_seq,
        secret_record=each.secret_seq,
        returned_record=each.returned_seq,
        problems=tuple(ShownMessage.of(problem) for problem in problems_of(register, each, today)),
    )


def view_of(register: CredentialRegister, each: HeldCredential, today: date) -> KeyValues:
    """Return one credential for a person."""
    one = each.credential
    yes, no = msg("yes"), msg("no")
    rows: list[tuple[Message, Cell]] = [
        (msg("Credential"), one.id),
        (msg("System"), one.system),
        (msg("Account"), one.account),
        (msg("Kind"), credential_kind_word(one.kind)),
        (msg("Holder"), one.holder or None),
        (msg("Deputy"), one.deputy or None),
        (msg("Place of custody"), one.place or None),
        (msg("Custody recorded in"), msg("record {seq}", seq=each.custody_seq)),
        (msg("Issued on"), one.issued_on),
        (msg("Last changed on"), one.rotated_on),
        (msg("To be changed by"), each.due_on),
        (msg("Secret recorded in"), msg("record {seq}", seq=each.secret_seq)),
        (msg("Second factor"), yes if one.mfa else no),
        (msg("Used by"), _USE[one.shared]),
        (msg("Use recorded in"), msg("record {seq}", seq=each.use_seq)),
        (msg("Fingerprint"), one.fingerprint or None),
    ]
    rows += [
        (msg("Known to"), msg("{person}, by record {seq}", person=knower.person, seq=knower.seq))
        for knower in each.knowers
    ]
    if each.returned is not None:
        rows += [
            (msg("Returned on"), each.returned.on),
            (msg("Received by"), each.returned.received_by),
            (msg("Return recorded in"), msg("record {seq}", seq=each.returned_seq or 0)),
        ]
    problems = problems_of(register, each, today)
    tone = Tone.UNSURE if each.id in register.unreadable else Tone.BAD
    states = [Status(problem, tone) for problem in problems] or [state_of(register, each, today)]
    return KeyValues([*rows, *((msg("State"), state) for state in states)])


def state_of(register: CredentialRegister, each: HeldCredential, today: date) -> Status:
    """Return the state of one credential in a phrase."""
    problems: Sequence[Message] = problems_of(register, each, today)
    if problems:
        more = len(problems) - 1
        text = msg("{problem} (and {n} more)", problem=problems[0], n=more) if more else problems[0]
        return Status(text, Tone.UNSURE if each.id in register.unreadable else Tone.BAD)
    if each.is_active:
        return Status(msg("held (record {seq})", seq=each.custody_seq), Tone.GOOD)
    return Status(msg("returned (record {seq})", seq=each.returned_seq or 0), Tone.NEUTRAL)


def use_word(one: Credential) -> Message:
    """Return in a phrase what it is, and how it is used."""
    kind = credential_kind_word(one.kind)
    match one.shared, one.mfa:
        case False, False:
            return kind
        case False, True:
            return msg("{kind}, second factor", kind=kind)
        case True, False:
            return msg("{kind}, shared", kind=kind)
        case _:
            return msg("{kind}, shared, second factor", kind=kind)


_USE = {False: msg("one person"), True: msg("several people")}


def recorded_row(*, dry_run: bool, seq: int | None) -> tuple[Message, Cell]:
    """Return the row that says where it was recorded."""
    return msg("Recorded in"), msg("nothing: this was a dry run") if dry_run else msg("record {seq}", seq=seq or 0)
