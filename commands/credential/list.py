"""List the credentials: holder, deputy, place, and what is to be done

Reads the ledger and the configuration only. Returned credentials are listed with --all. Several options together list
what all of them choose.

Example: portalops credential list --holder nguyen-van-an; portalops credential list --host web1 --overdue

EXIT STATUS: 0 nothing is to be done, 1 something is, 2 there is no such member, host or system, 3 a record of the
register cannot be read
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from checks.servers.declared import Declared
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from commands.credential.views import CredentialShape, credential_data, listing, problems_of, state_of, use_word
from commands.jobs.credentials import known_person, members_of, refuse_extra, typed
from commands.jobs.servers import known_host
from portalops.errors import ExitCode, UsageError
from portalops.locale import _
from portalops.model.credentials import host_of, same_person
from portalops.model.message import Message, msg, nmsg
from portalops.registers.credentials import CredentialRegister, HeldCredential, read_credentials
from portalops.reports.document import Block, Paragraph, TableBlock


def list_(
    ctx: typer.Context,
    *,
    holder: Annotated[
        str | None,
        typer.Option("--holder", metavar="MEMBER", help=_("Only those of which this member is holder or deputy")),
    ] = None,
    system: Annotated[
        str | None,
        typer.Option(
            "--system",
            metavar="SYSTEM",
            help=_("Only of this system, such as database:portal@db1, or of this kind, such as database"),
        ),
    ] = None,
    host: Annotated[
        str | None, typer.Option("--host", metavar="ID", help=_("Only of this host, and of what runs on it"))
    ] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help=_("Only those whose change is overdue"))] = False,
    every: Annotated[bool, typer.Option("--all", help=_("Also returned credentials"))] = False,
) -> Result[tuple[CredentialShape, ...]]:
    refuse_extra(ctx)
    session = open_session(ctx)
    of_system = None if system is None else "@".join(typed(part, "--system") for part in system.split("@"))
    of_host = None if host is None else known_host(session.settings.hosts, host).id
    register, today = read_credentials(session.reader), session.today
    declared = session.settings.declared.parse(Declared)
    wanted = (
        None if holder is None else known_person(declared, register, holder, "--holder", warn=session.warnings.append)
    )
    if not register.is_begun:
        said = msg("The register holds no credential yet: 'portalops credential add' adds one")
        return Result((), [Paragraph(said)])
    shown = [
        each
        for each in register.credentials.values()
        if (every or each.is_active or each.id in register.unreadable)
        and (
            wanted is None
            or any(same_person(wanted, name) for name in (each.credential.holder, each.credential.deputy) if name)
        )
        and of_system in {None, *_systems(each)}
        and of_host in {None, host_of(each.credential.system)}
        and (not overdue or each.is_overdue(today))
    ]
    there = {one for each in register.credentials.values() for one in _systems(each)}
    if of_system is not None and of_system not in there:
        raise UsageError(
            msg("no credential opens {system}", system=of_system),
            msg("The register has credentials of: {systems}.", systems=listing(sorted(there))),
        )
    headers = (
        *(msg("Credential"), msg("System"), msg("Account"), msg("Kind"), msg("Holder"), msg("Deputy")),
        *(msg("Place of custody"), msg("Last changed on"), msg("To be changed by"), msg("State")),
    )
    rows = [
        (
            *(each.id, each.credential.system, each.credential.account, use_word(each.credential)),
            *(each.credential.holder or None, each.credential.deputy or None, each.credential.place or None),
            *(each.credential.rotated_on, each.due_on, state_of(register, each, today)),
        )
        for each in shown
    ]
    view: list[Block] = [TableBlock(nmsg("{n} credential", "{n} credentials", len(rows)), headers, rows)]
    lost, strangers = _lost(register), _strangers(declared, register, shown)
    is_wrong = bool(strangers) or any(problems_of(register, each, today) for each in shown)
    data = tuple(credential_data(register, each, today) for each in shown)
    code = ExitCode.UNMET if is_wrong else ExitCode.PARTIAL if lost else ExitCode.OK
    return Result(data, view, (*lost, *strangers), exit_code=code)


def _strangers(
    declared: Declared, register: CredentialRegister, shown: Iterable[HeldCredential]
) -> tuple[Message, ...]:
    """Say who holds an active credential, is no declared member, and is not recorded to have left."""
    members = members_of(declared)
    found: dict[str, list[str]] = {}
    for each in shown:
        for role in register.strangers_of(each, members) if members else ():
            found.setdefault(str(getattr(each.credential, role)), []).append(each.id)
    return tuple(
        msg(
            "{person}, named for {ids}, is no member in the configuration: record that they left by 'portalops"
            " credential leave', or name them in [checks.declared.members]",
            person=name,
            ids=listing(ids),
        )
        for name, ids in found.items()
    )


def _systems(each: HeldCredential) -> tuple[str, str]:
    """Return by what `--system` chooses a credential: its system, and the kind of that."""
    system = each.credential.system
    return system, system.partition(":")[0]


def _lost(register: CredentialRegister) -> list[Message]:
    """Return what the register cannot tell."""
    found = []
    if register.unreadable:
        seqs = sorted(seq for each in register.unreadable.values() for seq in each)
        found.append(msg("records of the register cannot be read: {seqs}", seqs=listing(map(str, seqs))))
    if register.unfitting:
        seqs = sorted(register.unfitting)
        found.append(
            msg(
                "records of credentials that were not in the register, which change nothing: {seqs}",
                seqs=listing(map(str, seqs)),
            )
        )
    return found


VERB = Verb(list_, is_strict=True)
