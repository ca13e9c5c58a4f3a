"""The ledgers of others whose heads are kept here: when each was looked at last, and whether one was refused.

None is asked; `portalops watch-remote` does that.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext, bad, good, refused, warning
from portalops.errors import PortalOpsError
from portalops.model.message import msg, nmsg
from portalops.witness.state import WitnessFolder

LATE = timedelta(hours=26)
"""A witness looks once a day at least."""


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say of each watched ledger when it was reached last."""
    settings, now = look.session.settings, look.session.clock.now()
    for table in settings.witnessed:
        folder = settings.state_folder / "witness" / table.id
        try:
            state = WitnessFolder(folder).load(now)
        except PortalOpsError as error:
            yield refused(table.id, error)
            continue
        if state.refused is not None:
            yield bad(
                table.id,
                msg(
                    "{id}: a head was refused at {moment}: {cause}",
                    id=table.id,
                    moment=state.refused.at,
                    cause=state.refused.message,
                ),
                state.refused.hint,
            )
        if state.looked_at is None or now - state.looked_at > LATE:
            seen = (
                msg("{id} was never polled", id=table.id)
                if state.looked_at is None
                else msg("{id} was last polled at {moment}", id=table.id, moment=state.looked_at)
            )
            yield warning(
                table.id, seen, msg("Run 'portalops watch-remote', and have a timer run it: docs/witness.md.")
            )
        elif state.reached_at is None or now - state.reached_at > LATE:
            seen = (
                msg("{id}: it never answered", id=table.id)
                if state.reached_at is None
                else msg("{id}: it last answered at {moment}", id=table.id, moment=state.reached_at)
            )
            yield warning(table.id, seen, msg("Run 'portalops watch-remote {id}': it says why.", id=table.id))
        elif state.refused is None:
            yield good(table.id, msg("{id}: it answered at {moment}", id=table.id, moment=state.reached_at))
        if state.letters:
            yield warning(
                table.id,
                nmsg(
                    "{id}: {n} mail with an alarm waits to be sent",
                    "{id}: {n} mails with an alarm wait to be sent",
                    len(state.letters),
                    id=table.id,
                ),
                msg("Run 'portalops watch-remote': it tries again and says what the mail server answers."),
            )


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
