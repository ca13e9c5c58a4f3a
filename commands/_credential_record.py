"""The verbs of `portalops credential` that record something: each decides from the register while nobody else can append."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated

import typer

from commands._credential_roles import names_in_roles, role_data, roles_of, roles_table
from commands._credentials import (
    IdArgument,
    Reason,
    active,
    data_of,
    dry,
    known_person,
    listing,
    past_day,
    refuse_extra,
    register_of,
    state_of,
    today_of,
    typed,
    typed_day,
    typed_id,
    typed_kind,
    typed_person,
    typed_system,
    view_of,
)
from commands._registers import DryRun
from commands._result import JsonValue, Result
from commands._session import Session, open_session
from portalops.errors import ExitCode, UsageError
from portalops.ledger import bodies
from portalops.ledger.record import Draft
from portalops.locale import _
from portalops.model.credentials import (
    LONGEST_DAYS,
    Credential,
    CredentialHandOver,
    CredentialKind,
    CredentialReturn,
    CredentialRotation,
    Leaving,
    fingerprint_in,
    is_fingerprint,
    same_person,
)
from portalops.model.message import Message, msg, nmsg
from portalops.registers.credentials import (
    ADDED,
    CORRECTED,
    CREDENTIAL,
    HAND_OVER,
    HANDED_OVER,
    LEAVING,
    LEFT,
    RETURN,
    RETURNED,
    ROTATED,
    ROTATION,
    Body,
    CredentialRegister,
    read_credentials,
)
from portalops.reports.document import Block, KeyValues, Paragraph, Table

DUTY = "12.5-custody"

HELP_ADD = _(
    "Add a credential to the register\n\nIt holds who has the credential, for what, and where it is kept; never the secret."
    " What looks like a secret is refused. Holder and deputy are members as the configuration names them. A password may be"
    " used for 60 days unchanged, a key or a token for 366, a certificate for 398; --rotate-by may ask for less."
    "\n\nExample: portalops credential add web1-an --system host:web1 --account an --kind key --holder nguyen-van-an --deputy"
    " tran-thi-binh --place 'Két sắt phòng 204' --issued 2026-11-02 --fingerprint SHA256:..."
    "\n\nEXIT STATUS: 0 added or shown, 2 wrong usage, something looks like a secret, or the id is in the register already"
)
HELP_CORRECT = _(
    "Correct what the register says of a credential\n\nA new record; the one before stays. What is not given stays as it was."
    " What happened later is no correction: 'rotate', 'hand-over' and 'return' record that. Whoever was named as holder or"
    " deputy is taken to know the secret until it is changed, also after a correction."
    "\n\nExample: portalops credential correct web1-an --place 'Két sắt phòng 206' --reason 'wrong room'"
    "\n\nEXIT STATUS: 0 recorded or shown, 2 wrong usage, something looks like a secret, or there is no such credential"
)
HELP_ROTATE = _(
    "Record that a credential was changed: a new password, key, token or certificate\n\nFrom then on only its holder and its"
    " deputy know it.\n\nExample: portalops credential rotate web1-an --fingerprint SHA256:..."
    "\n\nEXIT STATUS: 0 recorded or shown, 2 wrong usage, something looks like a secret, or there is no such credential"
)
HELP_HAND_OVER = _(
    "Record that a credential went to another holder or deputy, or is kept elsewhere\n\nWhoever had it knows it still: change"
    " it afterwards, and record that by 'credential rotate'.\n\nExample: portalops credential hand-over web1-root --to"
    " tran-thi-binh --place 'Két sắt phòng 204'"
    "\n\nEXIT STATUS: 0 recorded or shown, 2 wrong usage, something looks like a secret, or there is no such credential"
)
HELP_RETURN = _(
    "Record that a credential was given back and opens nothing any more\n\nLock the account or remove the key first; 'credential"
    " audit' tells if it is still there.\n\nExample: portalops credential return web1-an --received-by 'Trần Thị Bình' --reason"
    " 'left the unit'\n\nEXIT STATUS: 0 recorded or shown, 2 wrong usage, something looks like a secret, or there is no such"
    " credential"
)
HELP_LEAVE = _(
    "Record that a person leaves, and list what they must return and hand over\n\nThat is every credential that they know: each"
    " must be returned, or handed over and changed. And what they answer for: servers, open incidents, changes that are not"
    " closed, and where the configuration names them. Say it again to see what is left. --back takes it back, with a reason."
    "\n\nExample: portalops credential leave nguyen-van-an --on 2026-11-30; portalops credential leave nguyen-van-an --dry-run"
    "\n\nEXIT STATUS: 0 recorded or shown, and nothing is left, 1 something is, 2 wrong usage, or nobody is known by that"
    " name, 3 nothing that can be read is left, and records cannot be read"
)

Given = str | None
Fingerprint = Annotated[
    Given, typer.Option(metavar="TEXT", help=_("Of a key or certificate, as 'ssh-keygen -l' prints it: SHA256:..."))
]
RotateBy = Annotated[Given, typer.Option(metavar="DAY", help=_("The last day on which it may be used unchanged"))]
On = Annotated[Given, typer.Option("--on", metavar="DAY", help=_("When it happened; today if it is left out"))]


def add(
    ctx: typer.Context,
    credential: IdArgument,
    *,
    system: Annotated[
        str,
        typer.Option(
            metavar="KIND:NAME", help=_("What it opens: host, database, portal, bucket or other, and its name")
        ),
    ],
    account: Annotated[str, typer.Option(metavar="NAME", help=_("The account that it opens"))],
    kind: Annotated[
        str, typer.Option(metavar="password|key|token|certificate", help=_("password, key, token or certificate"))
    ],
    holder: Annotated[str, typer.Option(metavar="MEMBER", help=_("Who keeps it and answers for it"))],
    deputy: Annotated[str, typer.Option(metavar="MEMBER", help=_("Who has it in the holder's absence"))] = "",
    place: Annotated[str, typer.Option(metavar="TEXT", help=_("Where it is kept"))] = "",
    issued: Annotated[Given, typer.Option(metavar="DAY", help=_("When it was issued"))] = None,
    rotate_by: RotateBy = None,
    mfa: Annotated[bool, typer.Option("--mfa", help=_("It opens nothing without a second factor"))] = False,
    shared: Annotated[bool, typer.Option("--shared", help=_("Several people use the account"))] = False,
    fingerprint: Fingerprint = None,
    dry_run: DryRun = False,
) -> Result:
    refuse_extra(ctx)
    session = open_session(ctx)
    chosen = typed_kind(kind)
    made = None if issued is None else past_day(session, issued, "--issued")
    body = Credential(
        typed_id(credential),
        typed_system(session, system),
        typed(account, "--account"),
        chosen,
        typed_person(session, holder, "--holder"),
        typed_person(session, deputy, "--deputy", needed=False),
        typed(place, "--place", needed=False),
        made,
        made,
        _last_day(chosen, made, rotate_by),
        mfa,
        shared,
        _fingerprint(chosen, fingerprint),
    )
    _require_two(body.holder, body.deputy)

    def decide(register: CredentialRegister) -> tuple[str, str, Body]:
        before = register.credentials.get(body.id)
        if before is not None and before.is_active:
            raise UsageError(
                msg("credential {id} is in the register already, by record {seq}", id=body.id, seq=before.steps[0].seq),
                msg("'portalops credential correct {id}' corrects it; choose another id for another one.", id=body.id),
            )
        _require_there(register, today_of(session), body.holder, body.deputy)
        return ADDED, CREDENTIAL, body

    return _recorded(session, body.id, decide, dry_run=dry_run)


def correct(
    ctx: typer.Context,
    credential: IdArgument,
    *,
    reason: Reason,
    system: Annotated[Given, typer.Option(metavar="KIND:NAME", help=_("What it opens"))] = None,
    account: Annotated[Given, typer.Option(metavar="NAME", help=_("The account that it opens"))] = None,
    kind: Annotated[
        Given, typer.Option(metavar="password|key|token|certificate", help=_("password, key, token or certificate"))
    ] = None,
    holder: Annotated[Given, typer.Option(metavar="MEMBER", help=_("Who keeps it and answers for it"))] = None,
    deputy: Annotated[Given, typer.Option(metavar="MEMBER", help=_("Who has it in the holder's absence"))] = None,
    place: Annotated[Given, typer.Option(metavar="TEXT", help=_("Where it is kept"))] = None,
    issued: Annotated[Given, typer.Option(metavar="DAY", help=_("When it was issued"))] = None,
    rotate_by: RotateBy = None,
    mfa: Annotated[
        bool | None, typer.Option("--mfa/--no-mfa", help=_("It opens nothing without a second factor"))
    ] = None,
    shared: Annotated[
        bool | None, typer.Option("--shared/--personal", help=_("Several people use the account"))
    ] = None,
    fingerprint: Fingerprint = None,
    dry_run: DryRun = False,
) -> Result:
    refuse_extra(ctx)
    session = open_session(ctx)
    name, why = typed_id(credential), typed(reason, "--reason")
    issued_on = None if issued is None else past_day(session, issued, "--issued")
    given: dict[str, object] = {
        "system": None if system is None else typed_system(session, system),
        "account": None if account is None else typed(account, "--account"),
        "kind": None if kind is None else typed_kind(kind),
        "holder": None if holder is None else typed_person(session, holder, "--holder"),
        "deputy": None if deputy is None else typed_person(session, deputy, "--deputy", needed=False),
        "place": None if place is None else typed(place, "--place", needed=False),
        "issued_on": issued_on,
        "mfa": mfa,
        "shared": shared,
    }
    changes = {key: value for key, value in given.items() if value is not None}
    if not changes and rotate_by is None and fingerprint is None:
        raise UsageError(msg("nothing is said to change"), msg("Give what was wrong, such as --place."))

    def decide(register: CredentialRegister) -> tuple[str, str, Body]:
        before = active(register, name).credential
        body = replace(before, **changes, reason=why)  # type: ignore[arg-type]  # each is of its field's type
        if issued_on is not None and (before.rotated_on is None or before.rotated_on == before.issued_on):
            body = replace(body, rotated_on=issued_on)
        is_later = rotate_by is not None or body.kind is not before.kind or body.rotated_on != before.rotated_on
        if is_later:
            body = replace(body, rotate_by=_last_day(body.kind, body.rotated_on, rotate_by))
        if fingerprint is not None:
            body = replace(body, fingerprint=_fingerprint(body.kind, fingerprint))
        elif not is_fingerprint(body.kind, before.fingerprint):  # it is that of another kind
            body = replace(body, fingerprint="")
        _require_two(body.holder, body.deputy)
        _require_there(
            register, today_of(session), *(one for one in (changes.get("holder"), changes.get("deputy")) if one)
        )
        if body.issued_on is not None and body.rotated_on is not None and body.rotated_on < body.issued_on:
            raise UsageError(
                msg("it was changed on {day}, before that", day=body.rotated_on), msg("Give the right day by --issued.")
            )
        return CORRECTED, CREDENTIAL, body

    return _recorded(session, name, decide, dry_run=dry_run)


def rotate(
    ctx: typer.Context,
    credential: IdArgument,
    *,
    on: On = None,
    rotate_by: RotateBy = None,
    fingerprint: Fingerprint = None,
    reason: Reason = "",
    dry_run: DryRun = False,
) -> Result:
    refuse_extra(ctx)
    session = open_session(ctx)
    name, why, day = typed_id(credential), typed(reason, "--reason", needed=False), past_day(session, on, "--on")

    def decide(register: CredentialRegister) -> tuple[str, str, Body]:
        known = active(register, name)
        before = known.credential
        if known.custody_on is not None and day < known.custody_on:
            raise UsageError(
                msg(
                    "it was handed over on {day}, after that: whoever had it before knows it still",
                    day=known.custody_on,
                ),
                msg("Change it now, and record that."),
            )
        if before.rotated_on is not None and day < before.rotated_on:
            raise UsageError(
                msg("it was changed on {day} already", day=before.rotated_on),
                msg(
                    "Give the day of the newest change by --on, or correct the entry by 'portalops credential correct'."
                ),
            )
        mark = _fingerprint(before.kind, fingerprint)
        if mark and mark == before.fingerprint:
            raise UsageError(
                msg("the fingerprint is that of the key before: nothing was changed"),
                msg("Make a new key first; 'ssh-keygen -l -f FILE.pub' prints its fingerprint."),
            )
        last = _last_day(before.kind, day, rotate_by)
        assert last is not None, "of a day that is known"
        return ROTATED, ROTATION, CredentialRotation(name, day, last, mark, why)

    return _recorded(session, name, decide, dry_run=dry_run)


def hand_over(
    ctx: typer.Context,
    credential: IdArgument,
    *,
    to: Annotated[str, typer.Option("--to", metavar="MEMBER", help=_("Who holds it from now on"))] = "",
    deputy: Annotated[
        str, typer.Option(metavar="MEMBER", help=_("Who has it in the holder's absence from now on"))
    ] = "",
    place: Annotated[str, typer.Option(metavar="TEXT", help=_("Where it is kept from now on"))] = "",
    on: On = None,
    reason: Reason = "",
    dry_run: DryRun = False,
) -> Result:
    refuse_extra(ctx)
    session = open_session(ctx)
    body = CredentialHandOver(
        typed_id(credential),
        past_day(session, on, "--on"),
        typed_person(session, to, "--to", needed=False),
        typed_person(session, deputy, "--deputy", needed=False),
        typed(place, "--place", needed=False),
        typed(reason, "--reason", needed=False),
    )
    if not (body.holder or body.deputy or body.place):
        raise UsageError(msg("nothing is said to change"), msg("Give --to, --deputy or --place."))

    def decide(register: CredentialRegister) -> tuple[str, str, Body]:
        before = active(register, body.id).credential
        _require_two(body.holder or before.holder, body.deputy)
        _require_there(register, today_of(session), body.holder, body.deputy)
        return HANDED_OVER, HAND_OVER, body

    return _recorded(session, body.id, decide, dry_run=dry_run)


def return_(
    ctx: typer.Context,
    credential: IdArgument,
    *,
    received_by: Annotated[
        str, typer.Option("--received-by", metavar="NAME", help=_("Who took it back and saw it closed"))
    ],
    on: On = None,
    reason: Reason = "",
    dry_run: DryRun = False,
) -> Result:
    refuse_extra(ctx)
    session = open_session(ctx)
    body = CredentialReturn(
        typed_id(credential),
        past_day(session, on, "--on"),
        typed(received_by, "--received-by"),
        typed(reason, "--reason", needed=False),
    )

    def decide(register: CredentialRegister) -> tuple[str, str, Body]:
        before = active(register, body.id).credential
        if before.issued_on is not None and body.on < before.issued_on:
            raise UsageError(
                msg("it was issued on {day}, after that", day=before.issued_on), msg("Give the right day by --on.")
            )
        return RETURNED, RETURN, body

    return _recorded(session, body.id, decide, dry_run=dry_run)


def leave(
    ctx: typer.Context,
    person: Annotated[str, typer.Argument(metavar="PERSON", help=_("The member's name, as the register has it"))],
    *,
    on: Annotated[Given, typer.Option("--on", metavar="DAY", help=_("The last day; today if it is left out"))] = None,
    back: Annotated[
        bool, typer.Option("--back", help=_("They have not left, or came back; --reason says why"))
    ] = False,
    reason: Reason = "",
    dry_run: DryRun = False,
) -> Result:
    refuse_extra(ctx)
    session = open_session(ctx)
    if back and on is not None:
        hint = msg("Leave --on out: from the record on they have not left; --reason may name the day.")
        raise UsageError(msg("--back and --on do not go together"), hint)
    why = typed(reason, "--reason", needed=back)
    day = typed_day(on, "--on") or today_of(session)
    name = known_person(session, register_of(session), person, "PERSON", others=names_in_roles(session))

    def decide(register: CredentialRegister) -> tuple[str, str, Body] | None:
        before = register.left_of(name)
        if back and before is None:
            raise UsageError(
                msg("{person} is not recorded to have left", person=name),
                msg("'portalops credential list --holder {person}' shows what they hold.", person=name),
            )
        if not back and before is not None and (on is None or before.on == day):
            return None
        if before is not None and day > before.on and not why:
            raise UsageError(
                msg("{person} left on {on}, by record {seq}", person=name, on=before.on, seq=before.seq),
                msg("If they leave later than that, say why by --reason."),
            )
        return LEFT, LEAVING, Leaving(name, None if back else day, why)

    register, seq = _put(session, decide, dry_run=dry_run)
    return _to_return(session, register, name, seq, dry_run=dry_run)


Decide = Callable[[CredentialRegister], tuple[str, str, Body] | None]


def _put(session: Session, decide: Decide, *, dry_run: bool) -> tuple[CredentialRegister, int | None]:
    """Record what is decided, unless this is a dry run or it is nothing; return the register after it, and the record."""
    if dry_run:
        register = register_of(session)
        decide(register)
        return register, None
    ledger, circumstances = session.writable_ledger, session.circumstances

    def drafts() -> Sequence[Draft]:
        decided = decide(read_credentials(ledger))
        if decided is None:
            return ()
        kind, key, body = decided
        subject = body.person if isinstance(body, Leaving) else body.id
        kept = ledger.keep(bodies.write({"circumstances": circumstances, key: body}))
        return (ledger.draft(kind, subject=subject, duty=DUTY, body=kept),)

    records = ledger.append_decided(drafts)
    return read_credentials(ledger), records[0].seq if records else None


def _recorded(session: Session, name: str, decide: Decide, *, dry_run: bool) -> Result:
    register, seq = _put(session, decide, dry_run=dry_run)
    today = today_of(session)
    if dry_run:
        view = KeyValues([(msg("Credential"), name), dry(dry_run=True, seq=None)])
        return Result({"id": name, "record": None, "recorded": False}, [view])
    each = register.credentials[name]
    data: dict[str, JsonValue] = {**data_of(register, each, today), "record": seq, "recorded": True}
    blocks: list[Block] = [view_of(register, each, today), KeyValues([dry(dry_run=False, seq=seq)])]
    others = [
        knower.person
        for knower in each.knowers
        if each.is_active and knower.person not in {each.credential.holder, each.credential.deputy}
    ]
    if others:
        said = msg(
            "{names} had it and know it still: change it, and record that by 'portalops credential rotate {id}'",
            names=listing(others),
            id=name,
        )
        blocks.append(Paragraph(said))
    if each.is_active and each.credential.kind is CredentialKind.KEY and not each.credential.fingerprint:
        said = msg(
            "without its fingerprint the audit cannot tell that a key on a host is this one: 'portalops credential correct {id}"
            " --fingerprint SHA256:... --reason TEXT' says it",
            id=name,
        )
        blocks.append(Paragraph(said))
    if each.is_active and _is_longest(each.credential):
        said = msg(
            "a certificate may last {n} days, and no other last day is said: if it ends before, 'portalops credential correct"
            " {id} --rotate-by DAY --reason TEXT' says so",
            n=LONGEST_DAYS[CredentialKind.CERTIFICATE],
            id=name,
        )
        blocks.append(Paragraph(said))
    return Result(data, blocks)


def _is_longest(one: Credential) -> bool:
    """Say whether a certificate is taken to last as long as any may: its own end was not given."""
    if one.kind is not CredentialKind.CERTIFICATE or one.rotated_on is None:
        return False
    return one.rotate_by == _last_day(one.kind, one.rotated_on, None)


def _to_return(
    session: Session, register: CredentialRegister, person: str, seq: int | None, *, dry_run: bool
) -> Result:
    today, known = today_of(session), register.known_to(person)
    left = register.left_of(person)
    roles, lost = roles_of(session, register, person)
    record = seq if seq is not None else left.seq if left else None
    data: JsonValue = {
        "id": person,
        "left_on": left.on.isoformat() if left else None,
        "record": record,
        "recorded": seq is not None,
        "to_return": [data_of(register, each, today) for each in known],
        "to_hand_over": [role_data(role) for role in roles],
        "unreadable_records": list(lost),
    }
    rows: list[tuple[Message, str | Message | date | None]] = [(msg("Person"), person)]
    rows.append((msg("Left on"), left.on if left else None))
    rows.append(dry(dry_run=dry_run, seq=record))  # type: ignore[arg-type]  # they are cells
    table = Table(
        nmsg(
            "{n} credential to be returned, or handed over and changed",
            "{n} credentials to be returned, or handed over and changed",
            len(known),
        ),
        (msg("Credential"), msg("System"), msg("Account"), msg("Holder"), msg("State")),
        [
            (
                each.id,
                each.credential.system,
                each.credential.account,
                each.credential.holder,
                state_of(register, each, today),
            )
            for each in known
        ],
    )
    view: list[Block] = [KeyValues(rows)]
    if known:
        view.append(table)
    if roles:
        view.append(roles_table(roles))
    if not known and not roles:
        view.append(Paragraph(msg("nothing that they know is in use, and they answer for nothing: nothing is left")))
    warnings = [msg("records that may name them cannot be read: {seqs}", seqs=listing(map(str, lost)))] if lost else []
    is_left = bool(known or roles) and (left is not None or dry_run)
    code = ExitCode.UNMET if is_left else ExitCode.PARTIAL if lost else ExitCode.OK
    return Result(data, view, warnings, exit_code=code)


def _require_there(register: CredentialRegister, today: date, *people: object) -> None:
    for person in map(str, people):
        left = register.left_of(person)
        if left is not None and left.on <= today:
            raise UsageError(
                msg("{person} left, by record {seq}", person=person, seq=left.seq),
                msg("Name somebody who is there; if they are back: 'portalops credential leave NAME --back'."),
            )


def _require_two(holder: str, deputy: str) -> None:
    if deputy and same_person(holder, deputy):
        raise UsageError(
            msg("holder and deputy are the same person"),
            msg("Name somebody else who can step in, or leave --deputy out."),
        )


def _last_day(kind: CredentialKind, made: date | None, text: str | None) -> date | None:
    """Return the last day on which a credential may be used unchanged.

    Raises:
        UsageError: it is no day, before the secret was made, or later than its kind allows.
    """
    last = typed_day(text, "--rotate-by")
    if made is None:
        if last is not None:
            raise UsageError(msg("--rotate-by needs the day of issue"), msg("Give it by --issued."))
        return None
    most = made + timedelta(days=LONGEST_DAYS[kind])
    if last is None:
        return most
    if not made <= last <= most:
        raise UsageError(
            msg("--rotate-by: {day} is not within {n} days from {made} on", day=last, n=LONGEST_DAYS[kind], made=made),
            msg("Leave it out for the longest time that the kind allows."),
        )
    return last


def _fingerprint(kind: CredentialKind, text: str | None) -> str:
    """Return a fingerprint; empty if none was given.

    Raises:
        UsageError: this kind has none, or it is not of the form; what it is instead is not repeated.
    """
    if not text:
        return ""
    if kind in {CredentialKind.PASSWORD, CredentialKind.TOKEN}:
        raise UsageError(
            msg("a {kind} has no fingerprint that may be kept: it could be guessed from it", kind=kind.value),
            msg("Leave --fingerprint out."),
        )
    found = fingerprint_in(kind, text)
    if found is None:
        raise UsageError(
            msg("--fingerprint is not of the form SHA256:..."),
            msg(
                "'ssh-keygen -l -f FILE.pub' prints it; of a certificate 'openssl x509 -noout -fingerprint -sha256' does."
            ),
        )
    return found
