"""Judges the duties of a site from the records in its bundle, by the rules and numbers of whoever collects.

What a bundle says of itself, its report and its figures, is not read: the lines are taken into a ledger of their own, which lasts
as long as the judging, and every detail is held against its digest when it is read. What is withheld, erased or older than the
bundle's details cannot be read, and counts as everything does that cannot be read: it never makes a duty met.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from portalops.calendar import Calendar
from portalops.compliance import Situation, judge
from portalops.errors import IntegrityError, LedgerError
from portalops.federation.shown import bounded
from portalops.federation.site import SiteSettings
from portalops.ledger.bundle.details import BlobState, BundleBlobs
from portalops.ledger.bundle.folder import BundleFolder, BundleLines
from portalops.ledger.bundle.verification import BundleVerification
from portalops.ledger.bundle.zip_file import open_bundle
from portalops.ledger.claims import GRACE
from portalops.ledger.folder_locks import FolderLocks
from portalops.ledger.heeded import HeededLedger, find_time_order, numbers_mistimed
from portalops.ledger.ledger import FILE, LOCKS, KeptLedger, Ledger
from portalops.ledger.quarantines import records_set_aside
from portalops.ledger.record import line_digest, parse_at
from portalops.ledger.store import SqliteStore
from portalops.model.message import msg
from portalops.model.organisation import Agency, Host, HostId, Name, UnitId
from portalops.model.period import Period
from portalops.model.record import Digest
from portalops.model.rulebook import Rulebook
from portalops.model.standing import Standing
from portalops.model.text import show_text
from portalops.model.zones import zone_of
from portalops.ports import Clock, LedgerReader
from portalops.registers.evidence import Evidence, read_evidence

LINES_AT_ONCE = 1000

MAX_DAYS = 3700
"""The longest period that is judged, ten years: every day of it is gone through, and a bundle may claim ten thousand years."""


@dataclass(frozen=True, slots=True)
class Rules:
    """By what a site's duties are judged: the same for every site, so that they can be compared."""

    rulebook: Rulebook
    calendar: Calendar
    clock: Clock


def period_of(found: BundleVerification) -> tuple[Period, ZoneInfo]:
    """Return what a bundle that holds is about, and where its days begin.

    Raises:
        LedgerError: it says nothing of it that is understood here.
    """
    described = found.description
    try:
        if described is not None:
            days = date.fromisoformat(described.first_day), date.fromisoformat(described.last_day)
            period, zone = Period(*days), zone_of(described.timezone)
            period.bounds(zone)
            if (period.last - period.first).days <= MAX_DAYS:
                return period, zone
    except (ValueError, OverflowError):
        pass  # a zone that there is not, or a period at the end of the calendar
    raise LedgerError(
        msg("the bundle's period is longer than ten years, or its time zone is not known here"),
        msg("Ask the site for a bundle of another period, chosen with 'portalops ledger export --period'."),
    )


def standings_of(path: Path, found: BundleVerification, settings: SiteSettings, rules: Rules) -> tuple[Standing, ...]:
    """Judge every duty over the bundle's period, as of its last record; the details of each stay with the site.

    Args:
        path: the bundle.
        found: its verification, which holds.
        settings: what is known of the site.
        rules: by what is judged.

    Raises:
        IntegrityError: the folder is not any more what was verified.
        LedgerError: it cannot be read, or says nothing of its period.
    """
    period, zone = period_of(found)
    with (
        open_bundle(path) as folder,
        tempfile.TemporaryDirectory(prefix="portalops-federation-") as scratch,
    ):
        ledger = _taken(folder, Path(scratch), found, rules.clock)
        try:
            last_at = parse_at(found.integrity.last_at)
            evidence = read_evidence(_claimed(ledger, found, last_at), period, now=last_at, zone=zone)
            hosts, units = tuple(_hosts(evidence, settings)), tuple(_units(evidence, settings))
            judged = judge(Situation(rules.rulebook, evidence, hosts, units, rules.calendar))
            return tuple(replace(each, reason=bounded(each.reason), details=()) for each in judged)
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:
            # Another's records may hold what no portalops writes, such as a day at the end of the calendar: that site is unknown then,
            # and the others are judged.
            raise LedgerError(
                msg("its records cannot be judged: {cause}", cause=show_text(str(error), 200)),
                msg(
                    "Ask the site which version of portalops wrote them: 'portalops ledger show --kind "
                    "installation' shows it."
                ),
            ) from error
        finally:
            ledger.close()


