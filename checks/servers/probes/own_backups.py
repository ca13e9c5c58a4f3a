"""The media of the backups: where each lies, the newest set on it, and when one was last restored from it.

`df -Pk` runs on the station alone, for folders that it keeps sets in; everything else is of the ledger's records and the
configuration. The same stands in every host's answer. `df` is what the program printed, `mount` where the disk must be mounted,
`host` the server that is written to; site and room are of the media register:

    {"media":[{"df":"Filesystem%20...%0Anas%3A/export%20...%20/mnt/nas%0A","host":"","id":"nas","kind":"disk","made_at":
    "2026-11-24T19:00:00+00:00","made_seq":871,"made_set":"demo_20261124T190000Z_full","mount":"/mnt/nas","restored_at":
    "2026-11-02T20:10:00+00:00","restored_seq":790,"room":"Kho%20B","site":"Trung%20t%C3%A2m%20d%E1%BB%AF%20li%E1%BB%87u"}],
    "state":"seen","zone":"Asia/Ho_Chi_Minh"}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from checks.servers.outside.section import LIMIT_BYTES, SEEN, safe, written
from checks.servers.own import BackupMedium, LocalRecords, Own, not_begun, opened, refuse_form, unreadable
from checks.servers.probe import Output, Probe, ProbeResult
from portalops.bodies import decode_part
from portalops.errors import PortalOpsError
from portalops.model.backups import BackupResult, CopyState, VerifyLevel
from portalops.model.organisation import HostId
from portalops.model.record import FINISHED, Record, Recorded
from portalops.model.verdicts import RunOutcome
from portalops.ports import LedgerReader
from portalops.registers.backups import BACKUP, POLLS, CopyReports, fold_sets, read_replacements
from portalops.registers.drills import ImportedDrill
from portalops.registers.media import RegisteredMedium, read_media

BodyT = TypeVar("BodyT")

MADE_DAYS = 8
"""How far back a newest set is looked for."""
RESTORED_DAYS = 100
"""How far back restores are looked for."""
MADE = f"{BACKUP}{FINISHED}"
_DRILLS = frozenset({"drill.finished", "drill.imported"})
_RESTORED = frozenset({VerifyLevel.L3, VerifyLevel.L4})


@dataclass(frozen=True, slots=True)
class Backups:
    """All of them."""

    media: tuple[BackupMedium, ...]
    zone: ZoneInfo


def parse(output: Output) -> Backups:
    """Read a section."""
    held = opened(output)
    try:
        found = Backups(tuple(_read(each) for each in held["media"]), ZoneInfo(held["zone"]))
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise refuse_form() from error
    if any(at is not None and at.tzinfo is None for each in found.media for at in (each.made_at, each.restored_at)):
        raise refuse_form()
    return found


PROBE = Probe("own.backups", (), parse, limit_bytes=LIMIT_BYTES)


def sections(own: Own) -> Mapping[HostId, ProbeResult]:
    """Return the same for every host."""
    made = not_begun(PROBE.id) if own.ledger is None else _section(own, own.ledger)
    return {host.id: made for host in own.hosts}


def section(media: Sequence[BackupMedium], zone: ZoneInfo) -> ProbeResult:
    """Write what is known of the media; pure."""
    return written(PROBE.id, SEEN, media=[_written(each) for each in media], zone=zone.key)


def _section(own: Own, ledger: LedgerReader) -> ProbeResult:
    since = own.now - timedelta(days=MADE_DAYS)
    lost: list[int] = []
    backups = list(_bodies(ledger.records(kinds=(MADE,), since=since), ledger, BACKUP, BackupResult, lost))
    looks: list[Recorded[CopyReports]] = []
    drills: list[Recorded[CopyReports]] = []
    for kind, (key, body_type) in POLLS.items():
        first = own.now - timedelta(days=RESTORED_DAYS) if kind in _DRILLS else since
        found = list(_bodies(ledger.records(kinds=(kind,), since=first), ledger, key, body_type, lost))
        looks += [each for each in found if each.at >= since]
        drills += found if kind in _DRILLS else []
    if lost:
        return unreadable(PROBE.id, lost)
    if next(iter(ledger.records(kinds=(MADE,), limit=1)), None) is None:
        return not_begun(PROBE.id)
    sets = [
        each
        for each in fold_sets(backups, sorted(looks, key=lambda each: each.seq), (), read_replacements(ledger))
        if each.set.outcome is RunOutcome.COMPLETE
    ]
    registered = read_media(ledger)
    media = []
    for medium in own.media():
        known = _placed(medium, registered.get(medium.id))
        after = registered[medium.id].replaced_at if medium.id in registered else None
        for each in sets:
            if any(copy.medium == medium.id for copy in each.verified_copies()):
                known = replace(known, made_at=each.set.created_at, made_set=each.set.id, made_seq=each.seq)
        for drill in sorted(drills, key=_drilled_at):  # a report may be imported long after a later drill
            is_restored = any(
                copy.medium == medium.id and copy.state is CopyState.VERIFIED and copy.level in _RESTORED
                for copy in drill.body.copies
            )
            at = _drilled_at(drill)
            if is_restored and not _is_before(at, after):
                known = replace(known, restored_at=at, restored_seq=drill.seq)
        media.append(known)
    return section(media, own.zone)


def _placed(medium: BackupMedium, known: RegisteredMedium | None) -> BackupMedium:
    entry = known.entry if known else None
    return replace(medium, site=entry.site, room=entry.room) if entry else medium


def _drilled_at(drill: Recorded[CopyReports]) -> datetime:
    return drill.body.report.started_at if isinstance(drill.body, ImportedDrill) else drill.at


def _is_before(at: datetime, replaced_at: datetime | None) -> bool:
    """Say whether something was on the medium that had this id before."""
    return replaced_at is not None and at < replaced_at


def _bodies(
    records: Iterable[Record], ledger: LedgerReader, key: str, body_type: type[BodyT], lost: list[int]
) -> Iterator[Recorded[BodyT]]:
    for record in records:
        try:
            body = decode_part(ledger.blob(record.body), key, body_type)
        except PortalOpsError:
            lost.append(record.seq)
            continue
        if body is not None:  # a run that failed before it had a result
            yield Recorded(record.seq, record.at, record.run, body)


def _written(medium: BackupMedium) -> Mapping[str, object]:
    return {
        "id": safe(medium.id),
        "kind": safe(medium.kind),
        "df": safe(medium.df),
        "mount": safe(medium.mount),
        "host": safe(medium.host),
        "site": safe(medium.site),
        "room": safe(medium.room),
        "made_at": medium.made_at.isoformat() if medium.made_at else None,
        "made_set": safe(medium.made_set),
        "made_seq": medium.made_seq,
        "restored_at": medium.restored_at.isoformat() if medium.restored_at else None,
        "restored_seq": medium.restored_seq,
    }


def _read(held: Mapping[str, Any]) -> BackupMedium:
    texts = {key: unquote(held[key]) for key in ("id", "kind", "df", "mount", "host", "site", "room", "made_set")}
    return BackupMedium(
        **texts,
        made_at=datetime.fromisoformat(held["made_at"]) if held["made_at"] else None,
        made_seq=int(held["made_seq"]),
        restored_at=datetime.fromisoformat(held["restored_at"]) if held["restored_at"] else None,
        restored_seq=int(held["restored_seq"]),
    )


OWN = LocalRecords(PROBE, sections)
