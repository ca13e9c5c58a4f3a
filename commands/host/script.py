"""Print a program to run by hand on a server without login for portalops

The program for sh is read-only, asks what a scan asks, and needs gzip and root; it writes its answer to standard
output. The answer is accepted once, for this host alone, and until the moment that the program names: portalops check
run --facts FILE --by NAME. It proves less than an answer over SSH, since nothing proves which machine gave it;
reports state that. The ledger records that the program was issued.

Example: portalops host script old1 > old1.sh; on that host, as root: sh old1.sh > old1.facts

EXIT STATUS: 0 printed, 2 there is no such host, or it is this machine
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Annotated

import typer

from checks.servers.by_hand import VALID_FOR, mark_of, script_by_hand
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.servers import all_probes, known_host
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.hosts import LOCAL, ScriptIssued
from portalops.model.message import msg
from portalops.model.organisation import HostId
from portalops.registers.hosts import SCRIPT, SCRIPT_KEY
from portalops.reports.document import Verbatim


@shape
class IssuedScript:
    """A program to run by hand."""

    id: HostId
    sha256: str
    valid_to: datetime
    """Until then its answer is accepted."""
    record: int
    text: str


def script(
    ctx: typer.Context, host: Annotated[str, typer.Argument(metavar="HOST", help=_("The host's id"))]
) -> Result[IssuedScript]:
    """Issue a script and print it."""
    session = open_session(ctx)
    known = known_host(session.settings.hosts, host)
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
    data = IssuedScript(known.id, issued.script, valid_to, record.seq, text.decode())
    return Result(data, [Verbatim(text.decode())])


VERB = Verb(script)
