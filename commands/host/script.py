"""Print what to run by hand on a server that cannot be logged in to

A read-only program for sh, which asks what a round asks and needs gzip and root; it writes its answer to standard
output. The answer is taken once, within 3 days, and for this host alone: portalops check run --facts FILE --by NAME.
It proves less than an answer over SSH, since nothing proves which machine gave it; reports say so. The ledger records
that the program was issued.

Example: portalops host script old1 > old1.sh; on that host, as root: sh old1.sh > old1.facts

EXIT STATUS: 0 printed, 2 there is no such host, or it is this machine
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Annotated

import typer

from checks.servers.by_hand import VALID_FOR, mark_of, script_by_hand
from commands.cli.result import JsonValue, Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from commands.jobs.servers import all_probes, known_host
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.hosts import LOCAL, ScriptIssued
from portalops.model.message import msg
from portalops.registers.hosts import SCRIPT, SCRIPT_KEY
from portalops.reports.document import Verbatim


def script(
    ctx: typer.Context, host: Annotated[str, typer.Argument(metavar="HOST", help=_("The host's id"))]
) -> Result[JsonValue]:
    """Issue a script and print it."""
    session = open_session(ctx)
    known = known_host(session, host)
    if known.address == LOCAL:
        raise UsageError(
            msg("{host} is this machine, which is asked directly", host=known.id),
            msg("Run 'portalops check run --host {host}'.", host=known.id),
        )
    nonce = secrets.token_hex(16)
    ledger = session.writable_ledger
    ledger.require_clock()
    valid_to = (session.clock.now() + VALID_FOR).replace(microsecond=0)
    text = script_by_hand(known.id, nonce, valid_to, tuple(all_probes().values()))
    issued = ScriptIssued(known.id, mark_of(nonce), hashlib.sha256(text).hexdigest(), valid_to)
    record = session.recorder.record(SCRIPT, SCRIPT_KEY, issued, subject=known.id, duty="12.1")
    data: JsonValue = {
        "id": known.id,
        "sha256": issued.script,
        "valid_to": valid_to.isoformat(),
        "record": record.seq,
        "text": text.decode(),
    }
    return Result(data, [Verbatim(text.decode())])


VERB = Verb(script)
