"""Each server but this machine can be told from any other, and there is a key to log in with.

With `--deep` each is connected to: it proves the recorded key, or shows another, and what works of login, root commands and
helper is told as `portalops host test` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext, bad, bounded, good, note, warning
from commands.doctor.places import private_seen
from commands.jobs.host_steps import install_hint, steps_to
from commands.jobs.servers import enrolments_of, known_host
from portalops.config.layers import show_path
from portalops.model.hosts import LOCAL
from portalops.model.message import msg
from portalops.model.organisation import HostId


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say by which key each server is known, and with `deep` whether it still proves it."""
    session = look.session
    ways = session.settings.servers.ways
    enrolled = enrolments_of(session.reader) if ways else {}
    for identity in sorted({way.identity for way in ways.values() if way.identity is not None}):
        yield from private_seen(identity, show_path(identity))
    reachable: list[HostId] = [host.id for host in session.settings.hosts if host.address == LOCAL]
    for host, way in ways.items():
        if way.identity is None:
            yield bad(
                host,
                msg("no private key is configured for the host {host}", host=host),
                msg("Name one as identity_file in [checks.ssh]; 'ssh-keygen -t ed25519' makes it."),
            )
        elif host not in enrolled:
            yield warning(
                host,
                msg("host {host} at {address} has no enrolled host key", host=host, address=way.host[:80]),
                msg("Run 'portalops host enroll {host}' with the fingerprint on paper.", host=host),
            )
        else:
            reachable.append(host)
            yield good(
                host,
                msg("{host} is known by {fingerprint}", host=host, fingerprint=enrolled[host].enrolment.fingerprint),
            )
    if look.deep:
        for host in reachable:
            yield from bounded(partial(_tried, look, host), seconds=look.seconds, about=host)
    elif ways:
        yield note(
            "",
            msg("no server was connected to"),
            msg("Run 'portalops doctor --deep --only servers', or 'portalops host test HOST'."),
        )


def _tried(look: DoctorContext, host: HostId) -> Iterator[DiagnosticLine]:
    """Go the way to a host; the first step of it that does not work is told with its cure, and the last."""
    settings = look.session.settings
    known = known_host(settings.hosts, host)
    steps, is_reached = steps_to(known, settings.servers.ways, look.session.reader)
    for step in steps:
        about = f"{host} {step.id}"
        seen = msg("{host}: {step}: {said}", host=host, step=step.what, said=step.reported)
        if step.works:
            yield good(about, seen)
        elif is_reached:
            yield warning(about, seen, step.hint or install_hint(known))
        else:
            yield bad(about, seen, step.hint or msg("Run 'portalops host test {host}'.", host=host))


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
