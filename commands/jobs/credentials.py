"""What the verbs of `portalops credential` share: reading the register, taking what a person typed, and telling of a credential.

Nothing that looks like a secret is repeated, in no message, nor recorded: what was typed is refused by the name of its option.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Final

import typer

from checks.servers.declared import Declared
from commands.cli.result import JsonValue
from commands.cli.session import Session
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.credentials import Credential, CredentialKind, SystemKind, host_of, same_person, secret_in
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.registers.credentials import LACKING, CredentialRegister, HeldCredential, read_credentials
from portalops.reports.document import Cell, KeyValues, Status, Tone

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_TEXT: Final = 200
ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_SYSTEM = re.compile(r"(?P<kind>[a-z]+):(?P<name>[^\s:@|]{1,100})(?:@(?P<host>[^\s:@|]{1,63}))?")
STRICT: Final = {"allow_extra_args": True}
"""Of each verb, so that what stands there too many is refused by us, who do not repeat it."""

IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help=_("The credential's id in the register, such as web1-root"))
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help=_("Why; it is recorded"))]


def register_of(session: Session) -> CredentialRegister:
    """Return the register; an empty one before there is a ledger."""
    return read_credentials(session.reader)


def today_of(session: Session) -> date:
    """Return the portal's local day."""
    return session.clock.now().astimezone(session.zone_of_portal).date()


def refuse_extra(ctx: typer.Context) -> None:
    """Refuse arguments that no verb takes, without repeating them: one may be a secret.

    Raises:
        UsageError: there are any.
    """
    if ctx.args:
        raise UsageError(
            msg("there are more arguments than the command takes; they are not repeated here, in case one is a secret"),
            _NEVER,
        )


_NEVER = msg(
    "Nothing was recorded. The register never takes a secret; one that was typed stands in the shell's history: have it changed."
)
_WHAT = {
    "private-key": msg("a private key"),
    "password-hash": msg("the hash of a password"),
    "address-with-password": msg("an address with a password"),
    "token": msg("an access token"),
    "password": msg("a password"),
}


def typed(text: str, option: str, *, needed: bool = True) -> str:
    """Return what a person typed, on one line.

    Raises:
        UsageError: it is empty though it is needed, or looks like a secret.
    """
    text = unicodedata.normalize("NFC", text.strip())
    refuse_secret(text, option)
    shown = show_text(text, MAX_TEXT)
    if needed and not shown:
        raise UsageError(msg("{option} is empty", option=option), msg("Say it, for whoever looks for the credential."))
    return shown


def refuse_secret(text: str, option: str) -> None:
    """Make sure that a text does not look like a secret.

    Raises:
        UsageError: it does; it is not repeated.
    """
    if (what := secret_in(text)) is not None:
        raise UsageError(msg("{option} looks as if it held {what}", option=option, what=_WHAT[what]), _NEVER)


def typed_id(text: str) -> str:
    """Return an id.

    Raises:
        UsageError: it is none.
    """
    name = typed(text, "ID")
    if not ID.fullmatch(name):
        raise UsageError(
            msg("{id} is no id of a credential", id=name[:80]),
            msg("Lower-case letters, digits and hyphens, at most 63, such as web1-root."),
        )
    return name


def typed_day(text: str | None, option: str) -> date | None:
    """Return a day, None if none was given.

    Raises:
        UsageError: it is no day; what it is instead is not repeated.
    """
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            msg("{option} is no day", option=option), msg("Write it as year-month-day: 2026-11-30.")
        ) from error


def past_day(session: Session, text: str | None, option: str) -> date:
    """Return a day that is not in the future; today if none was given.

    Raises:
        UsageError: it is no day, or in the future.
    """
    today = today_of(session)
    day = typed_day(text, option) or today
    if day > today:
        raise UsageError(
            msg("{option}: {day} is in the future", option=option, day=day),
            msg("The register tells of what happened. Record it on that day."),
        )
    return day


