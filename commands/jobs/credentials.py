"""What the verbs of `portalops credential` share: reading the register, taking what a person typed, and telling of a credential.

Nothing that looks like a secret is repeated, in no message, nor recorded: what was typed is refused by the name of its option.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from typing import Annotated, Final

import typer

from checks.servers.declared import Declared
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.credentials import CredentialKind, SystemKind, host_of, same_person, secret_in
from portalops.model.message import Message, msg
from portalops.model.organisation import Host
from portalops.model.text import show_text
from portalops.registers.credentials import CredentialRegister, HeldCredential

MAX_TEXT: Final = 200
ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_SYSTEM = re.compile(r"(?P<kind>[a-z]+):(?P<name>[^\s:@|]{1,100})(?:@(?P<host>[^\s:@|]{1,63}))?")

IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help=_("The credential's id in the register, such as web1-root"))
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help=_("Why, for the readers of the ledger"))]


def refuse_extra(ctx: typer.Context) -> None:
    """Refuse arguments that no verb takes, without repeating them: one may be a secret.

    Raises:
        UsageError: there are any.
    """
    if ctx.args:
        raise UsageError(
            msg("the command takes no further arguments; they are not repeated here, since one may be a secret"),
            _NEVER,
        )


_NEVER = msg(
    "Nothing was recorded. The register never takes a secret. If you typed one, change it: the shell's history keeps"
    " it."
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
        raise UsageError(msg("{option} is empty", option=option), msg("Give a text that helps to find the credential."))
    return shown


def refuse_secret(text: str, option: str) -> None:
    """Make sure that a text does not look like a secret.

    Raises:
        UsageError: it does; it is not repeated.
    """
    if (what := secret_in(text)) is not None:
        raise UsageError(msg("{option} seems to hold {what}", option=option, what=_WHAT[what]), _NEVER)


def typed_id(text: str) -> str:
    """Return an id.

    Raises:
        UsageError: it is none.
    """
    name = typed(text, "ID")
    if not ID.fullmatch(name):
        raise UsageError(
            msg("{id} is no valid id of a credential", id=name[:80]),
            msg("Use at most 63 lower-case letters, digits and hyphens, such as web1-root."),
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
            msg("{option} is not a day", option=option), msg("Write it as year-month-day: 2026-11-30.")
        ) from error


def past_day(today: date, text: str | None, option: str) -> date:
    """Return a day that is not in the future; today if none was given.

    Raises:
        UsageError: it is no day, or in the future.
    """
    day = typed_day(text, option) or today
    if day > today:
        raise UsageError(
            msg("{option}: {day} is in the future", option=option, day=day),
            msg("The register holds what happened. Record it on that day."),
        )
    return day


def typed_kind(text: str) -> CredentialKind:
    """Return a kind of credential.

    Raises:
        UsageError: it is none; what it is instead is not repeated.
    """
    if text not in {kind.value for kind in CredentialKind}:
        raise UsageError(
            msg("--kind names no kind of credential"),
            msg("The kinds are: {kinds}.", kinds=", ".join(CredentialKind)),
        )
    return CredentialKind(text)


def typed_system(hosts: Collection[Host], text: str) -> str:
    """Return a system: `KIND:NAME` or `KIND:NAME@HOST`.

    Raises:
        UsageError: it is not of that form, or its host is not configured.
    """
    text = "@".join(typed(part, "--system") for part in text.split("@"))
    found = _SYSTEM.fullmatch(text)
    if found is None or found["kind"] not in {kind.value for kind in SystemKind}:
        raise UsageError(
            msg("--system does not have the form KIND:NAME"),
            msg(
                "Write it like host:web1, database:portal@db1, portal:admin@web1 or bucket:backups; the kinds are:"
                " {kinds}.",
                kinds=", ".join(SystemKind),
            ),
        )
    host, known = host_of(text), [each.id for each in hosts]
    if host and host not in known:
        raise UsageError(
            msg("there is no host {host}", host=show_text(host, 60)),
            msg("The hosts are: {hosts}.", hosts=", ".join(known) or msg("none")),
        )
    return text


def members_of(declared: Declared) -> Mapping[str, frozenset[str]]:
    """Return the members that the configuration names, with the hosts that it names them for; "" stands for all."""
    found: dict[str, set[str]] = {}
    for host, table in (("", declared), *declared.host.items()):
        for name in table.members or {}:
            found.setdefault(name, set()).add(host)
    return {name: frozenset(hosts) for name, hosts in found.items()}


def accounts_of(declared: Declared, person: str) -> tuple[str, ...]:
    """Return the accounts that the configuration declares as a person's own, on any host."""
    tables = [declared.members or {}, *(each.members or {} for each in declared.host.values())]
    found = (one.accounts for table in tables for name, one in table.items() if same_person(name, person))
    return tuple(sorted({account for accounts in found for account in accounts}))


def owners_of_accounts(declared: Declared) -> Mapping[str, tuple[str, ...]]:
    """Return by account the members whose own it is declared to be, on any host, in their names' order."""
    found: dict[str, set[str]] = {}
    for table in (declared, *declared.host.values()):
        for person, member in (table.members or {}).items():
            for account in member.accounts:
                found.setdefault(account, set()).add(person)
    return {account: tuple(sorted(people)) for account, people in found.items()}


def typed_person(
    declared: Declared, text: str, option: str, *, warn: Callable[[Message], None], needed: bool = True
) -> str:
    """Return a member's name, as the configuration has it; whoever it is if that names none, with a warning.

    Raises:
        UsageError: the configuration names members, and this is none of them.
    """
    name = typed(text, option, needed=needed)
    if not name:
        return name
    members = members_of(declared)
    if not members:
        warn(
            msg(
                "[checks.declared.members] names no member, so it is unknown whether {person} is one",
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
            else msg("[checks.declared.members] names: {members}.", members=", ".join(members)),
        )
    return found


def known_person(
    declared: Declared,
    register: CredentialRegister,
    text: str,
    option: str,
    *,
    warn: Callable[[Message], None],
    others: Iterable[str] = (),
) -> str:
    """Return the name by which the register or the configuration knows a person; raises as `typed_person` does.

    Args:
        declared: names the members.
        register: of credentials.
        text: as it was typed.
        option: what it was typed for.
        warn: is told that no member is declared.
        others: names that other registers know.
    """
    asked = typed(text, option)
    names = {knower.person for each in register.credentials.values() for knower in each.knowers}
    names |= {each.person for each in register.left}
    members = members_of(declared)
    for known in (names, members, others):
        found = next((name for name in sorted(known) if same_person(name, asked)), None)
        if found is not None:
            return found
    return typed_person(declared, asked, option, warn=warn)


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
            else msg("'portalops credential list' shows all; 'portalops credential add' adds one."),
        )
    return register.credentials[name]


def active(register: CredentialRegister, name: str) -> HeldCredential:
    """Return a credential that was not returned; raises as `held` does, and where it was."""
    found = held(register, name)
    if not found.is_active:
        raise UsageError(
            msg("credential {id} was returned, by record {seq}", id=name, seq=found.returned_seq or 0),
            msg("If it opens something again, add it by 'portalops credential add {id}'.", id=name),
        )
    return found
