"""Each source of updates fits, and polls decide most days; with `--deep` each source is asked once, and nothing is recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext, bad, bounded, good, note, warning
from commands.jobs.kinds.updates import update_sources
from commands.jobs.open_nights import say_nights
from commands.jobs.precedence import precedence_warnings
from commands.jobs.still_registers import say_still_registers
from portalops.errors import UpdatesError, UpdateSourceError
from portalops.model.message import msg, nmsg

if TYPE_CHECKING:
    from portalops.ports import UpdateSource


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say how many sources there are, and with `deep` whether they answer.

    Raises:
        ConfigurationError: a source's settings do not fit its kind.
    """
    sources = update_sources(look.session.settings)
    if not sources:
        yield note(
            "",
            msg("no source of updates is configured, so nothing is known of publications"),
            msg("Add [[updates.source]] to the configuration; see docs/updates.md."),
        )
        return
    yield from _undecided(look, sources)
    for seen, cure in say_nights(look.session):
        yield warning("nights", seen, cure)
    for register, seen, cure in say_still_registers(look.session):
        yield warning(register, seen, cure)
    if not look.deep:
        yield note(
            "",
            nmsg("{n} source of updates was not asked", "{n} sources of updates were not asked", len(sources)),
            msg("Run 'portalops doctor --deep --only updates'."),
        )
        return
    for source in sources:
        name = source.traits.id
        yield from bounded(partial(_asked, look, source), seconds=look.seconds, about=name)


def _undecided(look: DoctorContext, sources: Sequence[UpdateSource]) -> Iterator[DiagnosticLine]:
    """Name the sub-portals of which nobody knows who was first, they or the portal; nothing where nothing was collected yet."""
    try:
        found = precedence_warnings(look.session, sources)
    except UpdatesError:
        return
    for one in found:
        yield warning(
            "", one, msg("Set it in the [[updates.source]] table of that id, then run 'portalops updates status'.")
        )


def _asked(look: DoctorContext, source: UpdateSource) -> Iterator[DiagnosticLine]:
    """Ask a source, and read its answer."""
    name = source.traits.id
    try:
        answer = source.fetch(etag="")
        items = source.parse(answer.data or b"", polled_at=look.session.clock.now()).items
    except UpdateSourceError as error:
        yield bad(name, msg("{id}: {cause}", id=name, cause=error.message), error.hint)
        return
    yield good(name, nmsg("{id}: it answers with {n} item", "{id}: it answers with {n} items", len(items), id=name))


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
