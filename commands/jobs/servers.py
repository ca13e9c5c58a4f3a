"""The servers as commands see them: the ledger's enrolments, and the way to each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from checks.servers.catalogue import checks, probes_of
from checks.servers.shells import shells
from commands.cli.session import Session
from portalops.errors import LedgerMissing, UsageError
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.registers.hosts import EnrolmentsSeen, RecordedEnrolment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from checks.servers.probe import Probe
    from portalops.model.organisation import Host, HostId
    from portalops.ports import Shell

_SEEN: WeakKeyDictionary[Session, EnrolmentsSeen] = WeakKeyDictionary()
"""By session, which is one for as long as a worker runs."""


def enrolments_of(session: Session) -> dict[HostId, RecordedEnrolment]:
    """Return by which key each host is known; none before there is a ledger."""
    try:
        return _SEEN.setdefault(session, EnrolmentsSeen()).read(session.ledger)
    except LedgerMissing:
        return {}


def known_host(session: Session, name: str) -> Host:
    """Return a configured host.

    Raises:
        UsageError: there is none of this id.
    """
    for host in session.settings.hosts:
        if host.id == name:
            return host
    raise UsageError(
        msg("there is no host {host}", host=show_text(name, 60)),
        msg(
            "The hosts are: {hosts}.",
            hosts=show_text(", ".join(host.id for host in session.settings.hosts), 400) or "-",
        ),
    )


def shells_of(session: Session) -> Callable[[Host], Shell]:
    """Return what opens the way to a host."""
    enrolled = {host: each.enrolment for host, each in enrolments_of(session).items()}
    return shells(session.settings.servers.ways, enrolled)


def all_probes() -> Mapping[str, Probe[Any]]:
    """Return every probe of a whole round."""
    return probes_of(checks())