def typed_kind(text: str) -> CredentialKind:
    """Return a kind of credential.

    Raises:
        UsageError: it is none; what it is instead is not repeated.
    """
    if text not in {kind.value for kind in CredentialKind}:
        raise UsageError(
            msg("--kind is no kind of credential"),
            msg("The kinds are: {kinds}.", kinds=", ".join(CredentialKind)),
        )
    return CredentialKind(text)


def typed_system(session: Session, text: str) -> str:
    """Return a system: `KIND:NAME` or `KIND:NAME@HOST`.

    Raises:
        UsageError: it is not of that form, or its host is not configured.
    """
    text = "@".join(typed(part, "--system") for part in text.split("@"))
    found = _SYSTEM.fullmatch(text)
    if found is None or found["kind"] not in {kind.value for kind in SystemKind}:
        raise UsageError(
            msg("--system is not of the form KIND:NAME"),
            msg(
                "Such as host:web1, database:portal@db1, portal:admin@web1 or bucket:backups; the kinds are: {kinds}.",
                kinds=", ".join(SystemKind),
            ),
        )
    host, hosts = host_of(text), [host.id for host in session.settings.hosts]
    if host and host not in hosts:
        raise UsageError(
            msg("there is no host {host}", host=show_text(host, 60)),
            msg("The hosts are: {hosts}.", hosts=", ".join(hosts) or "-"),
        )
    return text


def members_of(session: Session) -> Mapping[str, frozenset[str]]:
    """Return the members that the configuration names, with the hosts that it names them for; "" stands for all."""
    declared = session.settings.declared.parse(Declared)
    found: dict[str, set[str]] = {}
    for host, table in (("", declared), *declared.host.items()):
        for name in table.members or {}:
            found.setdefault(name, set()).add(host)
    return {name: frozenset(hosts) for name, hosts in found.items()}


def accounts_of(session: Session, person: str) -> tuple[str, ...]:
    """Return the accounts that the configuration declares as a person's own, on any host."""
    declared = session.settings.declared.parse(Declared)
    tables = [declared.members or {}, *(each.members or {} for each in declared.host.values())]
    found = (one.accounts for table in tables for name, one in table.items() if same_person(name, person))
    return tuple(sorted({account for accounts in found for account in accounts}))


def owners_of_accounts(session: Session) -> Mapping[str, tuple[str, ...]]:
    """Return by account the members whose own it is declared to be, on any host, in their names' order."""
    declared = session.settings.declared.parse(Declared)
    found: dict[str, set[str]] = {}
    for table in (declared, *declared.host.values()):
        for person, member in (table.members or {}).items():
            for account in member.accounts:
                found.setdefault(account, set()).add(person)
    return {account: tuple(sorted(people)) for account, people in found.items()}


def typed_person(session: Session, text: str, option: str, *, needed: bool = True) -> str:
    """Return a member's name, as the configuration has it; whoever it is if that names none, with a warning.

    Raises:
        UsageError: the configuration names members, and this is none of them.
    """
    name = typed(text, option, needed=needed)
    if not name:
        return name
    members = members_of(session)
    if not members:
        session.warnings.append(
            msg(
                "no member is declared, so nothing tells whether {person} is one: [checks.declared.members]",
                person=name,
            )
        )
        return name
    found = next((member for member in members if same_person(member, name)), None)
    if found is None:
        close = difflib.get_close_matches(name, members, 1)
        raise UsageError(
            msg("{option}: there is no member {person}", option=option, person=name),
            msg("Did you mean {close}?", close=close[0])
            if close
            else msg("The members are: {members}. [checks.declared.members] names them.", members=", ".join(members)),
        )
    return found


def known_person(
    session: Session, register: CredentialRegister, text: str, option: str, *, others: Iterable[str] = ()
) -> str:
    """Return the name by which the register or the configuration knows a person; raises as `typed_person` does.

    Args:
        session: whose configuration is asked.
        register: of credentials.
        text: as it was typed.
        option: what it was typed for.
        others: names that other registers know.
    """
    asked = typed(text, option)
    names = {knower.person for each in register.credentials.values() for knower in each.knowers}
    names |= {each.person for each in register.left}
    members = members_of(session)
    for known in (names, members, others):
        found = next((name for name in sorted(known) if same_person(name, asked)), None)
        if found is not None:
            return found
    return typed_person(session, asked, option)


