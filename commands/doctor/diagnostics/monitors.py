"""Somebody else notices when nothing runs here any more: monitors were told lately, or a witness watches.

No monitor is asked anything: what is remembered of the last time that each was told is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext, good, note, warning
from portalops.config import KindTable
from portalops.model.message import msg
from portalops.model.runs import Job
from portalops.notify.monitors._state import MonitorFolder

SILENT = timedelta(hours=26)
"""Every run tells each monitor of all jobs, and the rarest that a schedule may be set to is once a day."""


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say when each monitor took last what it was told."""
    settings, now = look.session.settings, look.session.clock.now()
    has_witness = any(table.kind == "witness" for table in settings.anchors)
    if not settings.monitors and not has_witness:
        yield warning(
            "",
            msg("nobody learns that the jobs stopped: no monitor is configured, and no witness watches"),
            msg("Add [[notify.monitor]] to the configuration, or have another unit run 'portalops watch-remote'."),
        )
    if has_witness:
        yield note("witness", msg("a witness is to watch whether new heads come; 'anchors' says when it was here last"))
    told = {each.id: each for each in MonitorFolder(settings.state_folder).load().told}
    for table in settings.monitors:
        name, known = table.id, told.get(table.id)
        if known is not None and known.failed_at is not None:
            yield warning(
                name,
                msg(
                    "{id} could not be notified at {moment}: {cause}",
                    id=name,
                    moment=known.failed_at,
                    cause=known.problem or "-",
                ),
                msg("See whether its address is right and reached from here; the next run tells it again."),
            )
        elif known is None or known.heard_at is None:
            yield note(name, msg("{id} was not notified yet", id=name), msg("Run 'portalops run --due'."))
        elif now - known.heard_at > _longest_silence(table, settings.jobs):
            yield warning(
                name,
                msg("{id}: it took nothing since {moment}", id=name, moment=known.heard_at),
                msg("Run 'portalops run --due', and see 'portalops schedule status' for what should start it."),
            )
        else:
            yield good(name, msg("{id} was last notified at {moment}", id=name, moment=known.heard_at))


def _longest_silence(table: KindTable, jobs: Sequence[Job]) -> timedelta:
    """Return how long a monitor may take nothing: one of some jobs alone hears nothing in between, for two slots at most."""
    watched = table.values.get("jobs") or ()
    times = [2 * job.every.longest for job in jobs if job.id in watched]
    return max(SILENT, min(times)) if times else SILENT


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
