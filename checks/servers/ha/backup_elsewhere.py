"""The backups are on another host and in another room, are of yesterday at the latest, and were restored.

A copy beside what it copies goes with it: with the disk, with the host, with the room that burns. Article 12.3: the servers run
continuously, by standby systems; Article 10.2 is judged by itself.

The rule: at least one configured medium lies on another host than this one and in another room; on it is a verified copy of
a whole set that was made today or yesterday; and a copy on it was restored within {restored_days} days, by a drill. The
host of a medium comes from `df -Pk` of its folder on the station, or from the server that it is configured to be written
to; its room from the media register, `portalops media add --site --room`, against the register of places, `portalops host
sight`. Where either room is not recorded the answer is unknown, if everything else is good. A disk that is not mounted lies
by itself, where the register has it.

Sources: df(1), with the station's own words; the records `backup.finished`, of those that checked copies since, of drills
and `media.*` (docs/ledger-format.md). GNU coreutils 9.7:

    Filesystem          1024-blocks     Used Available Capacity Mounted on
    nas.example:/export   206291944 88120320 107619604      46% /mnt/nas
"""

from __future__ import annotations

import unicodedata
from datetime import timedelta
from enum import StrEnum

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.own import BackupMedium
from checks.servers.probe import shown
from checks.servers.probes import own_backups, own_places
from checks.servers.wording import listed
from portalops.model.hosts import LOCAL
from portalops.model.message import Message, msg
from portalops.model.organisation import Host
from portalops.model.verdicts import Severity

MADE_WITHIN_DAYS = 1
RESTORED_WITHIN = timedelta(days=90)
_HERE = frozenset({"localhost", "127.0.0.1", "::1", ""})


class MediumLocation(StrEnum):
    """How a medium lies to a host."""

    ELSEWHERE = "elsewhere"
    SAME_HOST = "same-host"
    SAME_ROOM = "same-room"
    UNKNOWN = "unknown"


@check(
    id="ha.backup-host",
    clause="12.3",
    severity=Severity.HIGH,
    needs=(own_backups.PROBE, own_places.PROBE),
    title=msg("backups are on another host in another room, are fresh, and were restored"),
    remedy=msg(
        "Put copies on a medium in another room, record where it is with 'portalops media add --room', "
        "and try a restore with 'portalops backup drill'."
    ),
    numbers={"restored_days": RESTORED_WITHIN.days},
)
def judge(facts: Facts) -> CheckOutcome:
    backups, place = facts[own_backups.PROBE], facts[own_places.PROBE]
    if not backups.media:
        return failed("no-medium", msg("no medium is configured for backups"))
    room = (place.seen.site, place.seen.room) if place.seen else ("", "")
    placed = [(each, locate_medium(each, facts.host, room)) for each in backups.media]
    today = facts.at.astimezone(backups.zone).date()

    def is_fresh(medium: BackupMedium) -> bool:
        made = medium.made_at
        return (
            made is not None
            and made <= facts.at
            and today - made.astimezone(backups.zone).date() <= timedelta(days=MADE_WITHIN_DAYS)
        )

    def is_restored(medium: BackupMedium) -> bool:
        return medium.restored_at is not None and timedelta(0) <= facts.at - medium.restored_at <= RESTORED_WITHIN

    good = [(each, lies) for each, lies in placed if is_fresh(each) and is_restored(each)]
    for medium, lies in good:
        if lies is MediumLocation.ELSEWHERE:
            return passed(
                msg(
                    "on {medium}, in {site}, room {room}: {set}; restored at {restored} (records {made_seq} and {restored_seq})",
                    medium=shown(medium.id, 60),
                    site=shown(medium.site, 60),
                    room=shown(medium.room, 40),
                    set=shown(medium.made_set, 80),
                    restored=medium.restored_at or facts.at,
                    made_seq=str(medium.made_seq),
                    restored_seq=str(medium.restored_seq),
                )
            )
    unsure = [medium.id for medium, lies in good if lies is MediumLocation.UNKNOWN]
    if unsure:
        if place.seen is None:
            return unknown("place-not-recorded", msg("the place of this host is not recorded"))
        return unknown(
            "place-not-recorded",
            msg("the host or room of these media is not known: {media}", media=listed(unsure)),
        )
    elsewhere = [medium for medium, lies in placed if lies in {MediumLocation.ELSEWHERE, MediumLocation.UNKNOWN}]
    if not elsewhere:
        return failed(
            "beside-the-host",
            msg(
                "every medium is on this host or in its room: {media}",
                media=listed(each.id for each in backups.media),
            ),
        )
    best = max(elsewhere, key=lambda each: (is_fresh(each), is_restored(each)))
    if not is_fresh(best):
        return failed("backup-old", _not_fresh(best))
    return failed("restore-unproven", _not_restored(best))


def locate_medium(medium: BackupMedium, host: Host, room: tuple[str, str]) -> MediumLocation:
    """Say how a medium lies to a host that stands in a room; a place of which a part is not known is not another one.

    Args:
        medium: as recorded and seen.
        host: the one that is judged.
        room: site and room in which it stands, empty if that is not recorded.
    """
    lies = _host_of(medium)
    if lies is None:
        return MediumLocation.UNKNOWN
    if lies != _APART and _is_same(lies, host):
        return MediumLocation.SAME_HOST
    rooms = [tuple(_same(text) for text in each) for each in (room, (medium.site, medium.room))]
    if not all(text for each in rooms for text in each):
        return MediumLocation.UNKNOWN
    return MediumLocation.SAME_ROOM if rooms[0] == rooms[1] else MediumLocation.ELSEWHERE


_APART = "*"
"""It is in no host."""


def _host_of(medium: BackupMedium) -> str | None:
    """Return the name of the host that a medium is in: empty for the station; None if it cannot be told."""
    if medium.host:
        return medium.host
    if medium.kind != "disk":
        return _APART
    lines = [line for line in medium.df.splitlines() if line.strip()]
    words = lines[-1].split() if len(lines) == 2 else []
    if len(words) < 6:
        return None
    device, mounted = words[0], " ".join(words[5:])
    if medium.mount and mounted != medium.mount:
        return _APART
    if device.startswith("//"):
        return device[2:].partition("/")[0]
    if ":/" in device:
        return device.partition(":/")[0].rpartition("@")[2].strip("[]")
    return ""


def _is_same(name: str, host: Host) -> bool:
    """Say whether a name is this host's; an empty one is the station."""
    if name.lower() in _HERE:
        return host.address == LOCAL
    return name.lower() in {host.id.lower(), host.address.lower()}


def _same(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _not_fresh(medium: BackupMedium) -> Message:
    if medium.made_at is None:
        return msg("{medium} holds no complete, verified set from the last days", medium=shown(medium.id, 60))
    return msg("the newest set on {medium} is of {made}", medium=shown(medium.id, 60), made=medium.made_at)


def _not_restored(medium: BackupMedium) -> Message:
    if medium.restored_at is None:
        return msg(
            "nothing was restored from {medium} in the last {days} days",
            medium=shown(medium.id, 60),
            days=RESTORED_WITHIN.days,
        )
    return msg(
        "the last restore from {medium} is of {restored}, more than {days} days ago",
        medium=shown(medium.id, 60),
        restored=medium.restored_at,
        days=RESTORED_WITHIN.days,
    )