def held(register: CredentialRegister, name: str) -> HeldCredential:
    """Return a credential of the register.

    Raises:
        UsageError: there is none of this id.
    """
    if name not in register.credentials:
        close = difflib.get_close_matches(name, register.credentials, 1)
        raise UsageError(
            msg("there is no credential {id}", id=name),
            msg("Did you mean {close}?", close=close[0])
            if close
            else msg("'portalops credential list' shows them; 'portalops credential add' adds one."),
        )
    return register.credentials[name]


def active(register: CredentialRegister, name: str) -> HeldCredential:
    """Return a credential that was not returned; raises as `held` does, and where it was."""
    found = held(register, name)
    if not found.is_active:
        raise UsageError(
            msg("credential {id} was returned, by record {seq}", id=name, seq=found.returned_seq or 0),
            msg("If it opens something again, add it again: 'portalops credential add {id}'.", id=name),
        )
    return found


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
        found.append(
            msg("it was due to be changed by {day} and was not (record {seq})", day=each.due_on, seq=each.secret_seq)
        )
    for one in each.lacks:
        seq = each.secret_seq if one == "issued" else each.custody_seq
        found.append(msg("it is not said: {what} (record {seq})", what=LACKING[one], seq=seq))
    return found


def listing(names: Iterable[str]) -> str:
    """Return names in one line."""
    return ", ".join(names) or "-"


def data_of(register: CredentialRegister, each: HeldCredential, today: date) -> dict[str, JsonValue]:
    """Return one credential for programs."""
    one = each.credential
    return {
        "id": one.id,
        "system": one.system,
        "account": one.account,
        "kind": one.kind.value,
        "holder": one.holder,
        "deputy": one.deputy or None,
        "place": one.place or None,
        "issued_on": _iso(one.issued_on),
        "rotated_on": _iso(one.rotated_on),
        "rotate_by": _iso(one.rotate_by),
        "due_on": _iso(each.due_on),
        "overdue": each.is_overdue(today),
        "mfa": one.mfa,
        "shared": one.shared,
        "fingerprint": one.fingerprint or None,
        "handed_over_on": _iso(each.custody_on),
        "returned_on": _iso(each.returned.on if each.returned else None),
        "received_by": each.returned.received_by if each.returned else None,
        "knowers": [knower.person for knower in each.knowers],
        "known_by_records": {knower.person: knower.seq for knower in each.knowers},
        "use_record": each.use_seq,
        "custody_record": each.custody_seq,
        "secret_record": each.secret_seq,
        "returned_record": each.returned_seq,
        "problems": [str(problem) for problem in problems_of(register, each, today)],
    }


def view_of(register: CredentialRegister, each: HeldCredential, today: date) -> KeyValues:
    """Return one credential for a person."""
    one = each.credential
    yes, no = msg("yes"), msg("no")
    rows: list[tuple[Message, Cell]] = [
        (msg("Credential"), one.id),
        (msg("System"), one.system),
        (msg("Account"), one.account),
        (msg("Kind"), kind_word(one)),
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


def kind_word(one: Credential) -> Message:
    """Return the kind in the reader's language."""
    return _KINDS[one.kind]


def use_word(one: Credential) -> Message:
    """Return in a phrase what it is, and how it is used."""
    kind = _KINDS[one.kind]
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
_KINDS = {
    CredentialKind.PASSWORD: msg("password"),
    CredentialKind.KEY: msg("key"),
    CredentialKind.TOKEN: msg("token"),
    CredentialKind.CERTIFICATE: msg("certificate"),
}


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def dry(*, dry_run: bool, seq: int | None) -> tuple[Message, Cell]:
    """Return the row that says where it was recorded."""
    return msg("Recorded in"), msg("nothing: this was a dry run") if dry_run else msg("record {seq}", seq=seq or 0)
