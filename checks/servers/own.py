"""What portalops's own records say, as sections of a host's answer: kept with it, so that judging again gives the same.

Some checks rest on no command but on what people recorded: where a host stands, which change was approved when. What the
ledger says of a host at the time of a round joins the host's answer, and is evidence like the rest of it. A check that needs
nothing else is judged also of a host that does not answer.

How to add one: a file `probes/own_NAME.py` with

    PROBE = Probe("own.NAME", (), parse, limit_bytes=LIMIT_BYTES)

    def parse(output: Output) -> Fact: ...                          # pure: `opened(output)`, then into a frozen dataclass
    def sections(own: Own) -> Mapping[HostId, ProbeResult]: ...     # one for each of `own.hosts`

    OWN = LocalRecords(PROBE, sections)

It is found by its file's name; a check names it in `needs=(own_NAME.PROBE,)` like any other probe. `sections` reads the
register's fold from `own.ledger`, and leaves writing a host's section to a pure function, by `written(PROBE.id, SEEN, ...)`:

- it names the records that it rests on by their `seq`, and holds states, days and names; never a secret, nor what one is
  made of. What people typed stands in it as `safe(text)` and is read by `unquote`, so that nothing in it breaks the form;
- where nobody has begun the register it is `not_begun(PROBE.id)`, and the check unknown;
- where a record that may matter to the host cannot be read it is `unreadable(PROBE.id, seqs)`, and the check unknown.

Ages are counted by the check, from `facts.at`, and not here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from checks.servers.declared import Declared
from checks.servers.outside.section import FAILED, SEEN, written
from checks.servers.probe import Output, Probe, ProbeResult, Unparseable, shown
from portalops.bodies import decode_part, encode
from portalops.errors import LedgerError, PortalOpsError
from portalops.json_text import read_json
from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import Host, HostId
from portalops.plugins import Door
from portalops.ports import LedgerReader

_log = logging.getLogger(__name__)

NOT_BEGUN = "not-begun"
UNREADABLE = "unreadable"
_SHOWN = 5
"""How many records are named in a sentence."""


@dataclass(frozen=True, slots=True)
class BackupMedium:
    """One medium that backups go to."""

    id: str
    kind: str
    df: str = ""
    """What df printed of its folder; empty where it is no folder of the station, or df failed."""
    mount: str = ""
    host: str = ""
    """The server that is written to, as configured; empty for a folder of the station, and for what lies by itself."""
    site: str = ""
    room: str = ""
    """Both as the media register has them; empty if it does not."""
    made_at: datetime | None = None
    """When the newest whole set was made of which a verified copy is on it."""
    made_set: str = ""
    made_seq: int = 0
    restored_at: datetime | None = None
    """When a copy on it was last restored whole."""
    restored_seq: int = 0


@dataclass(frozen=True, slots=True)
class Own:
    """What own records are read from."""

    ledger: LedgerReader | None
    """None before there is one."""
    hosts: tuple[Host, ...]
    """Every configured host, also those that are not looked at now."""
    declared: Declared
    now: datetime
    """When the round began; aware."""
    zone: ZoneInfo
    """The portal's, in which its days begin and end."""
    media: Callable[[], tuple[BackupMedium, ...]] = tuple
    """Looks at the media that backups go to; called only where that is wanted."""
    portals: Mapping[str, Message | None] = field(default_factory=dict)
    """Portals that can be asked who can work in them, by their source's id: why one could not be asked in this round, if so."""
    portal_look_hours: int = 48
    """How long a recorded look at a portal's accounts speaks for it."""


@dataclass(frozen=True, slots=True)
class LocalRecords:
    """A probe that rests on own records, and what makes its sections."""

    probe: Probe[Any]
    sections: Callable[[Own], Mapping[HostId, ProbeResult]]
    """Returns one for each of `own.hosts`."""


RECORDS: Final = Door("checks.servers.probes", "OWN", LocalRecords, prefix="own_")


