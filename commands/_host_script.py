"""Facts that a person brings: `portalops host script` prints what to run on a host, and `check run --facts` takes its answer."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands._check_findings import required_texts
from commands._host_root import all_probes
from commands._result import JsonValue, Result
from commands._servers import known_host
from commands._session import Session, open_session
from portalops.errors import FactsRefused, LedgerMissing, UsageError
from portalops.ledger import bodies
from portalops.ledger.record import NO_RUN, Draft
from portalops.locale import _
from portalops.model.causes import cause_of
from portalops.model.checks import HostRound
from portalops.model.hosts import LOCAL, ScriptIssued
from portalops.model.message import Message, msg
from portalops.model.organisation import HostId
from portalops.model.text import show_text
from portalops.registers.hosts import BROUGHT, BROUGHT_KEY, SCRIPT, SCRIPT_KEY, RecordedScript, read_scripts
from portalops.reports.document import Verbatim

if TYPE_CHECKING:
    from checks.servers.by_hand import Brought

HELP = _(
    "Print what to run by hand on a server that cannot be logged in to\n\nA read-only program for sh, which asks what a round asks and"
    " needs gzip and root; it writes its answer to standard output. The answer is taken once, within 3 days, and for this host alone:"
    " portalops check run --facts FILE --by NAME. It proves less than an answer over SSH, since nothing proves which machine gave it;"
    " reports say so. The ledger records that the program was issued."
    "\n\nExample: portalops host script old1 > old1.sh; on that host, as root: sh old1.sh > old1.facts"
    "\n\nEXIT STATUS: 0 printed, 2 there is no such host, or it is this machine"
)
Facts = Annotated[
    list[Path] | None,
    typer.Option("--facts", metavar="FILE", help=_("The answer of 'host script', brought by hand; may be repeated")),
]
By = Annotated[str, typer.Option("--by", metavar="NAME", help=_("Who brought the files of --facts"))]


def script(ctx: typer.Context, host: Annotated[str, typer.Argument(metavar="HOST", help=_("The host's id"))]) -> Result:
    """Issue a script and print it."""
    from checks.servers.by_hand import VALID_FOR, mark_of, script_by_hand  # noqa: PLC0415  # start-up time

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
    body = bodies.write({"circumstances": session.circumstances, SCRIPT_KEY: issued})
    record = ledger.append(SCRIPT, run=NO_RUN, subject=known.id, duty="12.1", body=body)
    data: JsonValue = {
        "id": known.id,
        "sha256": issued.script,
        "valid_to": valid_to.isoformat(),
        "record": record.seq,
        "text": text.decode(),
    }
    return Result(data, [Verbatim(text.decode())])


def brought_of(session: Session, files: Sequence[Path], by: str) -> dict[HostId, Brought]:
    """Return the answers in files that a person brought, by host.

    Raises:
        FactsRefused: a file is not taken.
        UsageError: a file cannot be read, nobody is named, or two files are of one host.
    """
    from checks.servers.by_hand import FILE_BYTES, opened  # noqa: PLC0415  # start-up time

    if not files:
        if by:
            raise UsageError(
                msg("--by names who brought a file, and no file is given"), msg("Give it by --facts FILE.")
            )
        return {}
    if not by.strip():
        raise UsageError(msg("--facts needs --by"), msg("Name who brought the file: --by NAME."))
    (who,) = required_texts({"--by": by})
    scripts, asked = _scripts(session), frozenset(all_probes())
    found: dict[HostId, Brought] = {}
    for path in files:
        try:
            with path.open("rb") as file:
                data = file.read(FILE_BYTES + 1)
        except OSError as error:
            said = msg("cannot read {file}: {cause}", file=show_text(str(path), 200), cause=cause_of(error))
            raise UsageError(said, msg("Name the file that the script wrote on the host.")) from error
        try:
            one = opened(data, show_text(who, 200), scripts, asked, session.clock.now())
        except FactsRefused as error:
            said = msg("{file}: {cause}", file=show_text(str(path), 200), cause=error.message)
            raise FactsRefused(said, error.hint) from error
        known = known_host(session, one.facts.host)
        if known.id in found:
            raise UsageError(msg("two files are of the host {host}", host=known.id), msg("Give one for each host."))
        found[known.id] = one
    return found


def said_to_be_brought(host: HostRound) -> Message:
    """Say who brought a host's answer, and what that takes from it."""
    return msg(
        "The answer of {host} was brought by {by}: nothing proves which machine gave it.",
        host=host.host,
        by=show_text(host.brought_by),
    )


def take(session: Session, brought: Mapping[HostId, Brought]) -> None:
    """Record that answers were taken, so that none of them is taken twice.

    Raises:
        FactsRefused: another run took one in the meantime; nothing is recorded.
    """
    ledger = session.writable_ledger
    drafts = [
        ledger.draft(
            BROUGHT,
            run=NO_RUN,
            subject=host,
            duty="12.1",
            body=ledger.keep(bodies.write({"circumstances": session.circumstances, BROUGHT_KEY: each.facts})),
        )
        for host, each in brought.items()
    ]

    def decide() -> Sequence[Draft]:
        scripts = read_scripts(ledger)
        for host, each in brought.items():
            script = scripts.get(each.facts.mark)
            if script is None or script.answered_in is not None:
                raise FactsRefused(
                    msg("another run took the answer of {host} in the meantime", host=host),
                    msg("Run 'portalops host script {host}' for a new script.", host=host),
                )
        return drafts

    if drafts:
        ledger.append_decided(decide)


def _scripts(session: Session) -> dict[str, RecordedScript]:
    try:
        return read_scripts(session.ledger)
    except LedgerMissing:
        return {}