def _taken(folder: BundleFolder, scratch: Path, found: BundleVerification, clock: Clock) -> Ledger:
    """Return a ledger of the bundle's lines: those that were verified, since the last one has the digest of the last of those."""
    store = SqliteStore(scratch / FILE, writable=True)
    store.create()
    lines = BundleLines(folder).lines()
    first = 1
    with store.taking() as take:
        while batch := list(islice(lines, LINES_AT_ONCE)):
            take(first, batch)
            first += len(batch)
    ledger = Ledger(
        scratch, clock, writable=True, kept=KeptLedger(store, _Details(folder), FolderLocks(scratch / LOCKS))
    )
    ledger.find_time_order = find_time_order
    last = ledger.last()
    if last is None or last.seq != found.integrity.records or line_digest(last.line) != found.integrity.head:
        ledger.close()
        raise IntegrityError(
            msg("the bundle changed while it was read"),
            msg("Move a bundle into the folder in one step when it is complete; then collect again."),
        )
    return ledger


def _claimed(ledger: Ledger, found: BundleVerification, last_at: datetime) -> LedgerReader:
    """Return what duties are judged from: without what no writer claimed in time, what two persons set aside, and wrong times."""
    integrity, mistimed = found.integrity, numbers_mistimed(ledger)
    if integrity.ownership.begin is None and not integrity.set_aside and not mistimed:
        return ledger
    passed_over = records_set_aside(integrity.set_aside)
    return HeededLedger(ledger, integrity.ownership, last_at - GRACE, passed_over, mistimed)


class _Details:
    """The details of a bundle, as a ledger's store of blobs that nothing is ever added to."""

    def __init__(self, folder: BundleFolder) -> None:
        self._folder = folder
        self._blobs = BundleBlobs(folder)

    def read(self, digest: Digest) -> bytes:
        state, body = self._blobs.read(digest)
        if state is BlobState.OTHER:
            raise IntegrityError(
                msg("blob {digest} does not match its digest", digest=digest),
                msg("The bundle changed while it was read; collect again."),
            )
        if body is None:
            raise LedgerError(
                msg("the bundle lacks the details {digest}", digest=digest),
                msg("Ask the site for a bundle of a longer period, or why they are withheld."),
            )
        return body

    def has(self, digest: Digest) -> bool:
        return self._folder.has(f"blobs/{digest}")

    def digests(self) -> Iterator[Digest]:
        for name, is_file in self._folder.names():
            if is_file and name.startswith("blobs/"):
                yield Digest(name.removeprefix("blobs/"))

    def keep(self, data: bytes) -> Digest:
        raise _read_only(f"{len(data)} bytes")

    def remove(self, digest: Digest) -> None:
        raise _read_only(digest)


def _read_only(what: str) -> LedgerError:
    return LedgerError(
        msg("a bundle is read-only, but {what} was to be added or removed", what=what), msg("Nothing was changed.")
    )


def _hosts(evidence: Evidence, settings: SiteSettings) -> Iterator[Host]:
    """Yield the servers that a site has to show: those it was told to have, and every one that its scans of the period looked at."""
    newest = evidence.checks.body.hosts if evidence.checks else ()
    seen = {each.host for each in newest if not each.standby} | {HostId(host) for host, _check in evidence.judged}
    groups = {each.host for each in newest if each.standby}
    for host in _sort_names(settings.hosts, seen - groups):
        yield Host(HostId(host), "")


def _units(evidence: Evidence, settings: SiteSettings) -> Iterator[Agency]:
    weeks = evidence.updates.body.unit_weeks if evidence.updates else ()
    for unit in _sort_names(settings.units, {each.unit for each in weeks}):
        yield Agency(UnitId(unit), Name(unit, unit))


def _sort_names(told: Iterable[str], seen: Iterable[str]) -> list[str]:
    named = list(dict.fromkeys(told))
    return [*named, *sorted(set(seen) - set(named))]
