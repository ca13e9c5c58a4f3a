"""What is wrong by the newest run: grave alarms by name, and how many others are open."""

from __future__ import annotations

from collections.abc import Iterator

from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext, bad, good, refused, warning
from portalops.errors import PortalOpsError
from portalops.model.message import msg, nmsg
from portalops.registers.alarms import read_alarms

MAX_NAMED = 20


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Name each grave alarm; count the others."""
    session = look.session
    try:
        register = read_alarms(session.reader)
    except PortalOpsError as error:
        yield refused("", error)
        return
    grave = [each for each in register.open if each.newest.grave]
    for each in grave[:MAX_NAMED]:
        what = msg("{key}, since {since}: {what}", key=each.key, since=each.opened_at, what=each.newest.what)
        yield bad(each.key, what, each.newest.hint)
    count = len(register.open) - len(grave[:MAX_NAMED])
    if count:
        what = nmsg("{n} more alarm is open", "{n} more alarms are open", count)
        yield warning("", what, msg("Run 'portalops alarm list': it says what is wrong and what to do."))
    elif not grave:
        yield good("", msg("no alarm is open, as far as the newest run saw"))


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
