"""Each medium is in the register, was read lately, and has not expired; nothing is known before there is a ledger."""

from __future__ import annotations

from collections.abc import Iterator

from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext, good, note, warning
from commands.jobs.media_register import lines_of
from portalops.model.message import msg, nmsg
from portalops.registers.media import NOT_REGISTERED


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say what the register of media shows that must be seen to."""
    session = look.session
    ledger, now = session.reader, session.clock.now()
    if ledger.first() is None:
        return
    for line in lines_of(session.settings, ledger, session.rulebook.numbers, now, pass_over=session.pass_over):
        name = line.medium.id
        for alarm in line.alarms:
            yield warning(
                name,
                msg("{id}: {problem}", id=name, problem=alarm),
                msg("Run 'portalops media add {id} --label TEXT --place TEXT --custodian NAME'.", id=name)
                if alarm == NOT_REGISTERED
                else msg("See 'portalops media list'; run 'portalops media check {id}' to read it.", id=name),
            )
        if not line.alarms and line.medium.read_at is not None:
            yield good(name, msg("{id} was read at {moment}", id=name, moment=line.medium.read_at))
        elif not line.alarms:
            yield note(
                name,
                msg("{id}: no reading of it is recorded yet", id=name),
                msg("Run 'portalops media check {id}' to read it.", id=name),
            )
        if line.expiring.soon:
            yield note(
                name,
                nmsg(
                    "{id}: {n} copy was read so long ago that it soon no longer counts as verified, from {moment} on",
                    "{id}: {n} copies were read so long ago that they soon no longer count as verified, from {moment} on",
                    line.expiring.soon,
                    id=name,
                    moment=line.expiring.next_at or now,
                ),
                msg("The verify job reads them in time if it runs; 'portalops backup verify' does it now."),
            )


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
