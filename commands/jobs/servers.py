"""The servers as commands see them: the ledger's enrolments, and the way to each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from checks.servers.catalogue import checks, probes_of
from checks.servers.shells import shells
from portalops.errors import UsageError
from portalops.model.hosts import HostWay
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.ports import LedgerReader
from portalops.registers.hosts import EnrolmentsSeen, RecordedEnrolment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from checks.servers.probe import Probe
    from portalops.model.organisation import Host, HostId
    from portalops.ports import Shell

_SEEN: WeakKeyDictionary[LedgerReader, EnrolmentsSeen] = WeakKeyDictionary()
"""By ledger, which is open for as long as a worker runs."""


def enrolments_of(ledger: LedgerReader) -> dict[HostId, RecordedEnrolment]:
    """Return by which key each host is known; none before the ledger has begun."""
    return _SEEN.setdefault(ledger, EnrolmentsSeen()).read(ledger)


def known_host(hosts: Sequence[Host], name: str) -> Host:
    """Return a configured host.

    Raises:
        UsageError: there is none of this id.
    """
    for host in hosts:
        if host.id == name:
            return host
    raise UsageError(
        msg("there is no host {host}", host=show_text(name, 60)),
        msg(
            "The hosts are: {hosts}.",
            hosts=show_text(", ".join(host.id for host in hosts), 400) or msg("none"),
        ),
    )


def shells_of(ways: Mapping[HostId, HostWay], ledger: LedgerReader) -> Callable[[Host], Shell]:
    """Return what opens the way to a host, by the keys that the ledger knows."""
    return shells(ways, {host: each.enrolment for host, each in enrolments_of(ledger).items()})


def all_probes() -> Mapping[str, Probe[Any]]:
    """Return every probe of a whole round."""
    return probes_of(checks())