def own_sections(own: Own, wanted: Collection[str]) -> Mapping[HostId, tuple[ProbeResult, ...]]:
    """Return by host the sections of those probes that are wanted and rest on own records.

    Args:
        own: what they are read from.
        wanted: ids of probes, of whatever kind.
    """
    found: dict[HostId, list[ProbeResult]] = {host.id: [] for host in own.hosts}
    for name, records in _registered().items():
        if name not in wanted:
            continue
        for host, one in _read(name, records, own).items():
            found[host].append(one)
    return {host: tuple(sections) for host, sections in found.items()}


def own_probes() -> frozenset[str]:
    """Return the ids of all probes that rest on own records."""
    return frozenset(_registered())


def not_begun(probe: str) -> ProbeResult:
    """Make the section of a register that holds nothing: the check is unknown, `no-register`."""
    return written(probe, NOT_BEGUN)


def unreadable(probe: str, seqs: Iterable[int]) -> ProbeResult:
    """Make the section of a host of which a record that may matter cannot be read: `register-unreadable`."""
    return written(probe, UNREADABLE, records=sorted(seqs))


def opened(output: Output, others: Mapping[str, tuple[str, Message]] | None = None) -> Mapping[str, Any]:
    """Return the content of a section in which something was read.

    Args:
        output: the section.
        others: by further states that this section may have: the coded reason and the sentence why nothing was read.

    Raises:
        Unparseable: nothing was, for the reason that the section names; or it is out of form.
    """
    try:
        held = read_json(output.text)
        state = str(held["state"])
        if state == SEEN:
            return dict(held)
        why = {**_WHY, **(others or {})}.get(state)
        reason, seen = why or _explain_missing(state, held, output.text)
    except (ValueError, KeyError, TypeError, LedgerError) as error:
        raise refuse_form() from error
    raise Unparseable(seen, reason=reason)


def refuse_form() -> Unparseable:
    """Return what is raised of a section that is not as it was written."""
    return Unparseable(msg("the local records of the host cannot be parsed"))


_WHY = {NOT_BEGUN: ("no-register", msg("the register that this is judged from is empty"))}


def _explain_missing(state: str, held: Mapping[str, Any], text: str) -> tuple[str, Message]:
    if state == UNREADABLE:
        seqs = [str(int(seq)) for seq in held["records"]]
        seen = nmsg(
            "a record of the register cannot be read: {seqs}",
            "{n} records of the register cannot be read: {seqs}",
            len(seqs),
            seqs=", ".join(seqs[:_SHOWN]) + (", ..." if len(seqs) > _SHOWN else ""),
        )
        return "register-unreadable", seen
    if state == FAILED:
        said = held["what"]  # a word, or a sentence; in sections of before it is English text
        told = decode_part(text.encode(), "what", Message) if isinstance(said, dict) else None
        what = told or shown(unquote(str(said)), 200)
        return "records-failed", msg("reading the local records failed: {what}", what=what)
    raise ValueError(state)


def _read(name: str, records: LocalRecords, own: Own) -> Mapping[HostId, ProbeResult]:
    """Return one register's sections; what goes wrong with it takes nothing from the others, and passes for nothing."""
    try:
        made = records.sections(own)
    except PortalOpsError as error:
        return {host.id: written(name, FAILED, what=encode(error.message)) for host in own.hosts}
    except Exception as error:  # noqa: BLE001  # see above
        _log.exception("reading the records of %s failed", name)
        return {host.id: written(name, FAILED, what=type(error).__name__) for host in own.hosts}
    return {host.id: made.get(host.id) or written(name, FAILED, what="no section") for host in own.hosts}


@lru_cache(maxsize=1)
def _registered() -> Mapping[str, LocalRecords]:
    """Return what rests on own records, by its probe's id."""
    return {records.probe.id: records for _name, records in RECORDS.all()}
