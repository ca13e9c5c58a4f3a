"""Import what another tool claims to have found on a host

Reads reports in the forms sarif (2.1.0), openscap (XCCDF or ARF) and lynis (report.dat). The file is kept byte for
byte. Its contents are that tool's claims: portalops checked nothing of them, and no duty is judged by them. A claim
ends only when a newer report of the tool reports it fixed; absence is not enough.

Example: portalops check import /var/log/lynis-report.dat --tool lynis --host web1

EXIT STATUS: 0 recorded, 2 no such host or form, the file is not such a report, or it was imported before
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from checks.imports import FORMS, MAX_BYTES, read_claims
from commands.check.options import HostOption, require_host
from commands.check.views import ShownClaim, claim_data, claims_table
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.verb import Verb
from portalops import bodies
from portalops.errors import ImportRefused, PortalOpsError
from portalops.locale import _
from portalops.model.causes import cause_of
from portalops.model.claims import ToolReport
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.organisation import HostId
from portalops.model.record import Digest
from portalops.registers.claims import CLAIMED, KEY, read_tool_claims
from portalops.reports.document import Block, Notice, Paragraph, Tone


def _forms() -> tuple[str, ...]:
    return FORMS.names()


def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help=_("The tool's report"))],
    *,
    tool: Annotated[
        str,
        typer.Option(
            "--tool", metavar="FORM", help=_("The report's form: sarif, openscap or lynis"), autocompletion=_forms
        ),
    ],
    host: HostOption,
) -> Result[tuple[ShownClaim, ...]]:
    session = open_session(ctx)
    require_host(session, host)
    data = _read(file)
    found = read_claims(tool, data)
    evidence = session.writable_ledger.keep(data)
    _require_new(session, evidence, host, file)
    before = {each.id for each in read_tool_claims(session.ledger).claims if each.gone_at is None}
    for each in found:
        report = ToolReport(
            each.tool,
            each.version,
            HostId(host),
            each.made_at,
            each.claims,
            each.left_off,
            each.notes,
            evidence,
            each.answered,
            each.fixed,
        )
        session.recorder.record(CLAIMED, KEY, report, subject=host, duty="12.4-remedy")
    tools = {each.tool for each in found}
    known = [each for each in read_tool_claims(session.ledger).claims if each.host == host and each.tool in tools]
    now_open = [each for each in known if each.gone_at is None]
    gone = [each for each in known if each.gone_at is not None and each.id in before]
    view: list[Block] = [claims_table([*now_open, *gone])]
    view += [Notice(_note(each.tool, verbatim(note)), Tone.NEUTRAL) for each in found for note in each.notes]
    view += [
        Notice(
            nmsg(
                "{tool}: {n} more claim was not kept, so none counts as fixed",
                "{tool}: {n} more claims were not kept, so none counts as fixed",
                each.left_off,
                tool=each.tool,
            )
        )
        for each in found
        if each.left_off
    ]
    view.append(
        Paragraph(
            msg(
                "{open} claimed: {new} of them new, {silent} without an answer in the newest report; {gone} claimed to be fixed",
                open=len(now_open),
                new=sum(each.id not in before for each in now_open),
                silent=sum(each.silent_at is not None for each in now_open),
                gone=len(gone),
            )
        )
    )
    return Result(tuple(map(claim_data, (*now_open, *gone))), view)


def _note(tool: str, note: Message) -> Message:
    return msg("{tool}: {note}", tool=tool, note=note)


def _read(path: Path) -> bytes:
    """Read a report, one byte more than may be at most, so that a larger one is told.

    Raises:
        ImportRefused: it cannot be read.
    """
    try:
        with path.open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise ImportRefused(
            msg("cannot read {path}: {cause}", path=str(path), cause=cause_of(error)),
            msg("Check the path, and who may read the file."),
        ) from error


def _require_new(session: Session, evidence: Digest, host: str, path: Path) -> None:
    """Make sure that this very file was not taken in for this host before: an old report would undo a newer one.

    Raises:
        ImportRefused: it was.
    """
    for record in session.ledger.records(kinds=(CLAIMED,)):
        try:
            report = bodies.decode_part(session.ledger.blob(record.body), KEY, ToolReport)
        except PortalOpsError:
            continue  # 'check findings' tells of it
        if report is not None and (report.host, report.evidence) == (host, evidence):
            raise ImportRefused(
                msg(
                    "{path} was already imported for {host}, in record {seq}", path=str(path), host=host, seq=record.seq
                ),
                msg("Run the tool again, and import its new report."),
            )


VERB = Verb(import_)
