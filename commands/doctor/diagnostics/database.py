"""The ledger's database: its server keeps what it was given, its clock is this machine's, and this account can change nothing recorded.

Only with `--deep`, since it connects. A ledger in the state folder has no database, which is no fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext, bad, good, note, refused, warning
from commands.jobs.ledger_server import server_of
from portalops.errors import PortalOpsError
from portalops.ledger.postgresql_rules import SKEW, too_many_rights
from portalops.ledger.postgresql_tables import OLDEST_SERVER
from portalops.model.message import msg, nmsg

if TYPE_CHECKING:
    from portalops.ledger.postgresql_server import ServerState

FEW_CONNECTIONS = 20
"""A worker takes about ten, and a person's command a few."""


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say what the server is like."""
    if look.session.settings.ledger_store is None or not look.deep:
        return
    before = look.session.clock.now()
    try:
        state = server_of(look.session.kept(writable=False).records)
    except PortalOpsError as error:
        yield refused("", error)
        return
    if state is not None:
        yield from seen_of(state, min(abs(state.now - before), abs(state.now - look.session.clock.now())))


def seen_of(state: ServerState, apart: timedelta) -> Iterator[DiagnosticLine]:
    """Judge a server; pure.

    Args:
        state: as it was told.
        apart: by how much its clock and this machine's differ at least.
    """
    version = f"{state.version // 10_000}.{state.version % 10_000}"
    if state.version < OLDEST_SERVER:
        yield bad("version", msg("the server is PostgreSQL {version}", version=version), msg("Use 13 or newer."))
    else:
        yield good("version", msg("the server is PostgreSQL {version}", version=version))
    if state.excess:
        yield warning("rights", *too_many_rights(state.account, state.excess))
    else:
        yield good("rights", msg("the account {account} can change nothing that is recorded", account=state.account))
    if not state.is_guarded:
        yield bad(
            "guards",
            msg("the triggers that refuse changes of records are gone or switched off"),
            msg("Find out who did that; keep the database as it is, and run 'portalops ledger verify'."),
        )
    if not state.is_durable:
        yield bad(
            "durable",
            msg(
                "the server may lose what it was given: fsync {fsync}, full_page_writes {pages}, synchronous_commit {commit}",
                fsync="on" if state.fsync else "off",
                pages="on" if state.full_page_writes else "off",
                commit=state.synchronous_commit,
            ),
            msg("Switch all three on in postgresql.conf, and for this account."),
        )
    if state.is_standby:
        yield bad(
            "standby",
            msg("the server is a standby: nothing can be recorded"),
            msg("Name the primary server in [ledger.store]."),
        )
    if apart > SKEW:
        yield warning(
            "clock",
            msg("the server's clock and this machine's are {n} seconds apart", n=round(apart.total_seconds())),
            msg("Let a time service keep both."),
        )
    if not state.has_amcheck:
        yield warning(
            "amcheck",
            msg("the extension amcheck is not there, so nobody can tell whether an index hides a record"),
            msg("Run as the owner of the database: CREATE EXTENSION amcheck."),
        )
    free = nmsg("{n} connection is free", "{n} connections are free", state.free_connections)
    if state.free_connections < FEW_CONNECTIONS:
        yield note(
            "connections", free, msg("A worker takes about ten: raise max_connections before another one begins.")
        )
    else:
        yield good("connections", free)


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
